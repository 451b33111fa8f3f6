//! `gocryptfs clone`.

use super::{Ground, SHARING, bytes};
use crate::support::digest::digest;
use crate::support::disk::Kind;
use crate::support::program::{Program, said};
use crate::support::tree;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Runs the verb; what it says, or with what and which message it failed.
fn clone(args: &[&Path]) -> Result<String, String> {
    let output = Program::ours().command().arg("clone").args(args).output();
    let output = output.unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    Err(said(&output))
}

fn refused(args: &[&Path], why: &str) {
    let said = clone(args).unwrap_err();
    assert!(said.contains(why), "wanted {why}\nfound {said}");
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_cloned_file_shares_everything() {
    for kind in SHARING {
        let Some(ground) = Ground::plain(kind, "clone") else {
            continue;
        };
        let content = bytes(1, 1_000_001);
        ground.write("source", &content);
        fs::set_permissions(ground.join("source"), fs::Permissions::from_mode(0o640)).unwrap();
        let [source, target] = ["source", "target"].map(|name| ground.join(name));
        let said = clone(&[&source, &target]).unwrap();
        assert_eq!(said, "1 file cloned, 976.56 KiB shared\n");
        assert!(ground.read("target") == content);
        assert_eq!(ground.space_of("target").own, 0, "{kind:?}");
        let [one, other] = [&source, &target].map(|path| path.metadata().unwrap());
        assert_eq!(
            (one.mode(), one.mtime_nsec()),
            (other.mode(), other.mtime_nsec())
        );
        // over another one, into a directory, several, of any size
        ground.write("target", b"something else");
        ground.write("small", b"x");
        ground.write("empty", b"");
        let dir = ground.join("dir");
        fs::create_dir(&dir).unwrap();
        clone(&[&source, &target]).unwrap();
        let [small, empty] = ["small", "empty"].map(|name| ground.join(name));
        let said = clone(&[&source, &small, &empty, &dir]).unwrap();
        assert_eq!(said, "3 files cloned, 976.56 KiB shared\n");
        assert!(ground.read("target") == content && ground.read("dir/source") == content);
        assert_eq!(ground.read("dir/small"), b"x");
        assert_eq!(names(&dir), ["empty", "small", "source"]);
        ground.finish("clone");
    }
}

#[test]
fn a_cloned_tree_is_the_same_tree() {
    for kind in SHARING {
        let what = format!("clone -r on {kind:?}");
        let Some(ground) = Ground::new(kind, &what, super::features("aes-gcm"), &[]) else {
            continue;
        };
        let recursive = Path::new("-r");
        let [tree, copy] = ["tree", "copy"].map(|name| ground.join(name));
        fs::create_dir(&tree).unwrap();
        tree::make(&tree, kind.limits(tree::Limits::NONE)).unwrap();
        clone(&[recursive, &tree, &copy]).unwrap();
        assert_eq!(digest(&tree).unwrap(), digest(&copy).unwrap(), "{what}");
        refused(
            &[recursive, &tree, &ground.join("tree/links")],
            "holds its own clone",
        );
        refused(
            &[recursive, &tree, &copy.join("../..").join("copy/links")],
            "No such file",
        );
        refused(
            &[&tree, &ground.join("other")],
            "is a directory (-r clones it)",
        );
        clone(&[recursive, &tree, &ground.join("copy/nested")]).unwrap();
        refused(&[recursive, &tree, &ground.join("copy/nested")], "exists");
        assert_eq!(names(&ground.mount.path()), ["copy", "tree"]);
        ground.finish(&what);
    }
}

#[test]
fn what_cannot_be_shared_is_not_copied() {
    let what = "clone without shared storage";
    let Some(ground) = Ground::plain(Kind::Ext4, what) else {
        return;
    };
    ground.write("source", &bytes(1, 100_000));
    ground.write("target", b"old");
    let [source, target] = ["source", "target"].map(|name| ground.join(name));
    refused(&[&source, &target], "is in a mount that shares no storage");
    assert_eq!(ground.read("target"), b"old");
    // outside of any mount
    let elsewhere = TempDir::new().unwrap();
    let [file, other] = ["file", "other"].map(|name| elsewhere.path().join(name));
    fs::write(&file, "x").unwrap();
    refused(
        &[&file, &other],
        "other: is not inside a gocryptfs-rs mount",
    );
    refused(
        &[&source, &other],
        "other: is not inside a gocryptfs-rs mount",
    );
    refused(
        &[Path::new("-r"), elsewhere.path(), &other],
        "is not inside a",
    );
    refused(&[&file], "Usage: gocryptfs clone");
    assert_eq!(names(elsewhere.path()), ["file"]);
    assert_eq!(names(&ground.mount.path()), ["source", "target"]);
}

#[test]
fn files_of_different_mounts_are_not_cloned() {
    let what = "clone between mounts";
    let [one, other] = [(), ()].map(|()| Ground::plain(Kind::Btrfs, what));
    let (Some(one), Some(other)) = (one, other) else {
        return;
    };
    one.write("source", &bytes(1, 100_000));
    refused(
        &[&one.join("source"), &other.join("target")],
        "is not in the same mount",
    );
    assert!(names(&other.mount.path()).is_empty());
}

/// As a user who owns the files but is not root.
#[test]
fn any_user_may_clone() {
    let what = "clone by a user";
    let Some(disk) = super::Disk::new(Kind::Btrfs, what) else {
        return;
    };
    let ground = Ground::on(disk, super::features("plaintextnames"), &["-allow_other"]);
    let dir = ground.join("dir");
    fs::create_dir(&dir).unwrap();
    ground.write("dir/source", &bytes(1, 100_000));
    for path in [&dir, &ground.join("dir/source")] {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
    let [source, target] = ["source", "target"].map(|name| dir.join(name));
    // where the program lies need not be open to that user
    let program = TempDir::new().unwrap();
    fs::set_permissions(program.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = program.path().join("gocryptfs");
    fs::copy(env!("CARGO_BIN_EXE_gocryptfs"), &path).unwrap();
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    let done = command
        .args(user)
        .arg(&path)
        .arg("clone")
        .args([&source, &target]);
    let done = done.output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(ground.space_of("dir/target").own, 0);
    assert_eq!(target.metadata().unwrap().uid(), 65534);
}
