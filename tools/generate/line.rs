//! A command line as pages and scripts describe it: a program, maybe a verb, and the options as
//! they are typed.

use clap::{Arg, ArgAction, Command, ValueHint};

/// The command line of a program, or of one of its verbs.
pub(crate) struct Line {
    /// Words as `gocryptfs` or `gocryptfs fsck`.
    pub(crate) name: String,
    /// What it does, in one sentence.
    pub(crate) about: String,
    /// How it is used, one form a line.
    pub(crate) usage: Vec<String>,
    /// What help says at its end.
    pub(crate) notes: Option<String>,
    /// What its operands are.
    pub(crate) operands: Kind,
    /// The options, except those that belong to another verb.
    pub(crate) options: Vec<Opt>,
}

/// An option.
pub(crate) struct Opt {
    /// All ways to type it, dashes included.
    pub(crate) names: Vec<String>,
    /// The word under which help shows it.
    pub(crate) heading: Option<String>,
    /// What it does: a few words, and whole paragraphs.
    pub(crate) help: String,
    pub(crate) long_help: Option<String>,
    /// What follows, if anything.
    pub(crate) value: Option<Value>,
}

/// The value of an option.
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a shell proposes as a value.
#[derive(Clone)]
pub(crate) enum Kind {
    File,
    Dir,
    Program,
    OneOf(Vec<String>),
    /// Nothing is known.
    Text,
}

impl Line {
    /// Describes what `parser` takes.
    pub(crate) fn new(parser: Command) -> Self {
        let name = parser.get_name().to_owned();
        let dashes = dashes(&name);
        let text = |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string);
        let mut parser = parser;
        parser.build();
        let usage = parser.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").lines();
        Self {
            about: text(parser.get_about()).unwrap_or_default(),
            usage: usage.map(|line| line.trim().to_owned()).collect(),
            notes: text(parser.get_after_help()),
            operands: operands(&parser),
            options: parser
                .get_arguments()
                .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
                .map(|arg| Opt::new(arg, dashes))
                .collect(),
            name,
        }
    }

    /// How many dashes people give its options.
    pub(crate) fn dashes(&self) -> &'static str {
        dashes(&self.name)
    }

    /// The name of its man page.
    pub(crate) fn page(&self) -> String {
        self.name.replace(' ', "-")
    }

    /// The verb, if it is not the line of a program itself.
    pub(crate) fn verb(&self) -> Option<&str> {
        self.name.split_once(' ').map(|(_, verb)| verb)
    }
}

/// Two for verbs; for the programs one, as people give the Go programs.
fn dashes(name: &str) -> &'static str {
    if name.contains(' ') { "--" } else { "-" }
}

fn operands(parser: &Command) -> Kind {
    let hint = parser.get_positionals().map(Arg::get_value_hint).next();
    match hint {
        Some(ValueHint::DirPath) => Kind::Dir,
        _ => Kind::File,
    }
}

/// The programs, each with its line and those of its verbs.
pub(crate) fn programs(lines: &[Line]) -> impl Iterator<Item = (&str, &[Line])> {
    lines
        .chunk_by(|_, next| next.verb().is_some())
        .map(|lines| (lines[0].name.as_str(), lines))
}

impl Opt {
    fn new(arg: &Arg, dashes: &str) -> Self {
        let short = arg.get_short().map(|letter| format!("-{letter}"));
        let long = arg.get_long().into_iter();
        let long = long.chain(arg.get_visible_aliases().unwrap_or_default());
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        Self {
            names: short
                .into_iter()
                .chain(long.map(|name| match name.len() {
                    1 => format!("-{name}"),
                    _ => format!("{dashes}{name}"),
                }))
                .collect(),
            heading: arg.get_help_heading().map(str::to_owned),
            help,
            long_help: arg.get_long_help().map(ToString::to_string),
            value: Value::new(arg),
        }
    }

    /// The letters after the dashes of the name that tells most.
    pub(crate) fn word(&self) -> &str {
        self.words()
            .max_by_key(|word| word.len())
            .unwrap_or_default()
    }

    /// The letters after the dashes of each name.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| name.trim_start_matches('-'))
    }
}

impl Value {
    fn new(arg: &Arg) -> Option<Self> {
        if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
            return None;
        }
        let name = arg.get_value_names()?.first()?.to_string();
        let choices: Vec<String> = arg
            .get_possible_values()
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        let kind = match (&*name, arg.get_value_hint()) {
            _ if !choices.is_empty() => Kind::OneOf(choices),
            ("DIR", _) => Kind::Dir,
            ("PROGRAM", _) => Kind::Program,
            (_, ValueHint::AnyPath) => Kind::File,
            _ => Kind::Text,
        };
        Some(Self { name, kind })
    }
}
