//! Subcommands for people: `gocryptfs mount`, `gocryptfs init` and so on.
//!
//! A verb has a parser, whose help shows what belongs to it, and makes a [`Command`] of what was
//! parsed. Most verbs are another way to write a switch of the compatible command line: their
//! parser is that of the whole line, and options that make no sense with the verb are refused.

use super::args::{ActionArgs, Words, heading};
use super::clone::CloneOptions;
use super::command::Command;
use super::direct::args as direct;
use super::exit::Failure;
use super::stats::StatsOptions;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::Path;

/// A subcommand.
pub(crate) struct Verb {
    /// The word.
    pub(crate) name: &'static str,
    /// Its options, with their help.
    pub(crate) parser: fn() -> clap::Command,
    /// What to do with what was parsed.
    pub(crate) build: fn(&ArgMatches) -> Result<Command, Failure>,
}

/// All subcommands, in the order in which help lists them.
pub(crate) const VERBS: &[Verb] = &[
    Verb {
        name: "mount",
        parser: || MOUNT.parser(),
        build: |matches| MOUNT.build(matches),
    },
    Verb {
        name: "init",
        parser: || INIT.parser(),
        build: |matches| INIT.build(matches),
    },
    Verb {
        name: "passwd",
        parser: || PASSWD.parser(),
        build: |matches| PASSWD.build(matches),
    },
    Verb {
        name: "info",
        parser: || INFO.parser(),
        build: |matches| INFO.build(matches),
    },
    Verb {
        name: "fsck",
        parser: || FSCK.parser(),
        build: |matches| FSCK.build(matches),
    },
    Verb {
        name: "clone",
        parser: CloneOptions::command,
        build: CloneOptions::parsed,
    },
    Verb {
        name: "ls",
        parser: direct::parser::<direct::ListWords>,
        build: direct::list,
    },
    Verb {
        name: "cat",
        parser: direct::parser::<direct::CatWords>,
        build: direct::cat,
    },
    Verb {
        name: "find",
        parser: direct::parser::<direct::FindWords>,
        build: direct::find,
    },
    Verb {
        name: "export",
        parser: direct::parser::<direct::ExportWords>,
        build: direct::export,
    },
    Verb {
        name: "stats",
        parser: StatsOptions::command,
        build: StatsOptions::parsed,
    },
    Verb {
        name: "speed",
        parser: || SPEED.parser(),
        build: |matches| SPEED.build(matches),
    },
];

/// Finds the verb in front of `line`, which begins with the program's name, and takes it away.
/// A directory of that name is not a verb but the volume to be mounted.
pub(crate) fn take(line: &[OsString]) -> (Option<&'static Verb>, Vec<OsString>) {
    let mut line = line.to_vec();
    let first = line.get(1).filter(|word| !Path::new(word).is_dir());
    let verb = first.and_then(|word| VERBS.iter().find(|verb| word == verb.name));
    if verb.is_some() {
        line.remove(1);
    }
    (verb, line)
}

/// What help says at its end.
const MORE: &str = "\"gocryptfs -hh\" shows all options, also those for rare needs.";

/// A verb that stands for a switch of the compatible command line.
struct Switch {
    name: &'static str,
    about: &'static str,
    /// What follows the options.
    paths: &'static str,
    turn_on: fn(&mut ActionArgs),
    /// Options that help shows, by name; under a heading, the common ones.
    shown: &'static [&'static str],
    /// Further ones that are taken.
    taken: &'static [&'static str],
}

const MOUNT: Switch = Switch {
    name: "gocryptfs mount",
    about: "Mount the volume CIPHERDIR: its files appear, decrypted, at MOUNTPOINT",
    paths: "CIPHERDIR MOUNTPOINT",
    turn_on: |_| {},
    shown: &[
        "config",
        "extpass",
        "passfile",
        "masterkey",
        heading::MOUNTING,
        heading::KERNEL,
        heading::REVERSE,
        heading::MESSAGES,
    ],
    taken: &["zerokey", "fido2", heading::FORMAT, heading::IGNORED],
};

const INIT: Switch = Switch {
    name: "gocryptfs init",
    about: "Make a new volume in the empty directory CIPHERDIR",
    paths: "CIPHERDIR",
    turn_on: |action| action.init = true,
    shown: &[
        "config",
        "extpass",
        "passfile",
        "masterkey",
        "scryptn",
        "reverse",
        "quiet",
        heading::FORMAT,
    ],
    taken: &[
        "zerokey",
        "fido2",
        "fido2_assert_option",
        "debug",
        "wpanic",
        heading::IGNORED,
    ],
};

const PASSWD: Switch = Switch {
    name: "gocryptfs passwd",
    about: "Change the password of the volume CIPHERDIR",
    paths: "CIPHERDIR",
    turn_on: |action| action.passwd = true,
    shown: &[
        "config",
        "extpass",
        "passfile",
        "masterkey",
        "scryptn",
        "reverse",
        "quiet",
    ],
    taken: &["fido2", "debug", "wpanic", heading::IGNORED],
};

const INFO: Switch = Switch {
    name: "gocryptfs info",
    about: "Show what kind of volume CIPHERDIR is",
    paths: "CIPHERDIR",
    turn_on: |action| action.info = true,
    shown: &["config", "reverse", "json"],
    taken: &["quiet", "debug", "wpanic", heading::IGNORED],
};

const FSCK: Switch = Switch {
    name: "gocryptfs fsck",
    about: "Check the volume CIPHERDIR, or what is at PATH (plain or encrypted), for damage",
    paths: "CIPHERDIR [PATH...]",
    turn_on: |action| {
        action.fsck = true;
        action.takes_paths = true;
    },
    shown: &[
        "config",
        "extpass",
        "passfile",
        "masterkey",
        "json",
        "resume",
        "verbose",
        "repair",
        "dry_run",
        "yes",
        "bad_blocks",
        "save",
        "names",
        "backup",
        "quiet",
    ],
    taken: &[
        "badname",
        "zerokey",
        "fido2",
        "debug",
        "wpanic",
        heading::FORMAT,
        heading::IGNORED,
    ],
};

const SPEED: Switch = Switch {
    name: "gocryptfs speed",
    about: "Measure the speed of the ciphers",
    paths: "",
    turn_on: |action| action.speed = true,
    shown: &["json"],
    taken: &["quiet", "debug", "wpanic", heading::IGNORED],
};

impl Switch {
    fn parser(&self) -> clap::Command {
        let usage = match self.paths {
            "" => self.name.to_owned(),
            paths => format!("{} [OPTIONS] {paths}", self.name),
        };
        Words::command()
            .name(self.name)
            .about(self.about)
            .override_usage(usage)
            .after_help(MORE)
            .mut_args(|arg| {
                let is_common = !arg.is_hide_short_help_set() || names_it(self.shown, &arg);
                let is_shown = names(self.shown, &arg) && is_common;
                arg.hide(!is_shown).hide_short_help(false)
            })
    }

    fn build(&self, matches: &ArgMatches) -> Result<Command, Failure> {
        let is_given = |arg: &&Arg| {
            matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        let is_foreign =
            |arg: &&Arg| !arg.is_positional() && !names(self.shown, arg) && !names(self.taken, arg);
        let parser = Words::command();
        if let Some(arg) = parser.get_arguments().filter(is_given).find(is_foreign) {
            let (option, name) = (arg.get_long().unwrap_or_default(), self.name);
            return Err(Failure::usage(format!(
                "\"{name}\" has no option --{option}. Try '{name} --help'."
            )));
        }
        let words = Words::from_arg_matches(matches);
        let mut words = words.map_err(|error| Failure::usage(error.to_string()))?;
        (self.turn_on)(&mut words.action);
        Command::build(words)
    }
}

/// Whether a list of options has this one, by its name or its heading.
fn names(list: &[&str], arg: &Arg) -> bool {
    let heading = arg.get_help_heading();
    names_it(list, arg) || list.iter().any(|name| heading == Some(name))
}

/// Whether a list of options has this one by its name.
fn names_it(list: &[&str], arg: &Arg) -> bool {
    list.iter().any(|name| arg.get_id() == name)
}
