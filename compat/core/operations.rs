//! Every operation once, as it should go.

use super::{CALLER, Fs, NO_CHANGES, ROOT, errno, kind, long, mode, size};
use gocryptfs_rs::vfs::{
    Changes, CopyRange, Fallocate, Kind, OpenFlags, PlainOffset, RenameMode, Seek, SetTime, Time,
    Vfs,
};
use rustix::fs::FileType;

fn names() -> [String; 2] {
    ["short".to_owned(), long("n")]
}

#[test]
fn objects_of_every_type_are_made_and_found() {
    for name in names() {
        for kind_wanted in [Kind::File, Kind::Fifo, Kind::Socket] {
            let mut fs = Fs::new();
            let mode = kind_wanted.bits() | 0o640;
            let new = fs.view.mknod(CALLER, ROOT, name.as_ref(), mode, 0).unwrap();
            assert_eq!((kind(&new), new.attr.stat.mode), (kind_wanted, mode));
            fs.restart();
            let found = fs.lookup(ROOT, &name).unwrap();
            assert_eq!(found.attr.ino, new.attr.ino);
            assert_eq!(fs.list(ROOT).unwrap()[0].kind, kind_wanted);
            fs.view.unlink(ROOT, name.as_ref()).unwrap();
            assert_eq!(fs.on_disk().len(), 1, "only the IV is left");
        }
    }
}

#[test]
fn a_directory_and_what_is_in_it_move_together() {
    for name in names() {
        let fs = Fs::new();
        let dir = fs.mkdir(ROOT, &name).unwrap();
        let inner = fs.mkdir(dir, &name).unwrap();
        let file = fs.file(inner, &name, b"content");
        fs.rename(&name, "elsewhere", RenameMode::Replace).unwrap();
        assert_eq!(fs.content(file).unwrap(), b"content");
        assert_eq!(*fs.names(inner).unwrap(), std::slice::from_ref(&name)[..]);
        assert_eq!(fs.node(&format!("elsewhere/{name}/{name}")).unwrap(), file);
        fs.view.unlink(inner, name.as_ref()).unwrap();
        fs.view.rmdir(dir, name.as_ref()).unwrap();
        fs.view.rmdir(ROOT, "elsewhere".as_ref()).unwrap();
        assert_eq!(fs.on_disk().len(), 1);
    }
}

#[test]
fn symlinks_keep_their_targets_and_show_their_lengths() {
    for target in ["t", "/some/where", &"x".repeat(3039)] {
        let fs = Fs::new();
        let name = long("l");
        let made = fs
            .view
            .symlink(CALLER, ROOT, name.as_ref(), target.as_ref())
            .unwrap();
        assert_eq!(made.attr.stat.size, target.len() as u64);
        assert_eq!(fs.view.readlink(made.node).unwrap(), target.as_bytes());
    }
}

#[test]
fn links_share_a_node_until_the_last_is_gone() {
    let fs = Fs::new();
    let node = fs.file(ROOT, &long("a"), b"content");
    let linked = fs.view.link(node, ROOT, long("b").as_ref()).unwrap();
    assert_eq!((linked.node, linked.attr.stat.nlink), (node, 2));
    fs.view.unlink(ROOT, long("a").as_ref()).unwrap();
    assert_eq!(fs.content(node).unwrap(), b"content");
    assert_eq!(fs.view.getattr(node, None).unwrap().stat.nlink, 1);
    assert_eq!(fs.names(ROOT).unwrap(), [long("b")]);
}

#[test]
fn a_rename_does_what_its_mode_says() {
    for [old, new] in [
        ["a".to_owned(), "b".to_owned()],
        [long("a"), long("b")],
        ["a".to_owned(), long("b")],
        [long("a"), "b".to_owned()],
    ] {
        let fs = Fs::new();
        let (one, other) = (fs.file(ROOT, &old, b"1"), fs.file(ROOT, &new, b"2"));
        fs.rename(&old, &new, RenameMode::Exchange).unwrap();
        assert_eq!(fs.node(&old), Ok(other));
        assert_eq!(fs.node(&new), Ok(one));
        fs.rename(&new, &old, RenameMode::Replace).unwrap();
        assert_eq!(*fs.names(ROOT).unwrap(), std::slice::from_ref(&old)[..]);
        assert_eq!(fs.content(one).unwrap(), b"1");
        fs.rename(&old, &new, RenameMode::NoReplace).unwrap();
        assert_eq!(*fs.names(ROOT).unwrap(), std::slice::from_ref(&new)[..]);
        if fs.rename(&new, &old, RenameMode::Whiteout).is_err() {
            crate::support::skip::skip("whiteouts", "the file system has none");
            continue;
        }
        let left = fs.lookup(ROOT, &new).unwrap();
        assert_eq!((kind(&left), left.attr.stat.rdev), (Kind::CharDevice, 0));
        assert_eq!(fs.content(one).unwrap(), b"1");
    }
}

#[test]
fn content_is_written_read_copied_and_found_by_its_segments() {
    let fs = Fs::new();
    let (node, handle) = fs.create(ROOT, "a").unwrap();
    let at = PlainOffset(100_000);
    fs.view.write(handle, at, b"tail").unwrap();
    assert_eq!(fs.view.getattr(node, None).unwrap().stat.size, 100_004);
    assert_eq!(fs.read(handle, 99_999, 100).unwrap(), b"\0tail");
    // The header is beside the first block, so that one counts as data.
    let found = fs.view.seek(handle, PlainOffset(8192), Seek::Data).unwrap();
    assert!(found.0 <= 100_000 && found.0 > 90_000, "{found:?}");
    let end = fs.view.seek(handle, at, Seek::Hole).unwrap();
    assert_eq!(end, PlainOffset(100_004));
    let (_, copy) = fs.create(ROOT, "b").unwrap();
    let copied = fs.view.copy_range(CopyRange {
        source: handle,
        source_at: at,
        target: copy,
        target_at: PlainOffset(1),
        len: 100,
    });
    assert_eq!(copied.unwrap(), 4);
    assert_eq!(fs.read(copy, 0, 100).unwrap(), b"\0tail");
    fs.view
        .fallocate(copy, PlainOffset(0), 5000, Fallocate::KeepSize)
        .unwrap();
    fs.view
        .fallocate(copy, PlainOffset(0), 8, Fallocate::Grow)
        .unwrap();
    assert_eq!(fs.read(copy, 0, 100).unwrap(), b"\0tail\0\0\0");
    for data_only in [false, true] {
        fs.view.fsync(copy, data_only).unwrap();
    }
    fs.view.flush(copy).unwrap();
    fs.view.release(copy);
}

#[test]
fn attributes_are_changed_with_a_handle_and_without() {
    let fs = Fs::new();
    let (node, handle) = fs.create(ROOT, "a").unwrap();
    for handle in [None, Some(handle)] {
        let time = |secs| Time { secs, nanos: 7 };
        let changed = fs.change(
            node,
            handle,
            Changes {
                mode: Some(0o641),
                size: Some(PlainOffset(5000)),
                mtime: Some(SetTime::At(time(5))),
                ..NO_CHANGES
            },
        );
        let stat = changed.unwrap().stat;
        assert_eq!((stat.mode & 0o7777, stat.size), (0o641, 5000));
        assert!(stat.mtime.secs > 1_600_000_000, "growing is a change");
        let [atime, mtime] = [time(5), time(-9)].map(|time| Some(SetTime::At(time)));
        let accessed = Changes {
            atime,
            ..NO_CHANGES
        };
        let modified = Changes {
            mtime,
            ..NO_CHANGES
        };
        fs.change(node, handle, accessed).unwrap();
        let stat = fs.change(node, handle, modified).unwrap().stat;
        assert_eq!((stat.atime, stat.mtime), (time(5), time(-9)));
        let shrunk = fs.change(node, handle, size(100)).unwrap();
        assert_eq!(shrunk.stat.size, 100);
        fs.change(node, handle, NO_CHANGES).unwrap();
        fs.change(node, handle, mode(0o600)).unwrap();
    }
}

#[test]
fn extended_attributes_are_kept_for_every_type_that_has_them() {
    let fs = Fs::new();
    let (file, dir) = (fs.file(ROOT, &long("f"), b""), fs.mkdir(ROOT, "d").unwrap());
    for node in [file, dir, ROOT] {
        let set = |name: &str, value: &[u8], flags| {
            errno(fs.view.setxattr(CALLER, node, name.as_ref(), value, flags))
        };
        set("user.empty", b"", 0).unwrap();
        set("user.big", &[7; 2000], 1).unwrap();
        set("security.x", b"value", 0).unwrap();
        set("user.big", b"small", 2).unwrap();
        let get = |name: &str| errno(fs.view.getxattr(node, name.as_ref()));
        assert_eq!(get("user.big").unwrap(), b"small");
        assert_eq!(get("user.empty").unwrap(), b"");
        let mut names = fs.view.listxattr(node).unwrap();
        names.sort();
        assert_eq!(names, ["security.x", "user.big", "user.empty"]);
        fs.view.removexattr(node, "user.big".as_ref()).unwrap();
        assert_eq!(fs.view.listxattr(node).unwrap().len(), 2);
    }
}

#[test]
fn the_file_system_tells_about_itself() {
    let fs = Fs::new();
    let stat = fs.view.statfs().unwrap();
    assert!(stat.blocks > 0 && stat.namelen == 255);
    assert!(fs.view.access(ROOT, 7).is_ok());
    let root = fs.view.getattr(ROOT, None).unwrap();
    assert!(root.stat.is_dir() && root.ino == root.stat.key.ino);
}

#[test]
fn a_regular_file_by_mknod_is_a_file_like_any_other() {
    let fs = Fs::new();
    let mode = FileType::RegularFile.as_raw_mode() | 0o600;
    let new = fs.view.mknod(CALLER, ROOT, "a".as_ref(), mode, 0).unwrap();
    let handle = fs.open(new.node, OpenFlags::WRONLY | OpenFlags::APPEND);
    fs.view
        .write(handle.unwrap(), PlainOffset(0), b"content")
        .unwrap();
    assert_eq!(fs.content(new.node).unwrap(), b"content");
}
