//! Volumes with a configuration file: made by either program, shown by both.

use super::{each, fill, view};
use crate::golden::assert_same;
use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::{PASSWORD, Program, said};
use crate::support::tree::Limits;
use crate::support::vault::Vault;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

/// Runs to the end with some lines on standard input.
fn run(program: &Program, args: &[&str], dir: &Path, input: &[u8]) -> (Option<i32>, String) {
    let mut command = program.command();
    let command = command.args(args).arg(dir).stdin(Stdio::piped());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), said(&output))
}

/// `-init`, for a mount without anything else.
fn init(maker: &Program, dir: &Path, options: &[&str]) {
    let args = [&["-init", "-q", "-reverse", "-scryptn", "10"], options].concat();
    let (code, text) = run(maker, &args, dir, &PASSWORD.repeat(2));
    assert_eq!(code, Some(0), "{options:?}: {text}");
}

#[test]
fn either_makes_volumes_for_the_other_and_changes_their_password() {
    let Some(go) = Program::go("reverse volumes of both") else {
        return;
    };
    let ours = Program::ours();
    for (maker, other) in [(&ours, &go), (&go, &ours)] {
        let plain = Vault::empty(&["-reverse"]);
        fs::write(plain.dir.join("file"), "content").unwrap();
        init(maker, &plain.dir, &[]);
        assert!(!plain.dir.join("gocryptfs.diriv").exists());
        let again = ["-init", "-q", "-reverse", "-scryptn", "10"];
        let (code, _) = run(maker, &again, &plain.dir, &PASSWORD.repeat(2));
        assert_eq!(code, Some(7), "nothing is overwritten");
        let (_, text) = run(other, &["-info", "-reverse"], &plain.dir, b"");
        let flags = "HKDF GCMIV128 DirIV EMENames LongNames Raw64 AESSIV";
        assert!(text.contains(flags), "{text}");
        let passwd = ["-passwd", "-q", "-reverse", "-scryptn", "10"];
        let (code, text) = run(other, &passwd, &plain.dir, b"test\nnew\n");
        assert_eq!(code, Some(0), "{text}");
        let (code, text) = run(maker, &passwd, &plain.dir, b"new\ntest\n");
        assert_eq!(code, Some(0), "{text}");
        let views = [maker, other].map(|program| {
            let mount = Mount::new(program, &plain, &[]);
            let text = digest(&mount.path()).unwrap();
            mount.unmount();
            text
        });
        assert_same(&views[0], &views[1], &format!("made by {maker}"));
        assert!(views[0].contains("gocryptfs.conf f 0400 1 "));
    }
}

/// The options for making volumes of every kind.
const KINDS: [&[&str]; 5] = [
    &[],
    &["-plaintextnames"],
    &["-deterministic-names"],
    &["-longnamemax", "62"],
    &["-deterministic-names", "-longnamemax", "100"],
];

#[test]
fn volumes_of_every_kind_look_the_same_in_both() {
    let Some(go) = Program::go("reverse volumes of every kind") else {
        return;
    };
    let ours = Program::ours();
    each(&KINDS, |options| {
        for maker in [&go, &ours] {
            let plain = Vault::empty(&["-reverse"]);
            fill(&plain.dir, Limits::NONE);
            init(maker, &plain.dir, options);
            let wanted = view(&go, &plain, &[]);
            let found = view(&ours, &plain, &[]);
            assert_same(&wanted, &found, &format!("{options:?} by {maker}"));
            assert!(found.contains("\ngocryptfs.conf "));
        }
        String::new()
    });
}

#[test]
fn a_configuration_elsewhere_leaves_the_usual_one_an_ordinary_file() {
    let Some(go) = Program::go("a configuration file elsewhere") else {
        return;
    };
    let mut plain = Vault::empty(&["-reverse"]);
    fs::write(plain.dir.join("file"), "content").unwrap();
    let conf = tempfile::tempdir().unwrap();
    let conf = conf.path().join("conf");
    let at = ["-config", conf.to_str().unwrap()];
    init(&Program::ours(), &plain.dir, &at);
    assert!(!plain.dir.join(".gocryptfs.reverse.conf").exists());
    fs::write(plain.dir.join(".gocryptfs.reverse.conf"), "a file").unwrap();
    plain.options.extend(at.map(str::to_owned));
    let wanted = view(&go, &plain, &[]);
    let found = view(&Program::ours(), &plain, &[]);
    assert_same(&wanted, &found, "-config");
    assert!(!found.contains("gocryptfs.conf"), "{found}");
}

#[test]
fn a_view_cannot_be_checked_and_what_is_wrong_with_exclusions_has_its_own_code() {
    let plain = Vault::empty(&[]);
    let dir = plain.dir.to_str().unwrap();
    let point = tempfile::tempdir().unwrap();
    let point = point.path().to_str().unwrap();
    let code = |args: &[&str]| {
        let args = [args, &[dir, point]].concat();
        Program::ours().run(&args).status.code()
    };
    let reverse = ["-fg", "-zerokey", "-reverse"];
    let missing = ["-exclude-from", "/nonexistent"];
    assert_eq!(code(&[&reverse[..], &missing].concat()), Some(29));
    assert_eq!(code(&["-fg", "-zerokey", "-exclude", "x"]), Some(29));
    assert_eq!(code(&[&reverse[..], &["-xchacha"]].concat()), Some(1));
    let fsck = Program::ours().run(&["-fsck", "-reverse", dir]);
    assert_eq!(fsck.status.code(), Some(1));
}
