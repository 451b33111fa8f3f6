//! Configuration files on disk: made, replaced and read without harm.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]

use super::*;
use crate::vault::conf::tests::{REAL, init_flags, made};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

#[test]
fn what_is_created_can_be_read_and_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let file = ConfFile::at(&dir.path().join("c")).unwrap();
    assert_eq!(
        file.read().unwrap_err(),
        ReadError::Os(crate::sys::Errno::NOENT)
    );
    let conf = made(10, init_flags()).unwrap();
    file.create(&conf).unwrap();
    assert_eq!(file.create(&conf), Err(WriteError::Exists));
    assert_eq!(file.read().unwrap().to_json(), conf.to_json());
    let mode = fs::metadata(file.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o400);
}

#[test]
fn replacing_leaves_no_temporary_file_and_respects_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = ConfFile::at(&dir.path().join("c")).unwrap();
    file.create(&made(10, init_flags()).unwrap()).unwrap();
    let second = made(11, init_flags()).unwrap();
    file.replace(&second).unwrap();
    assert_eq!(file.read().unwrap().to_json(), second.to_json());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

    let temporary = fs::File::create(file.temporary_path()).unwrap();
    let third = made(10, init_flags()).unwrap();
    assert_eq!(file.replace(&third), Err(WriteError::TemporaryExists));
    assert_eq!(file.read().unwrap().to_json(), second.to_json());

    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    temporary.set_modified(long_ago).unwrap();
    file.replace(&third).unwrap();
    assert_eq!(file.read().unwrap().to_json(), third.to_json());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_backup_survives_the_replacement_and_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let file = ConfFile::at(&dir.path().join("c")).unwrap();
    let first = made(10, init_flags()).unwrap();
    file.create(&first).unwrap();
    file.back_up().unwrap();
    file.replace(&made(10, init_flags()).unwrap()).unwrap();
    assert_eq!(fs::read(file.backup_path()).unwrap(), first.to_json());
    assert_eq!(file.back_up(), Err(crate::sys::Errno::EXIST));
}

#[test]
fn only_regular_files_are_read_and_nothing_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| ConfFile::at(&dir.path().join(name)).unwrap();
    let here = crate::sys::Dir::open(dir.path()).unwrap();
    here.mknod("pipe".as_ref(), 0o010_600, 0).unwrap();
    here.mkdir("dir".as_ref(), 0o700).unwrap();
    symlink("/dev/zero", dir.path().join("zero")).unwrap();
    symlink("missing", dir.path().join("dangling")).unwrap();
    for name in ["pipe", "dir", "zero"] {
        assert_eq!(
            at(name).read().unwrap_err(),
            ReadError::NotRegular,
            "{name}"
        );
    }
    let missing = ReadError::Os(crate::sys::Errno::NOENT);
    assert_eq!(at("dangling").read().unwrap_err(), missing);
    fs::write(dir.path().join("big"), vec![b' '; (1 << 20) + 1]).unwrap();
    assert_eq!(at("big").read().unwrap_err(), ReadError::TooLarge);
}

#[test]
fn a_file_behind_a_symlink_is_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("real"), REAL).unwrap();
    symlink("real", dir.path().join("link")).unwrap();
    let file = ConfFile::at(&dir.path().join("link")).unwrap();
    assert_eq!(file.read().unwrap().creator(), "gocryptfs 2.3");
}
