//! Completions for bash.

use crate::line::{Kind, Line, Opt};
use std::fmt::Write;

/// The script for a program with these lines, its own first.
pub(crate) fn script(program: &str, lines: &[Line]) -> String {
    let function = program.replace('-', "_");
    let verbs: Vec<&str> = lines.iter().filter_map(Line::verb).collect();
    let mut cases = String::new();
    for line in lines {
        let _ = write!(cases, "{}", case(line));
    }
    format!(
        "\
# Completions of {program} for bash.
_{function}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    local verbs='{verbs}' verb= line options values operands dashes
    # \"=\" is a word of its own
    case $cur in
        =) cur= ;;
        *) [[ $prev != = ]] || prev=${{COMP_WORDS[COMP_CWORD - 2]}} ;;
    esac
    ((COMP_CWORD == 1)) || [[ \" $verbs \" != *\" ${{COMP_WORDS[1]}} \"* ]] || verb=${{COMP_WORDS[1]}}
    prev=${{prev/#--/-}}
    case $verb in
{cases}    esac
    [[ $cur != --* ]] || dashes=--
    if [[ -n $values ]]; then
        case $values in
            text) ;;
            -W*) COMPREPLY=($(compgen -W \"${{values#-W }}\" -- \"$cur\")) ;;
            *) compopt -o filenames; mapfile -t COMPREPLY < <(compgen $values -- \"$cur\") ;;
        esac
    elif [[ $prev == -o ]]; then
        local done=${{cur%\"${{cur##*,}}\"}}
        compopt -o nospace
        COMPREPLY=($(compgen -P \"$done\" -W \"$options\" -- \"${{cur##*,}}\"))
    elif [[ $cur == -* ]]; then
        cur=${{cur#-}}
        COMPREPLY=($(compgen -P \"$dashes\" -W \"$options\" -- \"${{cur#-}}\"))
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen $operands -- \"$cur\")
        ((COMP_CWORD > 1)) || COMPREPLY+=($(compgen -W \"$verbs\" -- \"$cur\"))
    fi
}}
complete -F _{function} {program}
",
        verbs = verbs.join(" "),
    )
}

/// What is special about one line.
fn case(line: &Line) -> String {
    let options: Vec<&str> = line.options.iter().map(Opt::word).collect();
    let mut values = String::new();
    for option in &line.options {
        if let Some(value) = &option.value {
            let names: Vec<String> = option.words().map(|word| format!("-{word}")).collect();
            let (names, kind) = (names.join(" | "), proposal(&value.kind));
            let _ = writeln!(values, "                {names}) values={kind} ;;");
        }
    }
    format!(
        "        '{verb}')
            options='{options}' operands={operands} dashes={dashes}
            case $prev in
{values}            esac
            ;;
",
        verb = line.verb().unwrap_or_default(),
        options = options.join(" "),
        operands = proposal(&line.operands),
        dashes = line.dashes(),
    )
}

/// Options of `compgen`.
fn proposal(kind: &Kind) -> String {
    match kind {
        Kind::File => "-f".to_owned(),
        Kind::Dir => "-d".to_owned(),
        Kind::Program => "-c".to_owned(),
        Kind::OneOf(words) => format!("'-W {}'", words.join(" ")),
        Kind::Text => "text".to_owned(),
    }
}
