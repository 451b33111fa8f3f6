//! A full disk: what was there before still reads.

use super::Session;
use crate::support::disk::{Disk, Kind};
use crate::support::program::Program;
use crate::support::tree::pattern;
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

fn fill(kind: Kind, options: &[&str]) {
    let what = format!("a full {kind:?}");
    let Some(disk) = Disk::with_options(kind, &what, options) else {
        return;
    };
    let ours = Program::ours();
    let vault = Vault::new_in(&disk.path(), &ours, &ALL_FEATURES[0]);
    let session = Session::mount(vault, &ours, &[]);
    let old = pattern(50_000);
    fs::write(session.join("old"), &old).unwrap();
    let big = File::create(session.join("big")).unwrap();
    let chunk = pattern(1_000_000);
    let mut at = 0;
    let error = loop {
        match big.write_at(&chunk, at) {
            Ok(written) => at += written as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(error.raw_os_error(), Some(28), "{kind:?}: {error}");
    // the part of the last write that did not fit is not there, or it reads
    assert!(fs::read(session.join("old")).unwrap() == old);
    let found = fs::read(session.join("big")).unwrap();
    let whole = usize::try_from(at).unwrap() / chunk.len();
    assert!(found.len() >= whole * chunk.len());
    assert!(
        found
            .chunks(chunk.len())
            .all(|part| *part == chunk[..part.len()])
    );
    let small = fs::write(session.join("small"), "x");
    assert!(small.is_ok() || small.is_err_and(|error| error.raw_os_error() == Some(28)));
    drop(big);
    fs::remove_file(session.join("big")).unwrap();
    fs::write(session.join("after"), &old).unwrap();
    let session = session.again(&[]);
    assert!(fs::read(session.join("after")).unwrap() == old);
}

#[test]
fn a_full_tmpfs_keeps_what_it_has() {
    fill(Kind::Tmpfs, &["-o", "size=8m"]);
}

#[test]
fn a_full_ext4_keeps_what_it_has() {
    fill(Kind::Ext4, &["-b", "4096"]);
}

#[test]
fn a_full_btrfs_keeps_what_it_has() {
    fill(Kind::Btrfs, &[]);
}

#[test]
fn a_full_xfs_keeps_what_it_has() {
    fill(Kind::Xfs, &[]);
}

#[test]
fn overwriting_on_a_full_disk_damages_nothing() {
    let what = "overwriting on a full disk";
    let Some(disk) = Disk::with_options(Kind::Tmpfs, what, &["-o", "size=4m"]) else {
        return;
    };
    let ours = Program::ours();
    let vault = Vault::new_in(&disk.path(), &ours, &ALL_FEATURES[0]);
    let session = Session::mount(vault, &ours, &[]);
    let data = pattern(40_000);
    fs::write(session.join("file"), &data).unwrap();
    let _ = fs::write(disk.path().join("filler"), vec![0; 8_000_000]);
    let file = File::options()
        .write(true)
        .open(session.join("file"))
        .unwrap();
    file.write_all_at(&data[5000..20_000], 5000).unwrap();
    let past = file.write_at(&data, 40_000);
    assert_eq!(past.unwrap_err().raw_os_error(), Some(28));
    drop(file);
    let session = session.again(&[]);
    assert!(fs::read(session.join("file")).unwrap() == data);
}
