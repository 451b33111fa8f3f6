//! Options that are accepted so that no script fails, and have no effect: whoever may expect one
//! is told.

use super::output::{Kind, Output};
use clap::ArgMatches;
use clap::parser::ValueSource;

/// Options by their ids, and what to know about them.
const NOTES: [(&str, &str); 4] = [
    (
        "serialize_reads",
        "-serialize_reads has no effect: the kernel may send several read requests at a time, \
         which are answered in any order.",
    ),
    (
        "cpuprofile",
        "-cpuprofile has no effect: no profile is written. perf(1) makes one.",
    ),
    (
        "memprofile",
        "-memprofile has no effect: no profile is written. heaptrack(1) makes one.",
    ),
    (
        "trace",
        "-trace has no effect: no trace is written. -fusedebug shows all requests.",
    ),
];

/// Tells which of the given options have no effect.
pub(crate) fn tell(matches: &ArgMatches, out: &Output) {
    for note in notes(matches) {
        out.write(Kind::Note, note);
    }
}

fn notes(matches: &ArgMatches) -> impl Iterator<Item = &'static str> {
    // A verb with a parser of its own may not know them.
    let is_given = |option| {
        matches.try_contains_id(option).unwrap_or(false)
            && matches.value_source(option) == Some(ValueSource::CommandLine)
    };
    NOTES
        .iter()
        .filter(move |(option, _)| is_given(option))
        .map(|(_, note)| *note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Words;
    use clap::{CommandFactory, FromArgMatches};

    #[test]
    fn only_given_options_are_told() {
        let parsed = |words: &[&str]| {
            Words::command()
                .no_binary_name(true)
                .get_matches_from(words)
        };
        let matches = parsed(&["--trace", "x", "--serialize_reads"]);
        assert!(Words::from_arg_matches(&matches).is_ok());
        let told: Vec<&str> = notes(&matches).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("-serialize_reads has no effect: "));
        assert_eq!(notes(&parsed(&["C"])).count(), 0);
    }

    #[test]
    fn every_note_is_about_an_option() {
        let parser = Words::command();
        let known = |id: &str| parser.get_arguments().any(|arg| arg.get_id() == id);
        assert!(NOTES.iter().all(|(option, _)| known(option)));
    }
}
