//! Fifos, sockets and devices: only their names are encrypted.

use super::Session;
use crate::support::skip::is_root;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

fn make(path: &Path, kind: FileType, device: u64) {
    mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device).unwrap();
}

#[test]
fn a_fifo_carries_data() {
    let session = Session::new();
    for name in ["fifo".to_owned(), "f".repeat(200)] {
        let path = session.join(&name);
        make(&path, FileType::Fifo, 0);
        let writer = path.clone();
        let thread = thread::spawn(move || fs::write(writer, "through the fifo").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"through the fifo");
        thread.join().unwrap();
        assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_socket_can_be_bound_and_reached() {
    let session = Session::new();
    let listener = UnixListener::bind(session.join("socket")).unwrap();
    let mut near = UnixStream::connect(session.join("socket")).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    near.write_all(b"hello").unwrap();
    drop(near);
    let mut text = String::new();
    far.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn devices_keep_their_numbers() {
    if !is_root("devices") {
        return;
    }
    let session = Session::new();
    let (null, disk) = (makedev(1, 3), makedev(7, 200));
    make(&session.join("null"), FileType::CharacterDevice, null);
    make(&session.join("disk"), FileType::BlockDevice, disk);
    make(&session.join("whiteout"), FileType::CharacterDevice, 0);
    let session = session.again(&[]);
    let found = |name| fs::metadata(session.join(name)).unwrap();
    assert!(found("null").file_type().is_char_device());
    assert_eq!(found("null").rdev(), null);
    assert!(found("disk").file_type().is_block_device());
    assert_eq!(found("disk").rdev(), disk);
    assert_eq!(found("whiteout").rdev(), 0);
    let refused = fs::read(session.join("null")).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(13));
}

#[test]
fn devices_work_where_they_are_allowed() {
    if !is_root("devices") {
        return;
    }
    let session = Session::with("aes-gcm", &["-dev"]);
    make(
        &session.join("null"),
        FileType::CharacterDevice,
        makedev(1, 3),
    );
    assert_eq!(fs::read(session.join("null")).unwrap(), b"");
}

#[test]
fn mknod_makes_a_regular_file() {
    let session = Session::new();
    make(&session.join("file"), FileType::RegularFile, 0);
    fs::write(session.join("file"), "content").unwrap();
    assert_eq!(fs::read(session.join("file")).unwrap(), b"content");
}
