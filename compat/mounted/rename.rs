//! Renaming, with all the flags of `renameat2(2)`, between short and long names.

use super::Session;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;

fn rename(session: &Session, from: &str, to: &str, flags: RenameFlags) -> Result<(), Errno> {
    renameat_with(CWD, session.join(from), CWD, session.join(to), flags)
}

/// A short and a long name, in every order.
fn pairs() -> Vec<(String, String)> {
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let (long, longer) = ("l".repeat(200), "m".repeat(255));
    vec![
        (a.clone(), b),
        (a.clone(), long.clone()),
        (long.clone(), a),
        (long, longer),
    ]
}

fn listed(session: &Session) -> Vec<String> {
    let entries = fs::read_dir(session.mount.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// No name file without its object, and the other way round.
fn assert_no_garbage(session: &Session) {
    let names = fs::read_dir(&session.vault.dir).unwrap();
    let long = |path: &PathBuf| path.to_str().unwrap().contains("gocryptfs.longname.");
    let paths = names.map(|entry| entry.unwrap().path()).filter(long);
    let (helpers, objects): (Vec<_>, Vec<_>) =
        paths.partition(|path| path.extension().is_some_and(|ext| ext == "name"));
    assert_eq!(helpers.len(), objects.len(), "{helpers:?} {objects:?}");
}

#[test]
fn a_file_moves_to_a_free_name() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "content").unwrap();
        rename(&session, &from, &to, RenameFlags::empty()).unwrap();
        assert_eq!(listed(&session), [to.as_str()]);
        assert_no_garbage(&session);
        let session = session.again(&[]);
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"content");
    }
}

#[test]
fn a_file_replaces_a_file() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "new").unwrap();
        fs::write(session.join(&to), "old").unwrap();
        rename(&session, &from, &to, RenameFlags::empty()).unwrap();
        assert_eq!(listed(&session), [to.as_str()]);
        assert_no_garbage(&session);
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"new");
    }
}

#[test]
fn a_directory_replaces_an_empty_directory_only() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::create_dir(session.join(&from)).unwrap();
        fs::write(session.join(&from).join("inside"), "kept").unwrap();
        fs::create_dir(session.join(&to)).unwrap();
        fs::write(session.join(&to).join("in the way"), "").unwrap();
        let refused = rename(&session, &from, &to, RenameFlags::empty());
        assert_eq!(refused, Err(Errno::NOTEMPTY));
        fs::remove_file(session.join(&to).join("in the way")).unwrap();
        rename(&session, &from, &to, RenameFlags::empty()).unwrap();
        assert_eq!(listed(&session), [to.as_str()]);
        assert_no_garbage(&session);
        let session = session.again(&[]);
        assert_eq!(fs::read(session.join(&to).join("inside")).unwrap(), b"kept");
    }
}

#[test]
fn a_name_that_is_taken_can_be_spared() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "new").unwrap();
        fs::write(session.join(&to), "old").unwrap();
        let refused = rename(&session, &from, &to, RenameFlags::NOREPLACE);
        assert_eq!(refused, Err(Errno::EXIST));
        assert_no_garbage(&session);
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"old");
        fs::remove_file(session.join(&to)).unwrap();
        rename(&session, &from, &to, RenameFlags::NOREPLACE).unwrap();
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"new");
        assert_no_garbage(&session);
    }
}

#[test]
fn two_objects_change_places() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "file").unwrap();
        fs::create_dir(session.join(&to)).unwrap();
        fs::write(session.join(&to).join("inside"), "").unwrap();
        rename(&session, &from, &to, RenameFlags::EXCHANGE).unwrap();
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"file");
        assert!(session.join(&from).join("inside").exists());
        assert_no_garbage(&session);
        let session = session.again(&[]);
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"file");
        assert!(session.join(&from).join("inside").exists());
    }
}

#[test]
fn a_whiteout_takes_the_old_place() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "file").unwrap();
        let outcome = rename(&session, &from, &to, RenameFlags::WHITEOUT);
        outcome.unwrap();
        let whiteout = fs::symlink_metadata(session.join(&from)).unwrap();
        assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
        assert_eq!(fs::read(session.join(&to)).unwrap(), b"file");
        assert_eq!(listed(&session).len(), 2);
        assert_no_garbage(&session);
    }
}

#[test]
fn a_file_and_a_directory_do_not_replace_each_other() {
    let session = Session::new();
    fs::write(session.join("file"), "").unwrap();
    fs::create_dir(session.join("dir")).unwrap();
    let none = RenameFlags::empty();
    assert_eq!(rename(&session, "file", "dir", none), Err(Errno::ISDIR));
    assert_eq!(rename(&session, "dir", "file", none), Err(Errno::NOTDIR));
    assert_eq!(
        rename(&session, "dir", "dir/inside", none),
        Err(Errno::INVAL)
    );
    assert_eq!(rename(&session, "lost", "found", none), Err(Errno::NOENT));
}

#[test]
fn open_files_move_along() {
    let session = Session::new();
    fs::create_dir_all(session.join("dir/sub")).unwrap();
    let mut file = File::create(session.join("dir/sub/file")).unwrap();
    fs::rename(session.join("dir"), session.join("elsewhere")).unwrap();
    file.write_all(b"after the move").unwrap();
    file.sync_all().unwrap();
    let found = fs::read(session.join("elsewhere/sub/file")).unwrap();
    assert_eq!(found, b"after the move");
    fs::write(session.join("elsewhere/sub/new"), "").unwrap();
}

#[test]
fn one_of_two_names_of_a_file_can_replace_the_other() {
    for (from, to) in pairs() {
        let session = Session::new();
        fs::write(session.join(&from), "content").unwrap();
        fs::hard_link(session.join(&from), session.join(&to)).unwrap();
        rename(&session, &from, &to, RenameFlags::empty()).unwrap();
        // nothing happens: both are names of one file
        assert_eq!(listed(&session).len(), 2);
    }
}

#[test]
fn with_shared_storage_two_names_of_a_file_stay_too() {
    for (from, to) in pairs() {
        let session = Session::with("aes-gcm", &["-sharedstorage"]);
        fs::write(session.join(&from), "content").unwrap();
        fs::hard_link(session.join(&from), session.join(&to)).unwrap();
        rename(&session, &from, &to, RenameFlags::empty()).unwrap();
        assert_no_garbage(&session);
        for name in listed(&session) {
            assert_eq!(fs::read(session.join(name)).unwrap(), b"content");
        }
    }
}
