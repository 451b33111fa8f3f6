//! Which names can be used, and how they are stored.

use super::Session;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

#[test]
fn names_of_every_length_work() {
    for features in [
        "aes-gcm",
        "plaintextnames",
        "deterministic",
        "longnamemax-62",
    ] {
        let session = Session::with(features, &[]);
        for len in 1..=255 {
            let path = session.join("n".repeat(len));
            fs::write(&path, len.to_string()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), len.to_string().into_bytes());
        }
        let error = fs::write(session.join("n".repeat(256)), "").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(36));
        for entry in fs::read_dir(session.mount.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let left = fs::read_dir(&session.vault.dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| !own(name)).collect();
        assert!(left.is_empty(), "{features}: left behind: {left:?}");
    }
}

fn own(name: &OsStr) -> bool {
    name == "gocryptfs.conf" || name == "gocryptfs.diriv"
}

#[test]
fn any_bytes_make_a_name() {
    let session = Session::new();
    let odd: [&[u8]; 6] = [b"\xff\xfe", b"new\nline", b" ", b"...", b"\x01", b"*?\\\""];
    for name in odd {
        fs::write(session.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let session = session.again(&[]);
    for name in odd {
        assert_eq!(
            fs::read(session.join(OsStr::from_bytes(name))).unwrap(),
            name
        );
    }
}

#[test]
fn the_format_s_own_names_are_free_for_use() {
    let session = Session::new();
    let reserved = [
        "gocryptfs.conf",
        "gocryptfs.diriv",
        "gocryptfs.longname.x",
        "x.name",
    ];
    for name in reserved {
        fs::write(session.join(name), name).unwrap();
    }
    assert_eq!(fs::read_dir(session.mount.path()).unwrap().count(), 4);
    for name in reserved {
        assert_eq!(fs::read(session.join(name)).unwrap(), name.as_bytes());
    }
}

#[test]
fn with_plain_names_the_configuration_cannot_be_touched() {
    let session = Session::with("plaintextnames", &[]);
    let conf = session.join("gocryptfs.conf");
    let refused = |outcome: std::io::Result<()>| {
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(1));
    };
    fs::write(session.join("file"), "").unwrap();
    refused(fs::write(&conf, "x"));
    refused(fs::read(&conf).map(drop));
    refused(fs::remove_file(&conf));
    refused(fs::create_dir(&conf));
    refused(fs::rename(session.join("file"), &conf));
    refused(fs::hard_link(session.join("file"), &conf));
    refused(fs::symlink_metadata(&conf).map(drop));
    fs::create_dir(session.join("dir")).unwrap();
    fs::write(session.join("dir/gocryptfs.conf"), "free").unwrap();
}

#[test]
fn the_same_name_is_stored_differently_in_another_directory() {
    let session = Session::new();
    for dir in ["one", "two"] {
        fs::create_dir(session.join(dir)).unwrap();
        fs::write(session.join(dir).join("name"), "").unwrap();
    }
    let inside = |dir: &Path| {
        let names = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names.filter(|name| !own(name)).collect::<Vec<_>>()
    };
    let [one, two]: [_; 2] = session.encrypted().try_into().unwrap();
    assert_ne!(inside(&one), inside(&two));
}

#[test]
fn without_long_names_a_long_name_is_refused() {
    let session = Session::with("longnames-off", &[]);
    fs::write(session.join("n".repeat(175)), "").unwrap();
    let error = fs::write(session.join("n".repeat(176)), "").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(36));
}
