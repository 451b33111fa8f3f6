//! New volumes: the same files, flags and modes as the Go program's, for every option.

use super::desk::Desk;
use crate::support::program::Program;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const OPTIONS: &[&str] = &[
    "",
    "-aessiv",
    "-xchacha",
    "-plaintextnames",
    "-plaintextnames -aessiv",
    "-plaintextnames -deterministic-names -longnamemax 100",
    "-deterministic-names",
    "-deterministic-names -xchacha",
    "-longnamemax 62",
    "-longnamemax 0",
    "-longnamemax 255 -aessiv",
    "-longnamemax=254 -deterministic-names",
    "-hkdf=false -raw64=false -longnames=false",
];

/// What a new volume consists of: each file's mode and size, and what -info says of it, apart from
/// who made it. Sizes are those of the Go program's text where only the maker's name differs.
fn made_by(program: &Program, options: &str) -> (BTreeMap<String, (u32, usize)>, Vec<String>) {
    let desk = Desk::new();
    let line = format!("-q -init -scryptn 10 {options} E");
    let answer = desk.run(program, &line, b"test\n");
    assert_eq!(answer.code, Some(0), "{program} {line}: {answer:?}");
    let entries = fs::read_dir(desk.path("E")).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        let content = fs::read(entry.path()).unwrap();
        let creator = content.windows(9).position(|bytes| bytes == b"\"Creator\"");
        let len = match creator {
            Some(at) => {
                at + content[at..]
                    .iter()
                    .skip_while(|byte| **byte != b'\n')
                    .count()
            }
            None => content.len(),
        };
        (entry.file_name().into_string().unwrap(), (mode, len))
    });
    let entries = entries.collect();
    let info = desk.run(program, "-info E", b"");
    let info = info
        .stdout
        .lines()
        .filter(|line| !line.starts_with("Creator:"));
    (entries, info.map(str::to_owned).collect())
}

#[test]
fn new_volumes_are_those_of_the_go_program() {
    let Some(go) = Program::go("new volumes") else {
        return;
    };
    for options in OPTIONS {
        let (ours, theirs) = (made_by(&Program::ours(), options), made_by(&go, options));
        assert_eq!(ours, theirs, "{options}");
    }
}

#[test]
fn each_program_describes_the_volumes_of_the_other() {
    let Some(go) = Program::go("descriptions of volumes") else {
        return;
    };
    let ours = Program::ours();
    for options in OPTIONS {
        for maker in [&ours, &go] {
            let desk = Desk::new();
            let line = format!("-q -init -scryptn 10 {options} E");
            assert_eq!(desk.run(maker, &line, b"test\n").code, Some(0));
            let (a, b) = (
                desk.run(&ours, "-info E", b""),
                desk.run(&go, "-info E", b""),
            );
            assert_eq!((a.code, a.stdout), (b.code, b.stdout), "{maker} {options}");
        }
    }
}

#[test]
fn a_given_master_key_is_the_one_that_is_wrapped() {
    let desk = Desk::new();
    let key = "0123456789abcdef".repeat(4);
    let line = format!("-init -scryptn 10 -masterkey {key} E");
    let answer = desk.run(&Program::ours(), &line, b"test\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let mut xray = std::process::Command::new("gocryptfs-xray");
    let conf = desk.path("E/gocryptfs.conf");
    let xray = xray.arg("-dumpmasterkey").arg(conf);
    let Ok(mut child) = xray
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
    else {
        crate::support::skip::skip("a given master key", "gocryptfs-xray is not installed");
        return;
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"test\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(shown.lines().last(), Some(key.as_str()));
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    for (line, input) in [
        ("-init -scryptn 9 E", "test\n"),
        ("-init -scryptn 10 -aessiv -xchacha E", "test\n"),
        ("-init -scryptn 10 E", "\n"),
        ("-init -scryptn 10 -masterkey 00 E", "test\n"),
    ] {
        let desk = Desk::new();
        assert_ne!(
            desk.run(&Program::ours(), line, input.as_bytes()).code,
            Some(0)
        );
        assert_eq!(fs::read_dir(desk.path("E")).unwrap().count(), 0, "{line}");
    }
}

#[test]
fn a_configuration_file_that_exists_is_never_overwritten() {
    let desk = Desk::new();
    let before = fs::read(desk.path("right")).unwrap();
    let answer = desk.run(
        &Program::ours(),
        "-init -scryptn 10 -config right E",
        b"test\n",
    );
    assert_eq!(answer.code, Some(7), "{answer:?}");
    assert_eq!(fs::read(desk.path("right")).unwrap(), before);
    assert_eq!(fs::read_dir(desk.path("E")).unwrap().count(), 0);
}
