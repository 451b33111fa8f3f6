//! The options: all that the Go program has, of the same kind.

use super::desk::Desk;
use crate::support::program::Program;
use std::collections::BTreeMap;

/// Options of releases after the Go program that is here.
const LATER: [&str; 3] = ["context", "fido2-assert-option", "noxattr"];
/// No option but a list of options, which is taken apart before.
const LIST: &str = "o";

/// The options that a help text lists, each with whether it takes a value.
fn listed(program: &Program) -> BTreeMap<String, bool> {
    let help = Desk::new().run(program, "-hh", b"");
    let lines = help.stdout.lines().chain(help.stderr.lines());
    let lines = lines.map(str::trim_start);
    let options = lines.filter_map(|line| line.rsplit("-h, ").next()?.strip_prefix("--"));
    let mut listed = BTreeMap::new();
    for option in options {
        let (left, right) = option.split_once("  ").unwrap_or((option, ""));
        let (name, value) = left.split_once(' ').unwrap_or((left, ""));
        listed.insert(name.to_owned(), !value.is_empty());
        let alias = right.split_once("[alias: --");
        if let Some((alias, _)) = alias.and_then(|(_, alias)| alias.split_once(']')) {
            listed.insert(alias.to_owned(), !value.is_empty());
        }
    }
    listed
}

#[test]
fn every_option_of_the_go_program_is_known() {
    let ours = listed(&Program::ours());
    assert!(LATER.iter().all(|option| ours.contains_key(*option)));
    let Some(go) = Program::go("the list of options") else {
        return;
    };
    let mut theirs = listed(&go);
    assert!(theirs.len() > 60, "{theirs:?}");
    assert_eq!(theirs.remove(LIST), Some(true));
    for (option, takes_value) in theirs {
        assert_eq!(ours.get(&option), Some(&takes_value), "{option}");
    }
}
