//! Files that are open but have no name any more: everything works as long as they are open.

use super::Session;
use rustix::fs::{self as unix, FallocateFlags, SeekFrom, Timespec, Timestamps, XattrFlags};
use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};

fn open_unlinked(session: &Session) -> File {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let file = options.open(session.join("file")).unwrap();
    file.write_all_at(b"content", 0).unwrap();
    fs::remove_file(session.join("file")).unwrap();
    file
}

#[test]
fn an_unlinked_file_is_read_and_written() {
    let session = Session::new();
    let file = open_unlinked(&session);
    assert!(session.encrypted().is_empty());
    file.write_all_at(b"more", 10_000).unwrap();
    let mut buffer = [0; 7];
    file.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"content");
    file.set_len(5000).unwrap();
    unix::fallocate(&file, FallocateFlags::empty(), 0, 6000).unwrap();
    assert_eq!(unix::seek(&file, SeekFrom::Hole(0)), Ok(6000));
    let found = file.metadata().unwrap();
    assert_eq!((found.len(), found.nlink()), (6000, 0));
}

#[test]
fn an_unlinked_file_can_be_synced() {
    let session = Session::new();
    let file = open_unlinked(&session);
    file.sync_all().unwrap();
    file.sync_data().unwrap();
}

#[test]
fn the_attributes_of_an_unlinked_file_change() {
    let session = Session::new();
    let file = open_unlinked(&session);
    file.set_permissions(Permissions::from_mode(0o640)).unwrap();
    let time = Timespec {
        tv_sec: 1,
        tv_nsec: 2,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    unix::futimens(&file, &times).unwrap();
    let found = file.metadata().unwrap();
    assert_eq!(found.mode() & 0o7777, 0o640);
    assert_eq!((found.mtime(), found.mtime_nsec()), (1, 2));
}

#[test]
fn an_unlinked_file_has_extended_attributes() {
    let session = Session::new();
    let file = open_unlinked(&session);
    unix::fsetxattr(&file, "user.name", b"value", XattrFlags::empty()).unwrap();
    let mut buffer = [0; 64];
    let len = unix::fgetxattr(&file, "user.name", &mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"value");
    let len = unix::flistxattr(&file, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"user.name\0");
    unix::fremovexattr(&file, "user.name").unwrap();
}

#[test]
fn an_unlinked_file_can_be_opened_again_through_its_handle() {
    let session = Session::new();
    let file = open_unlinked(&session);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    assert_eq!(fs::read(path).unwrap(), b"content");
}

#[test]
fn a_replaced_file_lives_on_in_its_handle() {
    let session = Session::new();
    fs::write(session.join("file"), "old").unwrap();
    let old = File::open(session.join("file")).unwrap();
    fs::write(session.join("new"), "new").unwrap();
    fs::rename(session.join("new"), session.join("file")).unwrap();
    let mut buffer = [0; 3];
    old.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"old");
    old.sync_all().unwrap();
    assert_eq!(fs::read(session.join("file")).unwrap(), b"new");
}
