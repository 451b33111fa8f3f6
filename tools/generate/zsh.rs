//! Completions for zsh.

use crate::line::{Kind, Line, Opt};
use std::fmt::Write;

/// The script for a program with these lines, its own first.
pub(crate) fn script(program: &str, lines: &[Line]) -> String {
    let mut verbs = String::new();
    let mut cases = String::new();
    for line in lines.iter().rev() {
        if let Some(verb) = line.verb() {
            let about = quoted(&line.about);
            let _ = writeln!(verbs, "    '{verb}:{about}'");
        }
        let _ = write!(cases, "{}", case(line));
    }
    format!(
        "\
#compdef {program}
# Completions of {program} for zsh.
local -a verbs arguments
local dashes
verbs=(
{verbs})
# as many dashes as are there already
[[ $PREFIX != --* && $words[CURRENT-1] != --* ]] || dashes=--
case $words[2] in
{cases}esac
if (( CURRENT == 2 && $#verbs )) && [[ $PREFIX != -* ]]; then
    _describe verb verbs
fi
_arguments -S $arguments
"
    )
}

fn case(line: &Line) -> String {
    let mut arguments = String::new();
    for option in &line.options {
        let _ = writeln!(arguments, "            {}", argument(option));
    }
    format!(
        "    {verb})
        : ${{dashes:={dashes}}}
        arguments=(
{arguments}            {operands}
        )
        ;;
",
        verb = line.verb().unwrap_or("*"),
        dashes = line.dashes(),
        operands = operands(line),
    )
}

fn operands(line: &Line) -> String {
    let action = action(&line.operands);
    match line.verb() {
        Some(verb) => format!("'1:verb:({verb})' '*:path:{action}'"),
        None => format!("'*:path:{action}'"),
    }
}

/// How `_arguments` takes an option.
fn argument(option: &Opt) -> String {
    let help = quoted(&option.help).replace('[', "\\[").replace(']', "\\]");
    let word = option.word();
    match &option.value {
        Some(value) => {
            let (name, action) = (quoted(&value.name), action(&value.kind));
            format!("\"*${{dashes}}{word}=\"'[{help}]:{name}:{action}'")
        }
        None => format!("\"${{dashes}}{word}\"'[{help}]'"),
    }
}

fn action(kind: &Kind) -> String {
    match kind {
        Kind::File => "_files".to_owned(),
        Kind::Dir => "_files -/".to_owned(),
        Kind::Program => "_command_names -e".to_owned(),
        Kind::OneOf(words) => format!("({})", words.join(" ")),
        Kind::Text => " ".to_owned(),
    }
}

/// A text between single quotes, in which a colon separates nothing.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''").replace(':', "\\:")
}
