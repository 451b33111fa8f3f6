//! Whose the objects are, for root and its guests.

use super::Session;
use crate::support::skip::is_root;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

const USER: u32 = 41_000;
const GROUP: u32 = 42_000;
const OTHER_GROUP: u32 = 43_000;

/// A mount that everybody may use, with a top directory in which everybody may write.
fn public() -> Session {
    let session = Session::with("aes-gcm", &["-allow_other"]);
    session.mount.open_to_all();
    fs::set_permissions(session.mount.path(), Permissions::from_mode(0o1777)).unwrap();
    session
}

fn run_as(user: u32, dir: &Path, script: &str) -> Output {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.to_string(), "--regid", &GROUP.to_string()]);
    command.args(["--groups", &OTHER_GROUP.to_string(), "sh", "-ec", script]);
    command.current_dir(dir).output().unwrap()
}

fn owner(path: &Path) -> (u32, u32) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.uid(), found.gid())
}

#[test]
fn owners_can_be_changed() {
    if !is_root("chown") {
        return;
    }
    let session = Session::new();
    fs::write(session.join("file"), "").unwrap();
    symlink("file", session.join("link")).unwrap();
    chown(session.join("file"), Some(USER), None).unwrap();
    lchown(session.join("link"), Some(USER), Some(GROUP)).unwrap();
    assert_eq!(owner(&session.join("file")), (USER, 0));
    assert_eq!(owner(&session.join("link")), (USER, GROUP));
}

#[test]
fn what_a_guest_makes_is_the_guest_s() {
    if !is_root("other users") {
        return;
    }
    let session = public();
    let long = "d".repeat(200);
    let script =
        format!("echo x >file; mkdir dir {long}; ln -s x link; mkfifo fifo; echo y >dir/in");
    let output = run_as(USER, &session.mount.path(), &script);
    assert!(output.status.success(), "{output:?}");
    for name in ["file", "dir", &long, "link", "fifo", "dir/in"] {
        assert_eq!(owner(&session.join(name)), (USER, GROUP), "{name}");
    }
    for stored in session.encrypted() {
        assert_eq!(owner(&stored), (USER, GROUP));
        if stored.is_dir() {
            assert_eq!(owner(&stored.join("gocryptfs.diriv")), (0, 0));
        }
    }
}

#[test]
fn a_guest_s_other_groups_count() {
    if !is_root("other users") {
        return;
    }
    let session = public();
    let dir = session.join("dir");
    fs::create_dir(&dir).unwrap();
    chown(&dir, Some(0), Some(OTHER_GROUP)).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o2770)).unwrap();
    let output = run_as(USER, &dir, "echo x >file; chgrp 43000 ../dir/file");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(owner(&dir.join("file")), (USER, OTHER_GROUP));
}

#[test]
fn a_guest_is_held_off_by_permissions() {
    if !is_root("other users") {
        return;
    }
    let session = public();
    fs::write(session.join("private"), "").unwrap();
    fs::set_permissions(session.join("private"), Permissions::from_mode(0o600)).unwrap();
    let dir = session.join("dir");
    fs::create_dir(&dir).unwrap();
    let reading = run_as(USER, &session.mount.path(), "cat private");
    let making = run_as(USER, &dir, "touch file");
    assert!(!reading.status.success() && !making.status.success());
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
}

#[test]
fn without_allow_other_nobody_else_gets_in() {
    if !is_root("other users") {
        return;
    }
    let session = Session::new();
    session.mount.open_to_all();
    let path = session.mount.path();
    let script = format!("ls {}", path.display());
    let output = run_as(USER, Path::new("/"), &script);
    assert!(!output.status.success());
}

#[test]
fn guests_at_the_same_time_are_not_mixed_up() {
    if !is_root("other users") {
        return;
    }
    let session = public();
    let top = session.mount.path();
    thread::scope(|scope| {
        for user in USER..USER + 4 {
            let top = &top;
            let script = format!(
                "for n in 1 2 3 4 5 6 7 8 9 10; do mkdir {user}.$n; echo x >{user}.$n/file; done"
            );
            scope.spawn(move || {
                let output = run_as(user, top, &script);
                assert!(output.status.success(), "{output:?}");
            });
        }
    });
    for entry in fs::read_dir(&top).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let user = name.split('.').next().unwrap().parse().unwrap();
        assert_eq!(owner(&entry.path()), (user, GROUP));
        assert_eq!(owner(&entry.path().join("file")), (user, GROUP));
    }
}

#[test]
fn a_forced_owner_is_shown() {
    if !is_root("forced owners") {
        return;
    }
    let session = Session::with("aes-gcm", &["-force_owner", "41000:42000"]);
    fs::write(session.join("file"), "").unwrap();
    assert_eq!(owner(&session.join("file")), (USER, GROUP));
    assert_eq!(owner(&session.mount.path()), (USER, GROUP));
    assert_eq!(owner(&session.the_encrypted()), (0, 0));
}

#[test]
fn set_ids_go_when_a_guest_changes_the_content_as_on_the_backing_file_system() {
    if !is_root("set-user-ID bits") {
        return;
    }
    let changes = [
        "echo x >>FILE",
        "echo x >FILE",
        "truncate -s 2 FILE",
        "fallocate -l 9000 FILE",
        "xfs_io -c 'copy_range other' FILE",
        "chgrp 43000 FILE",
    ];
    let session = public();
    let plain = tempfile::tempdir().unwrap();
    fs::set_permissions(plain.path(), Permissions::from_mode(0o1777)).unwrap();
    for change in changes {
        for (user, owner, group, mode) in [
            (USER, USER, GROUP, 0o6777),
            (USER, USER, OTHER_GROUP, 0o6767),
            (USER, USER, 0, 0o6767),
            (USER, 0, 0, 0o6777),
            (0, USER, GROUP, 0o6777),
        ] {
            let modes = [plain.path(), &session.mount.path()].map(|dir| {
                let (file, other) = (dir.join("FILE"), dir.join("other"));
                for path in [&file, &other] {
                    let _ = fs::remove_file(path);
                    fs::write(path, "content").unwrap();
                }
                chown(&file, Some(owner), Some(group)).unwrap();
                fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
                let done = run_as(user, dir, change).status.success();
                (done, fs::metadata(&file).unwrap().mode() & 0o7777)
            });
            assert_eq!(
                modes[0], modes[1],
                "{change} by {user}: {owner}:{group} {mode:o}"
            );
        }
    }
}
