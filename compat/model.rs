//! Random operations against a model in memory: whatever the file system answers, the model
//! answers too.
//!
//! `OPS` sets how many operations a test does; `SEED` replays one.

mod direct;
mod memory;
mod mounted;
mod op;

use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::vault::{ALL_FEATURES, Vault};
use direct::Direct;
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Secret};
use gocryptfs_rs::format::{DIRIV_NAME, DirIv, NameParams, Params};
use gocryptfs_rs::forward::{self, Forward};
use gocryptfs_rs::vault;
use memory::Memory;
use mounted::{Files, Mounted};
use op::{Driver, Op, text};
use rustix::io::Errno;
use std::env;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const DEFAULT_OPS: usize = 2000;
/// Operations between two comparisons of everything.
const ROUND: usize = 500;

fn run(subject: &mut impl Driver, test: &str) {
    run_drawn(op::draw, subject, test);
}

/// Does drawn operations; returns what the model then has.
fn run_drawn(draw: fn(&mut Random) -> Op, subject: &mut impl Driver, test: &str) -> Memory {
    let mut chance = Random::new(test);
    let mut model = Memory::new();
    let count = count();
    for number in 1..=count {
        let op = draw(&mut chance);
        if !model.is_too_deep(&op) {
            compare(&mut model, subject, &op, number);
        }
        if number % ROUND == 0 {
            compare_all(&mut model, subject, number);
        }
    }
    model.restart();
    subject.restart();
    compare_all(&mut model, subject, count);
    model
}

/// How many operations a test does.
fn count() -> usize {
    env::var("OPS").map_or(DEFAULT_OPS, |ops| ops.parse().unwrap())
}

/// Copies between files, among other operations on their content; both programs must find the
/// same in the end.
pub(crate) fn run_copies(vault: &Vault, test: &str) {
    let ours = Program::ours();
    let mut model = run_drawn(op::draw_copies, &mut Mounted::new(&ours, vault), test);
    if let Some(go) = Program::go(test) {
        let mut by_go = Mounted::new(&go, vault);
        for path in model.paths() {
            compare_ops(&mut model, &mut by_go, looks(path), count());
        }
        vault.assert_clean(&go);
    }
}

fn compare(model: &mut Memory, subject: &mut impl Driver, op: &Op, number: usize) {
    let wanted = model.apply(op);
    let found = match subject.apply(op) {
        // xfs says so of a directory that is not empty
        Err(Errno::EXIST) if wanted == Err(Errno::NOTEMPTY) => Err(Errno::NOTEMPTY),
        other => other,
    };
    let [op, wanted_text, found_text] = [brief(op), brief(&wanted), brief(&found)];
    assert!(
        wanted == found,
        "operation {number}, {op}:\nwanted {wanted_text}\nfound  {found_text}"
    );
}

fn brief(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let mut brief: String = text.chars().take(400).collect();
    if brief.len() < text.len() {
        brief += "...";
    }
    brief
}

/// Compares every entry that the model has, whole.
fn compare_all(model: &mut Memory, subject: &mut impl Driver, number: usize) {
    for path in model.paths() {
        compare_ops(model, subject, looks(path.clone()), number);
        // the Go program shows data behind the end of some files that end in a hole
        let segments = [
            Op::Open { path, slot: 0 },
            Op::ReadSegments { slot: 0 },
            Op::Close { slot: 0 },
        ];
        compare_ops(model, subject, segments, number);
    }
}

/// What there is to see of an entry.
fn looks(path: op::Path) -> [Op; 7] {
    [
        Op::Stat { path: path.clone() },
        Op::Readlink { path: path.clone() },
        Op::List { path: path.clone() },
        Op::ListXattrs { path: path.clone() },
        Op::Open { path, slot: 0 },
        Op::Read {
            slot: 0,
            offset: 0,
            len: 1 << 20,
        },
        Op::Close { slot: 0 },
    ]
}

fn compare_ops(
    model: &mut Memory,
    subject: &mut impl Driver,
    ops: impl IntoIterator<Item = Op>,
    number: usize,
) {
    for op in ops {
        compare(model, subject, &op, number);
    }
}

/// Does random operations below `root`, whatever comes of them, but no failure of the file system.
pub(crate) fn scribble(root: &Path, chance: &mut Random, count: usize) {
    let mut driver = Files::new(root.to_owned());
    for _ in 0..count {
        let op = op::draw(chance);
        // the Go program loses the long name of a directory that another one replaces
        if let Op::Rename { to, .. } = &op
            && root.join(text(to)).is_dir()
        {
            continue;
        }
        let outcome = driver.apply(&op);
        let is_failure = matches!(outcome, Err(Errno::IO | Errno::NOSYS | Errno::BADMSG));
        assert!(!is_failure, "{}: {outcome:?}", brief(&op));
    }
}

fn run_mounted(name: &str) {
    let features = ALL_FEATURES.iter().find(|features| features.name == name);
    let ours = Program::ours();
    let vault = Vault::new(&ours, features.unwrap());
    run(&mut Mounted::new(&ours, &vault), name);
    if let Some(go) = Program::go("the check after the model test") {
        vault.assert_clean(&go);
    }
}

#[test]
fn a_mounted_aes_gcm_vault_behaves_as_the_model() {
    run_mounted("aes-gcm");
}

#[test]
fn a_mounted_aessiv_vault_behaves_as_the_model() {
    run_mounted("aessiv");
}

#[test]
fn a_mounted_xchacha_vault_behaves_as_the_model() {
    run_mounted("xchacha");
}

#[test]
fn a_mounted_plaintextnames_vault_behaves_as_the_model() {
    run_mounted("plaintextnames");
}

#[test]
fn a_mounted_vault_with_hashed_names_behaves_as_the_model() {
    run_mounted("longnamemax-62");
}

/// Without a mount: a vault with a key of zeros, on the temporary file system.
fn run_direct(content: ContentSuite, names: NameParams, test: &str) {
    let dir = TempDir::new().unwrap();
    if let NameParams::Encrypted { dir_iv: true, .. } = names {
        fs::write(dir.path().join(DIRIV_NAME), DirIv::random().0).unwrap();
    }
    let params = Params {
        content,
        names,
        padded: false,
        hkdf: true,
    };
    let open = || {
        let key = MasterKey(Secret::new([0; 32]));
        let options = vault::Options {
            preallocate: true,
            shared_storage: false,
        };
        let vault = vault::Vault::open(dir.path(), &params, &key, options).unwrap();
        Forward::new(vault, forward::Options::default()).unwrap()
    };
    run(&mut Direct::new(open), test);
}

const NAMES: NameParams = NameParams::Encrypted {
    long_limit: Some(255),
    dir_iv: true,
};

#[test]
fn an_aes_gcm_vfs_behaves_as_the_model() {
    run_direct(ContentSuite::AesGcm, NAMES, "aes-gcm, direct");
}

#[test]
fn an_aessiv_vfs_with_deterministic_names_behaves_as_the_model() {
    let names = NameParams::Encrypted {
        long_limit: Some(62),
        dir_iv: false,
    };
    run_direct(ContentSuite::AesSiv, names, "aessiv, direct");
}

#[test]
fn an_xchacha_vfs_behaves_as_the_model() {
    run_direct(ContentSuite::XChaCha, NAMES, "xchacha, direct");
}

#[test]
fn a_plaintextnames_vfs_behaves_as_the_model() {
    run_direct(
        ContentSuite::AesGcm,
        NameParams::Plain,
        "plaintextnames, direct",
    );
}
