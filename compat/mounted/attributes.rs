//! Mode, times, size: what `stat(2)` shows and what changes it.

use super::Session;
use rustix::fs::{self as unix, AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn at(secs: i64, nanos: i64) -> Timespec {
    Timespec {
        tv_sec: secs,
        tv_nsec: nanos,
    }
}

#[test]
fn sizes_are_those_of_the_plain_content() {
    let session = Session::new();
    for size in [0, 1, 4095, 4096, 4097, 1_000_000] {
        fs::write(session.join("file"), vec![b'x'; size]).unwrap();
        let found = fs::metadata(session.join("file")).unwrap();
        assert_eq!(found.len(), size as u64);
    }
    symlink("target", session.join("link")).unwrap();
    assert_eq!(fs::symlink_metadata(session.join("link")).unwrap().len(), 6);
}

#[test]
fn modes_are_kept_by_name_and_by_handle() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    for bits in [0o000, 0o200, 0o400, 0o644, 0o4755, 0o2711, 0o1777] {
        fs::set_permissions(session.join("file"), Permissions::from_mode(bits)).unwrap();
        assert_eq!(mode(&session.join("file")), bits);
        file.set_permissions(Permissions::from_mode(bits ^ 0o111))
            .unwrap();
        assert_eq!(mode(&session.join("file")), bits ^ 0o111);
    }
    drop(file);
    let session = session.again(&[]);
    assert_eq!(mode(&session.join("file")), 0o1777 ^ 0o111);
}

#[test]
fn helper_files_keep_their_mode() {
    let session = Session::new();
    let name = session.join("d".repeat(200));
    fs::create_dir(&name).unwrap();
    fs::set_permissions(&name, Permissions::from_mode(0o700)).unwrap();
    let stored = session.the_encrypted();
    assert_eq!(mode(&stored.join("gocryptfs.diriv")), 0o444);
    let helper = format!("{}.name", stored.display());
    assert_eq!(mode(Path::new(&helper)), 0o444);
}

#[test]
fn a_directory_gets_the_mode_that_was_asked_for() {
    let session = Session::new();
    for bits in [0o000, 0o100, 0o500, 0o700, 0o755] {
        let path = session.join(format!("{bits:o}"));
        fs::DirBuilder::new().mode(bits).create(&path).unwrap();
        assert_eq!(mode(&path), bits);
    }
}

#[test]
fn a_directory_inherits_the_group_bit() {
    let session = Session::new();
    fs::create_dir(session.join("top")).unwrap();
    fs::set_permissions(session.join("top"), Permissions::from_mode(0o2755)).unwrap();
    for bits in [0o500, 0o700] {
        let path = session.join(format!("top/{bits:o}"));
        fs::DirBuilder::new().mode(bits).create(&path).unwrap();
        assert_eq!(mode(&path), 0o2000 | bits);
    }
}

#[test]
fn times_are_kept_to_the_nanosecond() {
    let session = Session::new();
    let path = session.join("file");
    let file = File::create(&path).unwrap();
    let times = |atime, mtime| Timestamps {
        last_access: atime,
        last_modification: mtime,
    };
    let shown = || {
        let found = fs::symlink_metadata(&path).unwrap();
        (
            found.atime(),
            found.atime_nsec(),
            found.mtime(),
            found.mtime_nsec(),
        )
    };
    let set =
        |times: Timestamps| unix::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    set(times(at(1, 2), at(1_234_567_890, 123_456_789)));
    assert_eq!(shown(), (1, 2, 1_234_567_890, 123_456_789));
    set(times(at(0, UTIME_OMIT), at(7, 8)));
    assert_eq!(shown(), (1, 2, 7, 8));
    unix::futimens(&file, &times(at(9, 10), at(0, UTIME_OMIT))).unwrap();
    assert_eq!(shown(), (9, 10, 7, 8));
    set(times(at(0, UTIME_OMIT), at(0, UTIME_NOW)));
    let found = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(found <= SystemTime::now() && found.elapsed().unwrap() < Duration::from_secs(60));
}

#[test]
fn the_times_of_a_symlink_are_its_own() {
    let session = Session::new();
    symlink("nowhere", session.join("link")).unwrap();
    let times = Timestamps {
        last_access: at(1, 2),
        last_modification: at(3, 4),
    };
    let path = session.join("link");
    unix::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    let found = fs::symlink_metadata(path).unwrap();
    assert_eq!((found.mtime(), found.mtime_nsec()), (3, 4));
}

#[test]
fn writing_moves_the_modification_time() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "x").unwrap();
    let old = Timestamps {
        last_access: at(1, 0),
        last_modification: at(1, 0),
    };
    unix::utimensat(CWD, &path, &old, AtFlags::empty()).unwrap();
    fs::write(&path, "y").unwrap();
    assert!(fs::metadata(&path).unwrap().mtime() > 1);
}

#[test]
fn the_file_system_shows_the_space_behind_it() {
    let session = Session::new();
    let shown = unix::statvfs(session.mount.path()).unwrap();
    let behind = unix::statvfs(&session.vault.dir).unwrap();
    assert_eq!(shown.f_namemax, 255);
    assert_eq!(
        shown.f_blocks * shown.f_frsize,
        behind.f_blocks * behind.f_frsize
    );
    assert_eq!(shown.f_files, behind.f_files);
}

#[test]
fn inode_numbers_are_those_behind() {
    let session = Session::new();
    fs::write(session.join("file"), "x").unwrap();
    let shown = fs::metadata(session.join("file")).unwrap().ino();
    let behind = fs::metadata(session.the_encrypted()).unwrap().ino();
    assert_eq!(shown, behind);
}
