//! Files and directories whose own owner lacks permissions, for a program that obeys them.

use super::Session;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

fn session() -> Session {
    let program = Program::ours_obeying_permissions();
    let vault = Vault::new(&program, &ALL_FEATURES[0]);
    Session::mount(vault, &program, &[])
}

fn set_mode(path: &Path, bits: u32) {
    fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_file_without_read_permission_can_be_written() {
    let session = session();
    let path = session.join("file");
    fs::write(&path, "12345").unwrap();
    set_mode(&path, 0o200);
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"x", 2).unwrap();
    drop(file);
    assert_eq!(mode(&path), 0o200);
    assert_eq!(fs::read(&path).unwrap_err().raw_os_error(), Some(13));
    set_mode(&path, 0o600);
    assert_eq!(fs::read(&path).unwrap(), b"12x45");
}

#[test]
fn a_file_without_read_permission_can_be_truncated() {
    let session = session();
    let path = session.join("file");
    fs::write(&path, "12345").unwrap();
    set_mode(&path, 0o200);
    fs::write(&path, "other").unwrap();
    assert_eq!(mode(&path), 0o200);
    set_mode(&path, 0o400);
    assert_eq!(fs::read(&path).unwrap(), b"other");
}

#[test]
fn a_file_without_permissions_stays_closed() {
    let session = session();
    let path = session.join("file");
    fs::write(&path, "12345").unwrap();
    set_mode(&path, 0o000);
    for options in [File::options().read(true), File::options().write(true)] {
        assert!(options.open(&path).is_err());
    }
    assert_eq!(mode(&path), 0);
    set_mode(&path, 0o400);
    assert!(File::options().write(true).open(&path).is_err());
    assert_eq!(mode(&path), 0o400);
}

#[test]
fn a_new_file_may_lack_permissions() {
    let session = session();
    for bits in [0, 0o200, 0o400] {
        let path = session.join(format!("{bits:o}"));
        let mut options = File::options();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, bits);
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        file.write_all_at(b"content", 0).unwrap();
        file.write_all_at(b"x", 3).unwrap();
        assert_eq!(mode(&path), bits);
    }
}

#[test]
fn a_directory_without_permissions_can_be_made_and_removed() {
    let session = session();
    for bits in [0, 0o200, 0o500] {
        for name in ["d".to_owned(), "d".repeat(200)] {
            let path = session.join(name);
            fs::DirBuilder::new().mode(bits).create(&path).unwrap();
            assert_eq!(mode(&path), bits);
            fs::remove_dir(&path).unwrap();
        }
    }
    assert!(session.encrypted().is_empty());
}

#[test]
fn an_unreadable_directory_is_not_listed() {
    let session = session();
    let path = session.join("dir");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "").unwrap();
    set_mode(&path, 0o000);
    assert_eq!(fs::read_dir(&path).unwrap_err().raw_os_error(), Some(13));
    set_mode(&path, 0o700);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
}

#[test]
fn a_directory_that_is_not_empty_keeps_its_mode() {
    let session = session();
    let path = session.join("dir");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "").unwrap();
    for bits in [0, 0o500, 0o755] {
        set_mode(&path, bits);
        let error = fs::remove_dir(&path).unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(39 | 17)), "{error}");
        assert_eq!(mode(&path), bits);
    }
}
