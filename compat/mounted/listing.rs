//! Reading directories.

use super::Session;
use rustix::fs::{Dir, fsync};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _, PermissionsExt as _};

fn names(dir: &mut Dir) -> Vec<CString> {
    dir.map(|entry| entry.unwrap().file_name().to_owned())
        .collect()
}

#[test]
fn every_entry_is_listed_once() {
    let session = Session::new();
    let mut wanted = BTreeSet::from([c".".to_owned(), c"..".to_owned()]);
    for n in 0..1500 {
        let name = if n % 3 == 0 {
            format!("{n:0200}")
        } else {
            n.to_string()
        };
        fs::write(session.join(&name), "").unwrap();
        wanted.insert(CString::new(name).unwrap());
    }
    let mut dir = Dir::new(File::open(session.mount.path()).unwrap()).unwrap();
    let found = names(&mut dir);
    assert_eq!(found.len(), wanted.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
    dir.rewind();
    assert_eq!(names(&mut dir).len(), wanted.len());
}

#[test]
fn reading_goes_on_from_a_remembered_place() {
    let session = Session::new();
    for n in 0..300 {
        fs::write(session.join(n.to_string()), "").unwrap();
    }
    let mut dir = Dir::new(File::open(session.mount.path()).unwrap()).unwrap();
    let all: Vec<_> = (&mut dir).map(Result::unwrap).collect();
    for at in [0, 1, 150, 290] {
        dir.seek(all[at].offset()).unwrap();
        let rest = names(&mut dir);
        let wanted: Vec<_> = all[at + 1..]
            .iter()
            .map(|e| e.file_name().to_owned())
            .collect();
        assert_eq!(rest, wanted, "behind entry {at}");
    }
}

#[test]
fn entries_have_the_kind_and_inode_of_their_objects() {
    let session = Session::new();
    fs::write(session.join("file"), "").unwrap();
    fs::create_dir(session.join("dir")).unwrap();
    for entry in fs::read_dir(session.mount.path()).unwrap() {
        let entry = entry.unwrap();
        let found = fs::metadata(entry.path()).unwrap();
        assert_eq!(entry.ino(), found.ino());
        assert_eq!(entry.file_type().unwrap(), found.file_type());
    }
}

#[test]
fn deleting_while_reading_leaves_nothing() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    for n in 0..1000 {
        fs::write(session.join(format!("dir/{n}")), "").unwrap();
    }
    for entry in fs::read_dir(session.join("dir")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fs::remove_dir(session.join("dir")).unwrap();
}

#[test]
fn a_removed_directory_that_is_open_is_empty() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    let handle = File::open(session.join("dir")).unwrap();
    fs::remove_dir(session.join("dir")).unwrap();
    assert_eq!(handle.metadata().unwrap().nlink(), 0);
    fsync(&handle).unwrap();
    let entries = names(&mut Dir::new(handle).unwrap());
    assert!(entries.iter().all(|name| name.to_bytes().starts_with(b".")));
}

#[test]
fn a_directory_can_be_synced() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    File::open(session.join("dir")).unwrap().sync_all().unwrap();
    File::open(session.mount.path())
        .unwrap()
        .sync_data()
        .unwrap();
}

#[test]
fn the_format_s_own_files_are_hidden() {
    let session = Session::new();
    fs::create_dir(session.join("d".repeat(200))).unwrap();
    let count = |path| fs::read_dir(path).unwrap().count();
    assert_eq!(count(session.mount.path()), 1);
    assert_eq!(count(session.join("d".repeat(200))), 0);
    let session = Session::with("plaintextnames", &[]);
    assert_eq!(count(session.mount.path()), 0);
}

#[test]
fn a_foreign_entry_is_hidden_and_reported() {
    let session = Session::new();
    fs::write(session.join("good"), "").unwrap();
    fs::write(session.vault.dir.join("foreign name"), "").unwrap();
    fs::write(session.vault.dir.join("gocryptfs.longname.lost"), "").unwrap();
    assert_eq!(fs::read_dir(session.mount.path()).unwrap().count(), 1);
    let log = session.mount.unmount();
    assert!(
        log.contains("foreign name") && log.contains("longname.lost"),
        "{log}"
    );
}

#[test]
fn an_unreadable_directory_has_its_mode_only() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    fs::set_permissions(session.join("dir"), fs::Permissions::from_mode(0o000)).unwrap();
    let found = fs::metadata(session.join("dir")).unwrap();
    assert_eq!(found.mode() & 0o7777, 0);
}
