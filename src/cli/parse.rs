//! Words to options: what clap needs to know about the ways of Go programs, and its errors in
//! their words.

use super::exit::Failure;
use super::values::{self, quoted};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use std::ffi::OsString;

/// Parses words that [`normalise`](super::words::normalise) has prepared; `None` is a request for
/// help, which overrides the rest. `original` is the whole command line, for the message.
///
/// # Errors
/// Unknown options and bad values.
pub(crate) fn parse(
    parser: clap::Command,
    words: &[OsString],
    original: &[OsString],
) -> Result<Option<ArgMatches>, Failure> {
    let name = parser.get_name().to_owned();
    match go_style(parser).try_get_matches_from(words) {
        Ok(matches) => Ok(Some(matches)),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(None),
        Err(error) => {
            let line: Vec<String> = original.iter().map(quoted).collect();
            let (line, reason) = (line.join(" "), reason(&error));
            let message = format!("Invalid command line: {line}: {reason}. Try '{name} -help'.");
            Err(Failure::usage(message))
        }
    }
}

/// Whether the line has this switch, if its parser knows it.
pub(crate) fn is_set(matches: &ArgMatches, switch: &str) -> bool {
    let value = matches.try_get_one::<bool>(switch);
    value.ok().flatten().is_some_and(|is_set| *is_set)
}

fn go_style(parser: clap::Command) -> clap::Command {
    parser
        .no_binary_name(true)
        .args_override_self(true)
        .mut_args(option_in_go_style)
}

/// A switch also takes `=true` or `=false`; any other option takes the next word, whatever it is.
fn option_in_go_style(arg: Arg) -> Arg {
    if arg.is_positional() {
        return arg;
    }
    match arg.get_action() {
        ArgAction::SetTrue => {
            let preset = arg.get_default_values().is_empty();
            let arg = arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_parser(values::boolean);
            if preset {
                arg.default_value("false")
            } else {
                arg
            }
        }
        ArgAction::Set | ArgAction::Append => arg.allow_hyphen_values(true),
        _ => arg,
    }
}

/// What is wrong, in the words that a Go program uses.
fn reason(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let option = text(ContextKind::InvalidArg);
    let option = option.split([' ', '=', '[']).next().unwrap_or(option);
    let value = text(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unknown flag: {option}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("flag needs an argument: {option}"),
        _ => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            let cause = cause.unwrap_or_else(|| error.kind().to_string());
            format!(
                "invalid argument {} for \"{option}\" flag: {cause}",
                quoted(value)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Words;
    use clap::{CommandFactory, FromArgMatches};
    use std::path::PathBuf;

    fn parsed(line: &str) -> Result<Words, String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match parse(Words::command(), &words, &words) {
            Ok(Some(matches)) => Ok(Words::from_arg_matches(&matches).unwrap()),
            Ok(None) => Err("help".to_owned()),
            Err(failure) => Err(failure.message),
        }
    }

    fn reason_of(line: &str) -> String {
        let message = parsed(line).unwrap_err();
        let (_, reason) = message
            .split_once(": ")
            .unwrap()
            .1
            .split_once(": ")
            .unwrap();
        reason.replace(". Try 'gocryptfs -help'.", "")
    }

    #[test]
    fn the_options_are_consistent() {
        Words::command().debug_assert();
        go_style(Words::command()).debug_assert();
    }

    #[test]
    fn a_switch_takes_a_value_only_behind_an_equals_sign() {
        assert!(parsed("--ro").unwrap().kernel.ro);
        assert!(parsed("--ro=T").unwrap().kernel.ro);
        assert!(!parsed("--ro=0").unwrap().kernel.ro);
        assert!(!parsed("--hkdf=false").unwrap().format.hkdf);
        assert!(parsed("C").unwrap().format.hkdf);
        let words = parsed("--ro false").unwrap();
        assert!(words.kernel.ro);
        assert_eq!(words.paths, [PathBuf::from("false")]);
    }

    #[test]
    fn aliases_are_the_same_option() {
        let words = parsed("--q --d --f --i 1s --e a --exclude=b --ew c").unwrap();
        assert!(words.messages.quiet && words.messages.debug && words.mount.fg);
        assert_eq!(words.mount.idle.0, 1_000_000_000);
        assert_eq!(words.reverse.exclude, ["a", "b"]);
        assert_eq!(words.reverse.exclude_wildcard, ["c"]);
    }

    #[test]
    fn of_a_repeated_option_the_last_counts_and_lists_add_up() {
        let words = parsed("--scryptn 10 --scryptn=0xb --q --q=0 --passfile a --passfile=b");
        let words = words.unwrap();
        assert_eq!(words.secret.scryptn, Some(11));
        assert!(!words.messages.quiet);
        assert_eq!(words.secret.passfile, ["a", "b"].map(PathBuf::from));
    }

    #[test]
    fn options_and_paths_mix_until_two_dashes() {
        let words = parsed("C --ro - -- --q -x").unwrap();
        assert_eq!(words.paths, ["C", "-", "--q", "-x"].map(PathBuf::from));
        assert!(words.kernel.ro && !words.messages.quiet);
    }

    #[test]
    fn an_option_takes_the_next_word_whatever_it_is() {
        let words = parsed("--extpass --X --extpass -h --fsname=a,b --config=").unwrap();
        assert_eq!(words.secret.extpass, ["--X", "-h"]);
        assert_eq!(words.kernel.fsname, Some("a,b".into()));
        assert_eq!(words.secret.config, Some(PathBuf::new()));
    }

    #[test]
    fn help_wins_over_what_follows() {
        assert_eq!(parsed("-h --nosuch").unwrap_err(), "help");
        assert_eq!(parsed("--help").unwrap_err(), "help");
        assert_eq!(reason_of("--nosuch -h"), "unknown flag: --nosuch");
    }

    #[test]
    fn bad_options_are_named_with_the_reason() {
        assert_eq!(reason_of("--nosuch=1 C"), "unknown flag: --nosuch");
        assert_eq!(reason_of("--h"), "unknown flag: --h");
        assert_eq!(reason_of("C --config"), "flag needs an argument: --config");
        let wanted = "invalid argument \"maybe\" for \"--ro\" flag: neither true nor false";
        assert_eq!(reason_of("--ro=maybe"), wanted);
        let wanted = "invalid argument \"5\" for \"--idle\" flag: missing unit in duration";
        assert_eq!(reason_of("--idle 5"), wanted);
        let wanted = "invalid argument \"300\" for \"--longnamemax\" flag: value out of range";
        assert_eq!(reason_of("--longnamemax 300"), wanted);
    }

    #[test]
    fn the_message_shows_the_line_as_it_was_given() {
        let line = ["gocryptfs", "-x", "a b"].map(OsString::from);
        let words = ["--x".into(), "a b".into()];
        let failure = parse(Words::command(), &words, &line).unwrap_err();
        let wanted = "Invalid command line: \"gocryptfs\" \"-x\" \"a b\": unknown flag: --x. \
                      Try 'gocryptfs -help'.";
        assert_eq!(failure, Failure::usage(wanted));
    }
}
