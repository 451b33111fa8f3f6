//! `-h`, `-hh` and `-version`.

use super::args::Words;
use super::output::{Kind, Output};
use super::verb::VERBS;
use clap::CommandFactory;

/// The release of the Go program whose options and format this program knows. Front ends look for
/// it behind the word `gocryptfs`.
const COMPATIBLE_WITH: &str = "2.6.1";

/// The name and version of this program, as new configuration files carry it.
pub(crate) const CREATOR: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Shows the version of `program`.
pub(crate) fn version(program: &str, out: &Output) {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    out.write(
        Kind::Answer,
        &format!("{program} {COMPATIBLE_WITH}; {CREATOR}; {os}/{arch}"),
    );
}

/// Shows help on the common options, or on all of them.
pub(crate) fn help(out: &Output, all: bool) {
    version("gocryptfs", out);
    out.write(Kind::Answer, "");
    show(parser(all), out);
}

/// The parser, with help on the common options, or on all of them.
pub(crate) fn parser(all: bool) -> clap::Command {
    let verbs: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
    let more = if all { "" } else { " -hh shows all." };
    let hint = format!(
        "Options can have one dash or two; \"--\" ends them.{more}\n\
         Verbs say some of it shorter, and do more:\n\
         gocryptfs {}\n\
         \"gocryptfs VERB --help\" shows what goes with one.",
        verbs.join("|"),
    );
    let parser = Words::command().after_help(hint);
    if all {
        parser.mut_args(|arg| arg.hide_short_help(false))
    } else {
        parser
    }
}

/// Shows help on the options that `parser` does not hide.
pub(crate) fn show(mut parser: clap::Command, out: &Output) {
    let text = parser.render_help().to_string();
    out.write(Kind::Answer, text.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that do not fit on a terminal of 80 columns.
    fn wide_lines(mut parser: clap::Command) -> Vec<String> {
        let text = parser.render_help().to_string();
        let wide = text.lines().filter(|line| line.chars().count() > 80);
        wide.map(str::to_owned).collect()
    }

    #[test]
    fn all_help_fits_on_80_columns() {
        for all in [false, true] {
            assert_eq!(wide_lines(parser(all)), [""; 0]);
        }
        for verb in VERBS {
            assert_eq!(wide_lines((verb.parser)()), [""; 0]);
        }
    }

    #[test]
    fn the_help_of_a_verb_fits_on_one_screen() {
        for verb in VERBS {
            let text = (verb.parser)().render_help().to_string();
            assert!(text.lines().count() <= 50, "{text}");
            assert!(text.contains(&format!("Usage: gocryptfs {}", verb.name)));
        }
    }
}
