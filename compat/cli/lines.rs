//! Command lines that end without a mount, each run by both programs in a fresh folder.

use super::desk::Desk;
use crate::support::program::Program;
use alike::ALIKE;
use different::DIFFERENT;
use std::collections::BTreeSet;

mod alike;
mod different;

/// Command line, stdin, exit code, and a text in what is said.
type Line = (&'static str, &'static str, i32, &'static str);

fn check(program: &Program, line: &str, input: &str, code: i32, text: &str) -> Vec<String> {
    let answer = Desk::new().run(program, line, &typed(input));
    if answer.code == Some(code) && answer.says(text) {
        return Vec::new();
    }
    vec![format!(
        "{program} {line}: wanted {code} and {text:?}, got {answer:#?}"
    )]
}

/// What is typed for `input`, in which `<N>` stands for that many letters.
fn typed(input: &str) -> Vec<u8> {
    let count = input
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    match count.map(str::parse) {
        Some(Ok(count)) => vec![b'x'; count],
        _ => input.as_bytes().to_vec(),
    }
}

/// Lines at least, repetitions and those that mount not counted.
const ENOUGH: usize = 250;

#[test]
fn there_are_enough_command_lines() {
    let alike = ALIKE.iter().map(|(line, input, ..)| (line, input));
    let different = DIFFERENT.iter().map(|(line, input, ..)| (line, input));
    let lines: BTreeSet<_> = alike.chain(different).collect();
    assert!(lines.len() >= ENOUGH, "{}", lines.len());
}

#[test]
fn command_lines_end_as_documented() {
    let ours = Program::ours();
    let alike = ALIKE.iter();
    let mut wrong: Vec<String> = alike
        .flat_map(|(line, input, code, text)| check(&ours, line, input, *code, text))
        .collect();
    for (line, input, code, text, _, _) in DIFFERENT {
        wrong.extend(check(&ours, line, input, *code, text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn command_lines_end_as_with_the_go_program() {
    let Some(go) = Program::go("command lines") else {
        return;
    };
    let alike = ALIKE.iter();
    let mut wrong: Vec<String> = alike
        .flat_map(|(line, input, code, text)| check(&go, line, input, *code, text))
        .collect();
    for (line, input, _, _, code, _) in DIFFERENT {
        wrong.extend(check(&go, line, input, *code, ""));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
