//! Completions for fish.

use crate::line::{Kind, Line, Opt};
use std::fmt::Write;

/// The script for a program with these lines, its own first.
pub(crate) fn script(program: &str, lines: &[Line]) -> String {
    let function = program.replace('-', "_");
    let verbs: Vec<&str> = lines.iter().filter_map(Line::verb).collect();
    let mut script = format!(
        "\
# Completions of {program} for fish.
function __fish_{function}_verb
    set -l words (commandline -opc)
    set -l verb ''
    contains -- \"$words[2]\" {verbs}; and set verb $words[2]
    test \"$verb\" = \"$argv[1]\"
end
complete -c {program} -f
",
        verbs = verbs.join(" "),
    );
    for line in lines {
        let verb = line.verb().unwrap_or_default();
        let when = format!("complete -c {program} -n '__fish_{function}_verb \"{verb}\"'");
        let operands = proposal(&line.operands);
        let _ = writeln!(script, "{when} {operands}");
        for option in &line.options {
            let _ = writeln!(script, "{when}{}", argument(line, option));
        }
        if line.verb().is_some() {
            let about = quoted(&line.about);
            let first = format!("complete -c {program} -n 'test (count (commandline -opc)) = 1'");
            let _ = writeln!(script, "{first} -a {verb} -d '{about}'");
        }
    }
    script
}

fn argument(line: &Line, option: &Opt) -> String {
    let (word, help) = (option.word(), quoted(&option.help));
    let one_dash = match line.dashes() {
        "-" => format!(" -o {word}"),
        _ => String::new(),
    };
    let value = option.value.as_ref();
    let value = value.map(|value| format!(" -r {}", proposal(&value.kind)));
    let value = value.unwrap_or_default();
    format!("{one_dash} -l {word} -d '{help}'{value}")
}

fn proposal(kind: &Kind) -> String {
    match kind {
        Kind::File => "-F".to_owned(),
        Kind::Dir => "-f -a '(__fish_complete_directories)'".to_owned(),
        Kind::Program => "-f -a '(__fish_complete_command)'".to_owned(),
        Kind::OneOf(words) => format!("-f -a '{}'", words.join(" ")),
        Kind::Text => "-f".to_owned(),
    }
}

/// A text between single quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}
