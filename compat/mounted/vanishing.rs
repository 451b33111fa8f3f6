//! The encrypted directory goes away while it is mounted, or a part of it.

use super::Session;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;

#[test]
fn a_volume_that_is_removed_gives_errors_and_spares_what_is_open() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    for name in ["file", "dir/inner"] {
        fs::write(session.join(name), name).unwrap();
    }
    let mut options = File::options();
    let open = options.read(true).write(true);
    let file = open.open(session.join("file")).unwrap();
    fs::remove_dir_all(&session.vault.dir).unwrap();
    let missing = |done: std::io::Result<()>| {
        let kind = done.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::NotFound), "{kind}");
    };
    missing(File::create(session.join("new")).map(drop));
    missing(fs::create_dir(session.join("new dir")));
    missing(fs::write(session.join("dir/new"), "new"));
    missing(fs::rename(session.join("file"), session.join("other")));
    file.write_all_at(b"FILE and more", 0).unwrap();
    let mut content = [0; 13];
    file.read_exact_at(&mut content, 0).unwrap();
    assert_eq!(&content, b"FILE and more");
    file.sync_all().unwrap();
    drop(file);
    session.mount.unmount();
}

#[test]
fn a_volume_that_is_moved_stays_mounted() {
    let session = Session::new();
    fs::write(session.join("file"), "before").unwrap();
    let elsewhere = session.vault.dir.with_extension("elsewhere");
    fs::rename(&session.vault.dir, &elsewhere).unwrap();
    fs::write(session.join("other"), "meanwhile").unwrap();
    fs::rename(&elsewhere, &session.vault.dir).unwrap();
    let session = session.again(&[]);
    assert_eq!(fs::read(session.join("file")).unwrap(), b"before");
    assert_eq!(fs::read(session.join("other")).unwrap(), b"meanwhile");
}
