//! What an ordinary user may do, whose permissions are in the way: this thread acts as one.

use super::{Fs, NO_CHANGES, ROOT, errno, long, mode, size};
use crate::support::skip::is_root;
use gocryptfs_rs::format::NameParams;
use gocryptfs_rs::sys::As;
use gocryptfs_rs::vfs::{Changes, NodeId, OpenFlags, PlainOffset, RenameMode, Vfs};
use rustix::io::Errno;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};

const USER: u32 = 12_345;

/// A file system of that user.
fn run(names: NameParams, test: impl FnOnce(&Fs)) {
    if !is_root("acting as an ordinary user") {
        return;
    }
    let fs = Fs::with(names);
    chown(fs.path(), Some(USER), Some(USER)).unwrap();
    std::fs::set_permissions(fs.path(), Permissions::from_mode(0o755)).unwrap();
    let _acting = As::caller(USER, USER, 0).unwrap();
    test(&fs);
}

fn permissions(fs: &Fs, node: NodeId) -> u32 {
    fs.view.getattr(node, None).unwrap().stat.mode & 0o7777
}

fn mkdir(fs: &Fs, name: &str, mode: u32) -> NodeId {
    let new = fs.view.mkdir(super::CALLER, ROOT, name.as_ref(), mode);
    new.unwrap().node
}

#[test]
fn a_file_that_its_owner_may_not_read_can_be_written() {
    run(super::ENCRYPTED, |fs| {
        let node = fs.file(ROOT, "a", b"content");
        fs.change(node, None, mode(0o200)).unwrap();
        for flags in [OpenFlags::RDONLY, OpenFlags::RDWR] {
            assert_eq!(fs.open(node, flags), Err(Errno::ACCESS));
        }
        let handle = fs.open(node, OpenFlags::WRONLY).unwrap();
        fs.view.write(handle, PlainOffset(0), b"C").unwrap();
        fs.change(node, None, size(4)).unwrap();
        assert_eq!(permissions(fs, node), 0o200);
        fs.change(node, None, mode(0o400)).unwrap();
        assert_eq!(fs.content(node).unwrap(), b"Cont");
        assert_eq!(fs.open(node, OpenFlags::WRONLY), Err(Errno::ACCESS));
        assert_eq!(fs.change(node, None, size(0)).unwrap_err(), Errno::ACCESS);
        fs.change(node, None, mode(0)).unwrap();
        assert_eq!(fs.open(node, OpenFlags::WRONLY), Err(Errno::ACCESS));
        assert_eq!(permissions(fs, node), 0);
    });
}

#[test]
fn a_directory_without_permissions_is_made_replaced_and_removed() {
    run(super::ENCRYPTED, |fs| {
        for name in ["short", &long("n")] {
            let node = mkdir(fs, name, 0);
            assert_eq!(permissions(fs, node), 0);
            assert_eq!(fs.list(node).unwrap_err(), Errno::ACCESS);
            mkdir(fs, "other", 0o700);
            fs.rename("other", name, RenameMode::Replace).unwrap();
            assert_eq!(fs.names(ROOT).unwrap(), [name]);
            let moved = fs.node(name).unwrap();
            fs.change(moved, None, mode(0o500)).unwrap();
            assert_eq!(fs.create(moved, "x").unwrap_err(), Errno::ACCESS);
            fs.view.rmdir(ROOT, name.as_ref()).unwrap();
            assert!(fs.names(ROOT).unwrap().is_empty());
        }
        assert_eq!(fs.on_disk().len(), 1, "only the IV is left");
    });
}

#[test]
fn a_full_directory_keeps_its_permissions_when_it_is_not_removed() {
    run(super::ENCRYPTED, |fs| {
        let node = mkdir(fs, "full", 0o700);
        fs.file(node, "file", b"");
        fs.change(node, None, mode(0o010)).unwrap();
        mkdir(fs, "other", 0o700);
        let removed = errno(fs.view.rmdir(ROOT, "full".as_ref()));
        assert_eq!(removed, Err(Errno::NOTEMPTY));
        let replaced = fs.rename("other", "full", RenameMode::Replace);
        assert_eq!(replaced, Err(Errno::NOTEMPTY));
        assert_eq!(permissions(fs, node), 0o010);
    });
}

#[test]
fn a_directory_that_may_not_be_searched_is_listed_all_the_same() {
    run(NameParams::Plain, |fs| {
        let node = mkdir(fs, "d", 0o700);
        fs.file(node, "file", b"");
        fs.mkdir(node, "dir").unwrap();
        fs.change(node, None, mode(0o400)).unwrap();
        assert_eq!(fs.names(node).unwrap(), ["dir", "file"]);
        let handle = fs.view.opendir(node).unwrap();
        let mut found = Vec::new();
        let read = fs.view.readdirplus(handle, 0, &mut |(entry, with)| {
            if !entry.name.to_str().unwrap().starts_with('.') {
                found.push((entry.name.clone(), with.attr));
            }
            true
        });
        read.unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(_, attr)| attr.ino == 0), "{found:?}");
        assert_eq!(fs.lookup(node, "file").unwrap_err(), Errno::ACCESS);
    });
}

#[test]
fn a_change_of_owner_that_is_refused_costs_nothing() {
    run(super::ENCRYPTED, |fs| {
        let node = fs.file(ROOT, "a", b"");
        fs.change(node, None, mode(0o4755)).unwrap();
        // As the kernel sends it: without the bit that a new owner must not have.
        let given_away = Changes {
            uid: Some(0),
            mode: Some(0o755),
            ..NO_CHANGES
        };
        assert_eq!(fs.change(node, None, given_away).unwrap_err(), Errno::PERM);
        assert_eq!(permissions(fs, node), 0o4755);
    });
}
