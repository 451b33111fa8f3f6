//! Subcommands: what they do, their help, and directories that are called like them.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use std::fs;

const VERBS: [&str; 12] = [
    "mount", "init", "passwd", "info", "fsck", "clone", "ls", "cat", "find", "export", "stats",
    "speed",
];

#[test]
fn every_verb_has_help_of_its_own() {
    let (desk, ours) = (Desk::new(), Program::ours());
    for verb in VERBS {
        for option in ["--help", "-help", "-h"] {
            let answer = desk.run(&ours, &format!("{verb} {option} C"), b"");
            assert_eq!(answer.code, Some(0), "{verb}: {answer:?}");
            let usage = format!("Usage: gocryptfs {verb}");
            assert!(answer.stdout.contains(&usage), "{verb}: {answer:?}");
            assert_eq!(answer.stderr, "", "{verb}");
        }
    }
    let of_fsck = desk.run(&ours, "fsck --help", b"").stdout;
    for option in ["--json", "--resume <FILE>", "--repair", "--bad-blocks"] {
        assert!(of_fsck.contains(option), "{of_fsck}");
    }
}

#[test]
fn verbs_do_what_their_switches_do() {
    if !is_root("verbs") {
        return;
    }
    let (desk, ours) = (Desk::new(), Program::ours());
    let run = |line: &str, input: &str| {
        let answer = desk.run(&ours, line, input.as_bytes());
        assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
        answer.stdout
    };
    let created = run("init -scryptn 10 E", "test\n");
    assert!(created.contains("created successfully."), "{created}");
    assert_eq!(run("info E", ""), run("-info E", ""));
    run("passwd E", "test\nnew\n");
    let checked = run("fsck E", "new\n");
    assert!(checked.contains("no problems found"), "{checked}");
    let point = Point::new(&desk);
    let mounted = run("mount E M -o ro", "new\n");
    assert!(mounted.ends_with("mounted and ready.\n"), "{mounted}");
    assert!(point.shown().unwrap().starts_with("fuse.gocryptfs ro,"));
    point.unmount();
}

#[test]
fn a_directory_called_like_a_verb_is_a_volume() {
    let ours = Program::ours();
    for verb in VERBS {
        let desk = Desk::new();
        fs::rename(desk.path("C"), desk.path(verb)).unwrap();
        let answer = desk.run(&ours, &format!("{verb} M"), b"wrong\n");
        assert_eq!(answer.code, Some(12), "{verb}: {answer:?}");
        let answer = desk.run(&ours, &format!("-info {verb}"), b"");
        assert_eq!(answer.code, Some(0), "{verb}: {answer:?}");
    }
}

#[test]
fn speed_has_a_line_for_every_cipher_and_implementation() {
    let answer = Desk::new().run(&Program::ours(), "speed", b"");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert!(lines[0].starts_with("gocryptfs 2."), "{answer:?}");
    assert!(lines[1].starts_with("cpu: "), "{answer:?}");
    for cipher in ["AES-GCM-256-", "AES-SIV-512-", "XChaCha20-Poly1305-"] {
        let rows = lines.iter().filter(|line| line.starts_with(cipher));
        let rows: Vec<Vec<&str>> = rows.map(|row| row.split('\t').collect()).collect();
        let selected = rows.iter().filter(|row| row.len() == 3);
        assert_eq!(selected.count(), 1, "{answer:?}");
        for row in &rows {
            let measured = row[1].strip_suffix(" MB/s").map(str::trim);
            let is_measured = measured.is_some_and(|speed| speed.parse::<f64>().unwrap() > 0.0);
            assert!(is_measured || row[1].trim() == "N/A", "{row:?}");
        }
        assert!(rows.iter().any(|row| row[0].trim_end().ends_with("-Rust")));
    }
}
