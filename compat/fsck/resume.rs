//! Interrupting a check and going on with it.

use super::{broken, check, lines};
use crate::support::program::{PASSWORD, Program, said};
use crate::support::vault::{ALL_FEATURES, Vault};
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Secret};
use gocryptfs_rs::format::{NameParams, Params};
use gocryptfs_rs::fsck::{Check, Checkpoint, Finding, Options, Totals};
use gocryptfs_rs::vault;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use tempfile::TempDir;

/// A volume of directories in directories with files in them that are all damaged, one of them
/// large.
fn damaged_tree() -> TempDir {
    let dir = TempDir::new().unwrap();
    fill(dir.path(), 0);
    let large = File::create(dir.path().join("large")).unwrap();
    large.write_all_at(&[0, 2, 1], 0).unwrap();
    large.set_len(40 << 20).unwrap();
    for megabyte in 0..40 {
        large
            .write_all_at(&[7], (megabyte << 20) + 500_000)
            .unwrap();
    }
    dir
}

fn fill(dir: &Path, depth: usize) {
    for file in 0..5 {
        fs::write(dir.join(format!("file{file}")), "no header").unwrap();
        let inner = dir.join(format!("dir{file}"));
        if depth < 2 && file < 3 {
            fs::create_dir(&inner).unwrap();
            fill(&inner, depth + 1);
        }
    }
}

fn options(threads: usize, resume: Option<Checkpoint>) -> Options {
    Options {
        threads: NonZeroUsize::new(threads).unwrap(),
        clones: false,
        starts: Vec::new(),
        resume,
    }
}

fn open(dir: &Path) -> vault::Vault {
    let params = Params {
        content: ContentSuite::AesGcm,
        names: NameParams::Plain,
        padded: false,
        hkdf: true,
    };
    let how = vault::Options {
        preallocate: true,
        shared_storage: true,
    };
    vault::Vault::open(dir, &params, &MasterKey(Secret::new([0; 32])), how).unwrap()
}

type Found = BTreeSet<(PathBuf, String)>;

fn note(found: &Mutex<Found>, finding: &Finding) -> usize {
    let mut found = found.lock().unwrap();
    found.insert((finding.path.clone(), finding.damage.to_string()));
    found.len()
}

/// Checks in steps: each is interrupted after `step` new findings.
fn in_steps(vault: &vault::Vault, threads: usize, step: usize) -> (Found, Totals) {
    let found = Mutex::default();
    let mut resume = None;
    for round in 1.. {
        let check = Check::new(vault, options(threads, resume));
        let totals = check.run(&|finding| {
            if note(&found, &finding) >= round * step {
                check.stop();
            }
        });
        if !check.is_stopped() {
            return (found.into_inner().unwrap(), totals);
        }
        resume = Some(check.checkpoint());
    }
    unreachable!()
}

#[test]
fn an_interrupted_check_does_what_was_left_and_nothing_twice() {
    let dir = damaged_tree();
    let vault = open(dir.path());
    let whole = in_steps(&vault, 1, usize::MAX);
    // the end of the large file is a hole where none may be
    assert_eq!(whole.0.len(), 5 * 13 + 40 + 1);
    assert_eq!(whole.1.files, 66);
    assert_eq!(whole.1.dirs, 13);
    for threads in [1, 3] {
        for step in [1, 2, 7, 50] {
            let pieces = in_steps(&vault, threads, step);
            assert_eq!(
                pieces, whole,
                "{threads} threads, {step} findings at a time"
            );
        }
    }
}

/// So many findings that the program has to wait for somebody who reads them.
const MANY: usize = 4000;

#[test]
fn a_signal_ends_the_check_and_the_checkpoint_continues_it() {
    let vault = Vault::new(&Program::ours(), &ALL_FEATURES[0]);
    for n in 0..MANY {
        fs::write(vault.dir.join(format!("no name {n}")), "").unwrap();
    }
    let scratch = TempDir::new().unwrap();
    let checkpoint = scratch.path().join("checkpoint");
    let mut command = Program::ours().command();
    command
        .args(["fsck", "--json", "--resume"])
        .args([&checkpoint, &vault.dir]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    stdout.read_line(&mut said).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(11), "{said}");
    let before = said.lines().count() - 1;
    assert!(before < MANY, "it was not interrupted");
    assert!(
        said.ends_with("\"version\":1}\n") || said.contains("\"aborted\""),
        "{said}"
    );
    let output = check(
        &vault,
        &["--json", "--resume", checkpoint.to_str().unwrap()],
        &[],
    );
    assert_eq!(output.status.code(), Some(26));
    let found: BTreeSet<_> = lines(&output).into_iter().collect();
    assert_eq!(found.len(), MANY);
    assert!(!checkpoint.exists(), "the check is complete");
}

#[test]
fn a_checkpoint_is_for_one_volume() {
    let vault = broken("everything");
    let scratch = TempDir::new().unwrap();
    let other = scratch.path().join("notes");
    fs::write(&other, "my notes\n").unwrap();
    let output = check(&vault, &["-q", "--resume", other.to_str().unwrap()], &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(fs::read(&other).unwrap(), b"my notes\n");
    let output = check(&vault, &["-q", "--resume", "x"], &["dir"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}
