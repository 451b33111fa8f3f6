//! Every option is in the man page and in each completion, and the shells take the scripts.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![allow(clippy::print_stderr, reason = "a skip is to be seen")]

use crate::line::{Line, programs};
use crate::{bash, fish, man, zsh};
use std::io::Write;
use std::process::{Command, Stdio};

fn lines() -> Vec<Line> {
    let parsers = gocryptfs_rs::cli::parsers().into_iter();
    parsers.map(Line::new).collect()
}

/// The options that each line must name, straight from the parsers: the line, the words.
fn wanted() -> Vec<(String, Vec<String>)> {
    let words = |parser: &clap::Command| {
        let options = parser.get_arguments().filter(|arg| !arg.is_hide_set());
        options
            .filter_map(|arg| arg.get_long())
            .map(str::to_owned)
            .collect()
    };
    let parsers = gocryptfs_rs::cli::parsers();
    let parsers = parsers.iter();
    parsers
        .map(|parser| (parser.get_name().to_owned(), words(parser)))
        .collect()
}

/// What a shell answers to `input`; `None`, and a skip is reported, if it is not installed.
fn answer(shell: &str, arguments: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new(shell);
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("SKIPPED: {shell} is not installed");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shell}: {errors}\n{input}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What bash proposes behind a command line.
fn proposed_by_bash(program: &str, words: &str) -> Vec<String> {
    let lines = lines();
    let (_, lines) = programs(&lines).find(|(name, _)| *name == program).unwrap();
    let script = bash::script(program, lines);
    let function = program.replace('-', "_");
    let input = format!(
        "compopt() {{ :; }}\n{script}\nCOMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
         _{function}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let answer = answer("bash", &["--norc"], &input).unwrap();
    answer.lines().map(str::to_owned).collect()
}

#[test]
fn every_option_is_in_the_man_page_with_the_dashes_that_people_type() {
    let lines = lines();
    for (line, (name, words)) in lines.iter().zip(wanted()) {
        let page = man::page(line, &lines);
        assert_eq!(line.name, name);
        for word in words {
            let option = format!("{}{word}", line.dashes()).replace('-', "\\-");
            assert!(
                page.contains(&format!("\\fB{option}\\fR")),
                "{name}: {option}"
            );
        }
    }
    assert!(lines.iter().any(|line| line.verb().is_some()));
}

#[test]
fn bash_proposes_every_option_with_one_dash_or_two() {
    for (name, words) in wanted() {
        let program = name.split(' ').next().unwrap();
        for dashes in ["-", "--"] {
            let proposed = proposed_by_bash(program, &format!("{name} {dashes}"));
            for word in &words {
                let one = format!("-{word}");
                let two = format!("--{word}");
                let has = |option| proposed.contains(option);
                assert!(
                    has(&two) || dashes == "-" && has(&one),
                    "{name}: {word}: {proposed:?}"
                );
            }
        }
    }
}

#[test]
fn bash_proposes_values_verbs_and_lists() {
    let proposed = |words| proposed_by_bash("gocryptfs", words);
    assert_eq!(proposed("gocryptfs -allow"), ["-allow_other"]);
    assert_eq!(proposed("gocryptfs --allow"), ["--allow_other"]);
    assert_eq!(proposed("gocryptfs -reflink ''"), ["auto", "never"]);
    assert_eq!(proposed("gocryptfs --reflink = n"), ["never"]);
    assert_eq!(proposed("gocryptfs fsck --bad-blocks z"), ["zero"]);
    assert_eq!(proposed("gocryptfs fsck --rep"), ["--repair"]);
    assert_eq!(proposed("gocryptfs clo"), ["clone"]);
    assert_eq!(proposed("gocryptfs C M -o ro,allow"), ["ro,allow_other"]);
    assert_eq!(
        proposed("gocryptfs -passfile /etc/hostn"),
        ["/etc/hostname"]
    );
    assert_eq!(proposed("gocryptfs /et"), ["/etc"]);
}

#[test]
fn zsh_and_fish_scripts_name_every_option() {
    let lines = lines();
    for (program, of_program) in programs(&lines) {
        let (zsh, fish) = (
            zsh::script(program, of_program),
            fish::script(program, of_program),
        );
        for line in of_program {
            let (_, words) = wanted()
                .into_iter()
                .find(|(name, _)| *name == line.name)
                .unwrap();
            for word in words {
                let plain = format!("\"${{dashes}}{word}\"'[");
                let valued = format!("${{dashes}}{word}=\"'[");
                assert!(zsh.contains(&plain) || zsh.contains(&valued), "zsh: {word}");
                assert!(fish.contains(&format!(" -l {word} -d ")), "fish: {word}");
            }
        }
        answer("zsh", &["-n", "-s"], &zsh);
        answer("fish", &["--no-execute"], &fish);
    }
}

#[test]
fn fish_proposes_options_values_and_verbs() {
    let lines = lines();
    let (program, lines) = programs(&lines).next().unwrap();
    let script = fish::script(program, lines);
    let proposed = |typed: &str| {
        let input = format!("{script}\ncomplete -C '{typed}'\n");
        answer("fish", &["--private"], &input)
    };
    for (typed, wanted) in [
        ("gocryptfs -allow", "-allow_other\tLet other users in"),
        ("gocryptfs C M --reflink=n", "--reflink=never"),
        (
            "gocryptfs fsck --rep",
            "--repair\tMend what can be mended, after asking",
        ),
        ("gocryptfs clo", "clone\t"),
    ] {
        if let Some(answer) = proposed(typed) {
            assert!(answer.starts_with(wanted), "{typed}: {answer}");
        }
    }
}
