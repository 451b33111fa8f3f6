//! Mounts by a user without privileges, through fusermount3 (`tools/plain-user`).

use crate::support::program::Program;
use crate::support::skip::{is_root, skip};
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the program may be that mounts for everybody.
const HELPERS: [&str; 2] = ["/usr/bin/fusermount3", "/bin/fusermount3"];

#[test]
fn a_plain_user_mounts_works_and_unmounts() {
    let what = "mounts by a plain user";
    if !is_root(what) {
        return;
    }
    if !HELPERS.iter().any(|path| Path::new(path).exists()) {
        skip(what, "fusermount3 is not installed");
        return;
    }
    // in a mount namespace of its own /dev/fuse can be opened by everybody
    let namespace = Command::new("unshare").args(["--mount", "true"]).status();
    if !namespace.is_ok_and(|status| status.success()) {
        skip(what, "no mount namespace can be made here");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/plain-user");
    let output = Command::new(script)
        .arg(Program::ours().path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
