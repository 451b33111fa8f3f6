//! `-h`, `-hh` and `-version`.

use super::args::Words;
use super::output::{Kind, Output};
use clap::CommandFactory;

/// The release of the Go program whose options and format this program knows. Front ends look for
/// it behind the word `gocryptfs`.
const COMPATIBLE_WITH: &str = "2.6.1";

/// The name and version of this program, as new configuration files carry it.
pub(crate) const CREATOR: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Shows the version.
pub(crate) fn version(out: &Output) {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    out.write(
        Kind::Answer,
        &format!("gocryptfs {COMPATIBLE_WITH}; {CREATOR}; {os}/{arch}"),
    );
}

/// Shows help on the common options, or on all of them.
pub(crate) fn help(out: &Output, all: bool) {
    let hint = if all {
        "Every option can be written with one dash or with two; \"--\" ends the options."
    } else {
        "Every option can be written with one dash or with two. Use -hh to show all of them."
    };
    let mut parser = Words::command().after_help(hint);
    if all {
        parser = parser.mut_args(|arg| arg.hide_short_help(false));
    }
    version(out);
    let text = parser.render_help().to_string();
    out.write(Kind::Answer, &format!("\n{}", text.trim_end()));
}
