//! Files that are open and have no name any more, or another one.

use super::{CALLER, Fs, NO_CHANGES, ROOT, errno, long, mode, size};
use gocryptfs_rs::vfs::{Changes, OpenFlags, PlainOffset, RenameMode, SetTime, Time, Vfs};
use rustix::io::Errno;

#[test]
fn everything_works_on_an_unlinked_open_file() {
    for name in ["short", &long("n")] {
        let fs = Fs::new();
        let (node, handle) = fs.create(ROOT, name).unwrap();
        fs.view.write(handle, PlainOffset(0), b"content").unwrap();
        fs.view.unlink(ROOT, name.as_ref()).unwrap();
        fs.view.write(handle, PlainOffset(7), b" and more").unwrap();
        assert_eq!(fs.read(handle, 0, 100).unwrap(), b"content and more");
        // The kernel sends all of these without a handle.
        let stat = fs.view.getattr(node, None).unwrap().stat;
        assert_eq!((stat.size, stat.nlink), (16, 0));
        fs.change(node, None, mode(0o640)).unwrap();
        let time = Time { secs: 5, nanos: 6 };
        let times = Changes {
            atime: Some(SetTime::At(time)),
            mtime: Some(SetTime::At(time)),
            ..NO_CHANGES
        };
        let stat = fs.change(node, None, times).unwrap().stat;
        assert_eq!((stat.mode & 0o777, stat.mtime), (0o640, time));
        let attr = "user.x".as_ref();
        fs.view.setxattr(CALLER, node, attr, b"v", 0).unwrap();
        assert_eq!(fs.view.getxattr(node, attr).unwrap(), b"v");
        assert_eq!(fs.view.listxattr(node).unwrap(), [attr]);
        fs.view.removexattr(node, attr).unwrap();
        fs.view.fsync(handle, false).unwrap();
        let again = fs.open(node, OpenFlags::WRONLY).unwrap();
        fs.view.write(again, PlainOffset(0), b"C").unwrap();
        assert_eq!(fs.read(handle, 0, 7).unwrap(), b"Content");
        assert_eq!(
            errno(fs.view.link(node, ROOT, "new".as_ref())).err(),
            Some(Errno::NOENT)
        );
        fs.view.release(handle);
        fs.view.release(again);
        assert_eq!(fs.open(node, OpenFlags::RDONLY), Err(Errno::NOENT));
    }
}

#[test]
fn an_unlinked_file_is_truncated_though_it_is_open_for_reading_only() {
    let fs = Fs::new();
    let node = fs.file(ROOT, "a", b"content");
    let handle = fs.open(node, OpenFlags::RDONLY).unwrap();
    fs.view.unlink(ROOT, "a".as_ref()).unwrap();
    fs.change(node, None, size(3)).unwrap();
    assert_eq!(fs.read(handle, 0, 100).unwrap(), b"con");
}

#[test]
fn a_file_that_was_replaced_is_not_mistaken_for_the_new_one() {
    let fs = Fs::new();
    let (old, handle) = fs.create(ROOT, "a").unwrap();
    fs.view.write(handle, PlainOffset(0), b"old").unwrap();
    let new = fs.file(ROOT, "b", b"new");
    fs.rename("b", "a", RenameMode::Replace).unwrap();
    fs.change(old, None, mode(0o604)).unwrap();
    fs.change(old, None, size(1)).unwrap();
    assert_eq!(fs.read(handle, 0, 9).unwrap(), b"o");
    assert_eq!(fs.content(new).unwrap(), b"new");
    let stat = fs.view.getattr(new, None).unwrap().stat;
    assert_eq!(stat.mode & 0o777, 0o600);
}

#[test]
fn a_file_replaced_from_outside_is_stale_and_the_new_one_untouched() {
    let fs = Fs::new();
    let node = fs.file(ROOT, "a", b"old");
    let stored = fs.stored("a");
    let other = fs.path().join("other");
    std::fs::write(&other, "precious").unwrap();
    std::fs::rename(&other, &stored).unwrap();
    assert_eq!(fs.change(node, None, size(0)).unwrap_err(), Errno::STALE);
    assert_eq!(
        fs.change(node, None, mode(0o777)).unwrap_err(),
        Errno::STALE
    );
    assert_eq!(fs.open(node, OpenFlags::RDWR), Err(Errno::STALE));
    assert_eq!(std::fs::read(&stored).unwrap(), b"precious");
    assert_ne!(fs.lookup(ROOT, "a").unwrap().node, node);
}

#[test]
fn a_file_is_found_by_whichever_name_is_left() {
    let fs = Fs::new();
    let node = fs.file(ROOT, "a", b"content");
    for name in ["b", "c"] {
        fs.view.link(node, ROOT, name.as_ref()).unwrap();
    }
    std::fs::remove_file(fs.stored("c")).unwrap();
    assert_eq!(fs.content(node).unwrap(), b"content");
    fs.change(node, None, size(3)).unwrap();
    std::fs::remove_file(fs.stored("a")).unwrap();
    assert_eq!(fs.content(node).unwrap(), b"con");
}
