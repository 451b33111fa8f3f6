//! Extended attributes, and the access control lists among them.

use super::Session;
use crate::support::skip::{is_root, skip};
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lremovexattr, lsetxattr};
use rustix::io::Errno;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

fn set(path: &Path, name: &str, value: &[u8]) -> Result<(), Errno> {
    lsetxattr(path, name, value, XattrFlags::empty())
}

fn get(path: &Path, name: &str) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; 65_536];
    let len = lgetxattr(path, name, &mut value)?;
    value.truncate(len);
    Ok(value)
}

fn list(path: &Path) -> Vec<String> {
    let mut names = vec![0; 65_536];
    let len = llistxattr(path, &mut names).unwrap();
    let text = String::from_utf8(names[..len].to_vec()).unwrap();
    let mut names: Vec<_> = text.split_terminator('\0').map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn attributes_are_kept() {
    for features in ["aes-gcm", "aessiv", "xchacha", "plaintextnames"] {
        let session = Session::with(features, &[]);
        fs::write(session.join("file"), "").unwrap();
        fs::create_dir(session.join("dir")).unwrap();
        for name in ["file", "dir"] {
            let path = session.join(name);
            set(&path, "user.text", b"value").unwrap();
            set(&path, "user.empty", b"").unwrap();
            set(&path, "user.binary", &[0, 255, 10]).unwrap();
            set(&path, "user.text", b"another").unwrap();
        }
        let session = session.again(&[]);
        for name in ["file", "dir"] {
            let path = session.join(name);
            assert_eq!(list(&path), ["user.binary", "user.empty", "user.text"]);
            assert_eq!(get(&path, "user.text").unwrap(), b"another");
            assert_eq!(get(&path, "user.empty").unwrap(), b"");
            assert_eq!(get(&path, "user.binary").unwrap(), [0, 255, 10]);
            lremovexattr(&path, "user.text").unwrap();
            assert_eq!(get(&path, "user.text"), Err(Errno::NODATA));
            assert_eq!(lremovexattr(&path, "user.text"), Err(Errno::NODATA));
        }
    }
}

#[test]
fn who_asks_for_a_label_hears_that_there_are_none_unless_there_is_one() {
    if !is_root("a label of SELinux") {
        return;
    }
    if Path::new("/sys/fs/selinux/enforce").exists() {
        return skip("a label of SELinux", "SELinux answers for it here");
    }
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    assert_eq!(get(&path, "security.selinux"), Err(Errno::OPNOTSUPP));
    set(&path, "security.selinux", b"label").unwrap();
    assert_eq!(get(&path, "security.selinux").unwrap(), b"label");
}

#[test]
fn neither_names_nor_values_are_readable_on_disk() {
    let session = Session::new();
    fs::write(session.join("file"), "").unwrap();
    set(&session.join("file"), "user.secret", b"a secret value").unwrap();
    let stored = session.the_encrypted();
    let [name] = list(&stored).try_into().unwrap();
    assert!(name.starts_with("user.gocryptfs.") && !name.contains("secret"));
    let value = get(&stored, &name).unwrap();
    assert!(!value.windows(6).any(|window| window == b"secret"));
}

#[test]
fn all_namespaces_of_root_are_kept() {
    if !is_root("trusted attributes") {
        return;
    }
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    set(&path, "trusted.name", b"value").unwrap();
    set(&path, "security.name", b"value").unwrap();
    assert_eq!(get(&path, "trusted.name").unwrap(), b"value");
    assert_eq!(get(&path, "security.name").unwrap(), b"value");
    assert!(
        list(&session.the_encrypted())
            .iter()
            .all(|name| name.starts_with("user.gocryptfs."))
    );
}

#[test]
fn a_buffer_that_is_too_small_is_an_error() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    set(&path, "user.name", &[1; 100]).unwrap();
    let mut small = [0; 10];
    assert_eq!(lgetxattr(&path, "user.name", &mut small), Err(Errno::RANGE));
    assert_eq!(llistxattr(&path, &mut small[..5]), Err(Errno::RANGE));
}

#[test]
fn creating_and_replacing_are_told_apart() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    let set = |flags| lsetxattr(&path, "user.name", b"", flags);
    assert_eq!(set(XattrFlags::REPLACE), Err(Errno::NODATA));
    set(XattrFlags::CREATE).unwrap();
    assert_eq!(set(XattrFlags::CREATE), Err(Errno::EXIST));
    set(XattrFlags::REPLACE).unwrap();
}

#[test]
fn a_name_that_gets_too_long_is_refused() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    set(&path, &format!("user.{}", "n".repeat(170)), b"").unwrap();
    let longer = format!("user.{}", "n".repeat(171));
    assert_eq!(set(&path, &longer, b""), Err(Errno::RANGE));
}

#[test]
fn a_symlink_has_none() {
    let session = Session::new();
    symlink("nowhere", session.join("link")).unwrap();
    assert_eq!(
        set(&session.join("link"), "user.name", b""),
        Err(Errno::PERM)
    );
    assert!(list(&session.join("link")).is_empty());
}

#[test]
fn capabilities_are_not_asked_for() {
    let session = Session::new();
    fs::write(session.join("file"), "").unwrap();
    let found = get(&session.join("file"), "security.capability");
    assert_eq!(found, Err(Errno::OPNOTSUPP));
}

fn run(session: &Session, command: &str) -> Option<String> {
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-ec", command])
        .current_dir(session.mount.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    if stderr.contains("not found") {
        skip(
            "access control lists",
            "getfacl and setfacl are not installed",
        );
        return None;
    }
    assert!(output.status.success(), "{command}: {stderr}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn access_control_lists_pass_through() {
    for options in [&[][..], &["-acl"]] {
        let session = Session::with("aes-gcm", options);
        fs::write(session.join("file"), "").unwrap();
        let Some(_) = run(&session, "setfacl -m u:1234:rw file") else {
            return;
        };
        let shown = run(&session, "getfacl -cn file").unwrap();
        assert!(shown.contains("user:1234:rw-"), "{shown}");
        let stored = session.the_encrypted();
        assert!(list(&stored).contains(&"system.posix_acl_access".to_owned()));
    }
}

#[test]
fn default_access_control_lists_are_inherited() {
    let session = Session::with("aes-gcm", &["-acl"]);
    fs::create_dir(session.join("dir")).unwrap();
    let Some(_) = run(&session, "setfacl -d -m u:1234:rw,g::rx,o::- dir") else {
        return;
    };
    let mut options = fs::File::options();
    options.write(true).create_new(true).mode(0o666);
    options.open(session.join("dir/file")).unwrap();
    let shown = run(&session, "getfacl -cn dir/file").unwrap();
    assert!(
        shown.contains("user:1234:rw-") && shown.contains("other::---"),
        "{shown}"
    );
    fs::create_dir(session.join("dir/sub")).unwrap();
    let shown = run(&session, "getfacl -cn dir/sub").unwrap();
    assert!(shown.contains("default:user:1234:rw-"), "{shown}");
}
