//! A full disk, where crumbs of space turn up now and then so that every operation may run out of
//! it half way: every byte that was there is there still, or is the one that was asked for.

use super::{Ground, WHOLE, bytes, copy};
use crate::support::disk::Kind;
use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::skip::skip;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx, sync};
use rustix::io::Errno;
use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;

const SIZE: usize = 400_000;
const CRUMBS: usize = 300;

/// Small files beside the vault, to be removed one by one.
fn make_crumbs(ground: &Ground, chance: &mut Random) -> Vec<PathBuf> {
    let name = |number| ground.disk.path().join(format!("crumb {number}"));
    let crumbs: Vec<_> = (0..CRUMBS).map(name).collect();
    for crumb in &crumbs {
        let size = *chance.pick(&[4096, 4096, 8192, 12_288, 40_960]);
        fs::write(crumb, vec![0x33; size]).unwrap();
    }
    sync();
    crumbs
}

/// Takes all space that is left, in pieces down to one byte.
fn fill(ground: &Ground) -> bool {
    let file = File::create(ground.disk.path().join("filler")).unwrap();
    let mut at = 0;
    for len in [1 << 24, 1 << 16, 4096, 1] {
        let piece = vec![0x55; len];
        while let Ok(written) = file.write_at(&piece, at) {
            at += written as u64;
        }
        let _ = file.sync_all();
    }
    at > 0
}

/// What a file holds now: the kernel does not ask again by itself after a copy that failed.
fn read(ground: &Ground, name: &str) -> Vec<u8> {
    let force = AtFlags::STATX_FORCE_SYNC;
    statx(CWD, ground.join(name), force, StatxFlags::BASIC_STATS).unwrap();
    ground.read(name)
}

/// Runs `btrfs` on the disk; what it says, if it succeeds.
fn btrfs(ground: &Ground, args: &[&str]) -> Option<String> {
    let mut btrfs = Command::new("btrfs");
    let output = btrfs.args(args).arg(ground.disk.path()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(said)
}

/// Allows the disk little more than it has given away.
fn limit(ground: &Ground) -> bool {
    let limited = || {
        btrfs(ground, &["quota", "enable"])?;
        btrfs(ground, &["quota", "rescan", "-w"])?;
        let shown = btrfs(ground, &["qgroup", "show", "--raw"])?;
        let row = shown.lines().find(|line| line.starts_with("0/5"))?;
        let used: u64 = row.split_whitespace().nth(1)?.parse().ok()?;
        btrfs(ground, &["qgroup", "limit", &(used + 300_000).to_string()])
    };
    limited().is_some()
}

/// Ends all want of space.
fn free(ground: &Ground) {
    let _ = fs::remove_file(ground.disk.path().join("filler"));
    btrfs(ground, &["quota", "disable"]);
}

/// The errno of an operation that failed; only for want of space it may.
fn ran_out(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    assert!(
        matches!(errno, Some(Errno::NOSPC | Errno::DQUOT)),
        "{error}"
    );
    true
}

/// One operation on a file that holds `before`; what it shall hold then, and whether it failed.
fn step(source: &File, target: &File, before: &[u8], chance: &mut Random) -> (Vec<u8>, bool) {
    let at = chance.below(90) * 4096 + *chance.pick(&[0, 0, 1, 4000]);
    let len = *chance.pick(&[1, 4096, 5000, 40_000, 40_960, SIZE]);
    let mut after = before.to_vec();
    let failed = match chance.below(5) {
        0 => {
            let size = at.min(before.len());
            after.truncate(size);
            target.set_len(size as u64)
        }
        1 | 2 => {
            let data = bytes(9, len.min(200_000));
            after.resize(after.len().max(at + data.len()), 0);
            after[at..at + data.len()].copy_from_slice(&data);
            target.write_all_at(&data, at as u64)
        }
        _ => {
            let end = (at + len).min(SIZE);
            after.resize(after.len().max(end), 0);
            after[at..end].copy_from_slice(&bytes(1, SIZE)[at..end]);
            let copied = copy(source, target, at as u64, at as u64, len as u64);
            copied.map(|_| ()).map_err(io::Error::from)
        }
    };
    (after, failed.is_err_and(|error| ran_out(&error)))
}

/// Whether each byte is that of one of the two, or a zero of growth.
fn is_mixed(found: &[u8], before: &[u8], after: &[u8]) -> bool {
    let at = |content: &[u8], at| content.get(at).copied().unwrap_or(0);
    let mut found = found.iter().enumerate();
    found.all(|(i, &byte)| byte == at(before, i) || byte == at(after, i))
}

/// Operations of all kinds; returns how many failed.
fn work(ground: &Ground, mut crumbs: Vec<PathBuf>, chance: &mut Random) -> usize {
    let source = ground.open("source");
    let mut failures = 0;
    let steps = env::var("OPS").map_or(CRUMBS, |ops| ops.parse().unwrap());
    for number in 0..steps {
        if let (0, Some(crumb)) = (chance.below(3), crumbs.pop()) {
            fs::remove_file(crumb).unwrap();
            sync();
        }
        let name = format!("target {}", chance.below(6));
        let target = ground.open(&name);
        let before = read(ground, &name);
        let (after, failed) = step(&source, &target, &before, chance);
        let found = read(ground, &name);
        if failed {
            failures += 1;
            let sizes = before.len().min(after.len())..=before.len().max(after.len());
            assert!(sizes.contains(&found.len()), "operation {number}");
            assert!(is_mixed(&found, &before, &after), "operation {number}");
        } else {
            assert!(found == after, "operation {number}");
        }
        assert!(ground.read("source") == bytes(1, SIZE));
    }
    failures
}

/// Works on a disk that `fill` has filled; `false` if that is impossible.
fn run(kind: Kind, what: &str, fill: impl Fn(&Ground) -> bool) {
    let what = format!("{what} {kind:?}");
    let Some(ground) = Ground::plain(kind, &what) else {
        return;
    };
    let mut chance = Random::new(&what);
    let source = ground.write("source", &bytes(1, SIZE));
    for number in 0..6 {
        let name = format!("target {number}");
        match number % 3 {
            0 => drop(ground.open(&name)),
            1 => drop(ground.write(&name, &bytes(5, 300_000))),
            _ => drop(copy(&source, &ground.open(&name), 0, 0, WHOLE)),
        }
    }
    drop(source);
    let crumbs = make_crumbs(&ground, &mut chance);
    if !fill(&ground) {
        return skip(&what, "it cannot be made");
    }
    let failures = work(&ground, crumbs, &mut chance);
    eprintln!("{what}: {failures} operations failed");
    free(&ground);
    ground.again(&Program::ours(), &[]).finish(&what);
}

#[test]
fn a_full_btrfs_loses_nothing() {
    run(Kind::Btrfs, "a full", fill);
}

#[test]
fn a_full_xfs_loses_nothing() {
    run(Kind::Xfs, "a full", fill);
}

#[test]
fn a_full_ext4_loses_nothing() {
    run(Kind::Ext4, "a full", fill);
}

#[test]
fn a_quota_that_is_used_up_loses_nothing() {
    run(Kind::Btrfs, "a limited", limit);
}
