//! Mount options that change what the file system does.

use super::Session;
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::skip::is_root;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

/// The line of /proc/mounts for a mount.
fn shown(mount: &Mount) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let point = mount.path();
    let mut lines = mounts.lines();
    let line = lines.find(|line| line.split(' ').nth(1) == point.to_str());
    line.unwrap().to_owned()
}

#[test]
fn the_kernel_shows_where_the_files_are() {
    let session = Session::new();
    let line = shown(&session.mount);
    let dir = session.vault.dir.to_str().unwrap();
    assert!(line.starts_with(dir), "{line}");
    assert!(line.contains(" fuse.gocryptfs rw,nosuid,nodev,"), "{line}");
}

#[test]
fn a_read_only_mount_is_read_only() {
    let session = Session::new();
    fs::write(session.join("file"), "content").unwrap();
    let session = session.again(&["-ro"]);
    assert_eq!(fs::read(session.join("file")).unwrap(), b"content");
    for outcome in [
        fs::write(session.join("file"), ""),
        fs::create_dir(session.join("dir")),
        fs::remove_file(session.join("file")),
        fs::rename(session.join("file"), session.join("other")),
    ] {
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(30));
    }
    assert!(shown(&session.mount).contains(" ro,"));
}

#[test]
fn mount_options_reach_the_kernel() {
    if !is_root("mount options of root") {
        return;
    }
    let options = [
        "-suid",
        "-dev",
        "-noexec",
        "-fsname",
        "a name",
        "-kernel_cache",
    ];
    let session = Session::with("aes-gcm", &options);
    let line = shown(&session.mount);
    assert!(line.starts_with("a\\040name "), "{line}");
    assert!(line.contains("noexec") && !line.contains("nosuid") && !line.contains("nodev"));
    fs::write(session.join("file"), "content").unwrap();
    assert_eq!(fs::read(session.join("file")).unwrap(), b"content");
}

#[test]
fn without_preallocation_everything_works_too() {
    let session = Session::with("aes-gcm", &["-noprealloc"]);
    fs::write(session.join("file"), vec![1; 100_000]).unwrap();
    assert_eq!(fs::read(session.join("file")).unwrap(), vec![1; 100_000]);
}

#[test]
fn with_shared_storage_the_changes_of_another_mount_are_seen_at_once() {
    let session = Session::with("aes-gcm", &["-sharedstorage"]);
    let other = Mount::new(&Program::ours(), &session.vault, &["-sharedstorage"]);
    for n in 0..20_u8 {
        let content = vec![n; 1000 * usize::from(n)];
        fs::write(session.join("file"), &content).unwrap();
        let found = other.path().join("file");
        assert_eq!(fs::metadata(&found).unwrap().len(), content.len() as u64);
        assert_eq!(fs::read(&found).unwrap(), content);
        fs::rename(&found, other.path().join("moved")).unwrap();
        assert!(!session.join("file").exists());
        fs::rename(session.join("moved"), session.join("file")).unwrap();
    }
    fs::hard_link(session.join("file"), session.join("link")).unwrap();
    let [one, two] = ["file", "link"].map(|name| fs::metadata(session.join(name)).unwrap());
    assert_eq!((one.ino(), one.nlink()), (two.ino(), 2));
}

#[test]
fn a_mount_over_files_needs_permission() {
    let session = Session::new();
    let args = |nonempty: bool| {
        let point = session.vault.dir.parent().unwrap().join("point");
        fs::create_dir_all(point.join("occupied")).unwrap();
        let mut args = vec!["-fg", "-q"];
        args.extend(nonempty.then_some("-nonempty"));
        let output = Program::ours().run(
            &[
                &args[..],
                &[session.vault.dir.to_str().unwrap(), point.to_str().unwrap()],
            ]
            .concat(),
        );
        output.status.code()
    };
    assert_eq!(args(false), Some(10));
    session.mount.unmount();
    let over = Mount::over_files(&Program::ours(), &session.vault, &["-nonempty"]);
    assert_eq!(fs::read_dir(over.path()).unwrap().count(), 0);
}

#[test]
fn a_handle_survives_a_lazy_unmount() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    let stored = session.the_encrypted();
    session.mount.detach();
    file.write_all_at(b"late", 0).unwrap();
    drop(file);
    assert_eq!(fs::metadata(stored).unwrap().len(), 18 + 32 + 4);
}
