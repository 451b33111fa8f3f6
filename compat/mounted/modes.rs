//! Mode bits, ACL and times that are inherited, dropped or moved, beside the file system below
//! (`tools/posix/modes`).

use super::Session;
use crate::support::skip::{is_root, skip};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What the tool prints for a directory; `None` where it lacks a program.
fn printed(dir: &Path) -> Option<String> {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/posix/modes");
    let output = Command::new(tool).arg(dir).stdin(Stdio::null()).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if said.contains("not found") {
        skip("inherited modes", &said);
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn modes_and_times_are_those_of_the_file_system_below() {
    if !is_root("inherited modes") {
        return;
    }
    let plain = TempDir::new().unwrap();
    let Some(wanted) = printed(plain.path()) else {
        return;
    };
    let session = Session::with("aes-gcm", &["-acl", "-allow_other", "-suid"]);
    session.mount.open_to_all();
    let dir = session.join("dir");
    fs::create_dir(&dir).unwrap();
    let found = printed(&dir).unwrap();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.lines().count(), wanted.lines().count());
    assert!(wanted.contains("2001-01-01"), "{wanted}");
}
