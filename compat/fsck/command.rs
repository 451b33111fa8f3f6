//! The command: what it says, to people and to programs, and how it ends.

use super::readable::on_disk;
use super::repair::{assert_clean, repair};
use super::{broken, check, lines, objects};
use crate::support::program::{PASSWORD, Program, said};
use crate::support::skip::is_root;
use crate::support::vault::{ALL_FEATURES, Vault};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gocryptfs_rs::crypto::Password;
use gocryptfs_rs::crypto::derive::name_cipher;
use gocryptfs_rs::vault::conf::Conf;
use rustix::fs::{XattrFlags, lsetxattr};
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;

/// The user and group "nobody".
const NOBODY: u32 = 65534;

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_summary_has_the_words_of_the_go_program() {
    let output = check(&broken("everything"), &[], &[]);
    let text = stdout(&output);
    assert!(
        text.contains("\nfsck: corrupt entry in dir \"dir\": \"foreign\"\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\nfsck summary: 8 corrupt files, 0 files skipped\n"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(26));
    let vault = Vault::new(&Program::ours(), &ALL_FEATURES[0]);
    let output = check(&vault, &[], &[]);
    assert!(stdout(&output).ends_with("\nfsck summary: no problems found\n"));
    assert_eq!(output.status.code(), Some(0));
    let output = check(&vault, &["-q"], &[]);
    assert_eq!(stdout(&output), "");
}

#[test]
fn quiet_keeps_the_findings() {
    let output = check(&broken("block-run"), &["-q"], &[]);
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("fsck: error reading file \"blocks\" (inum "));
    assert!(lines[0].ends_with("): corrupt block #0 at offset 0: message authentication failed"));
    assert!(lines[1].starts_with("    on disk: \""));
    assert_eq!(lines[4], "fsck summary: 1 corrupt files, 0 files skipped");
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_finding_tells_a_program_all_that_is_known() {
    let vault = broken("block-run");
    let output = check(&vault, &["--json"], &[]);
    let objects = objects(&output);
    let [.., second, summary] = &objects[..] else {
        panic!("{}", said(&output));
    };
    let path = second["path"].as_str().unwrap();
    let inode = fs::metadata(vault.dir.join(path)).unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&inode);
    let wanted = serde_json::json!({
        "type": "finding", "version": 1, "class": "block", "severity": "damage",
        "path": path, "plain_path": "blocks", "inode": inode,
        "block": 2, "last_block": 3, "offset": 8192,
        "message": "corrupt blocks #2-3 at offset 8192: message authentication failed",
        "repair": "bad-blocks",
    });
    assert_eq!(*second, wanted);
    assert_eq!(summary["type"], "summary");
    assert_eq!(summary["result"], "damaged");
    assert_eq!(summary["damaged"], 1);
    assert_eq!(summary["skipped"], 0);
}

#[test]
fn paths_are_plain_or_encrypted_or_both() {
    let vault = broken("everything");
    let found = |path: &str| lines(&check(&vault, &["--json"], &[path]));
    let [dir, ..] = &found("dir")[..] else {
        panic!("nothing is found in dir");
    };
    let torn = dir.strip_prefix("block-torn ").unwrap();
    let disk = torn.split_once('/').unwrap().0;
    assert_eq!(found("dir").len(), 3);
    assert_eq!(found(disk), found("dir"));
    assert_eq!(
        found(vault.dir.join(disk).to_str().unwrap()),
        found("/dir/")
    );
    let foreign = found(&format!("{disk}/foreign"));
    assert_eq!(foreign.len(), 2, "itself, and the diriv on the way");
    assert_eq!(found("blocks").len(), 1);
    assert_eq!(found("empty"), [""; 0]);
    assert_eq!(found(".").len(), 8);
    // nothing is checked twice, not even what is on the way
    let torn = torn.split(' ').next().unwrap();
    let foreign = format!("{disk}/foreign");
    for paths in [&[torn, "dir", disk, &foreign][..], &[&foreign, torn]] {
        assert_eq!(lines(&check(&vault, &["--json"], paths)), found("dir"));
    }
    // as a shell completes it
    let mut command = Program::ours().command();
    command.args(["fsck", "-q", "--extpass", "echo test", "cipher"]);
    command.arg(Path::new("cipher").join(torn));
    let output = command.current_dir(vault.dir.parent().unwrap()).output();
    assert_eq!(output.unwrap().status.code(), Some(26));
    let output = check(&vault, &["-q"], &["vacant", "nowhere"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

#[test]
fn nothing_is_mounted_and_nothing_is_written_elsewhere() {
    let vault = broken("shared-id");
    let mut command = Program::ours().command();
    command.args(["-fsck", "-q", "-passfile", "/dev/stdin"]);
    command.arg(&vault.dir).stdin(Stdio::piped());
    // neither a place for a mount point, nor a program that mounts
    command
        .env("TMPDIR", "/nonexistent")
        .env("PATH", "/nonexistent");
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn only_the_verb_takes_paths() {
    let vault = broken("everything");
    let dir = vault.dir.to_str().unwrap();
    let output = Program::ours().run(&["-fsck", dir, "dir"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn clones_are_reported_when_asked_for() {
    let vault = broken("shared-id");
    let output = check(&vault, &["--json", "--verbose"], &[]);
    assert_eq!(output.status.code(), Some(0), "a clone is no damage");
    let found = lines(&output);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("shared-id "));
}

/// The attributes that old versions encrypted, and later ones do not.
const ACL: &[u8] = b"system.posix_acl_access";

#[test]
fn an_attribute_of_old_versions_is_corrupt_as_it_is_for_the_go_program() {
    let vault = broken("shared-id");
    let conf = Conf::parse(&fs::read(vault.dir.join("gocryptfs.conf")).unwrap()).unwrap();
    let key = conf.unlock(&Password::new(b"test".to_vec())).unwrap();
    // PKCS #7
    let mut name = [ACL, &[9; 9]].concat();
    let cipher = name_cipher(&key, true);
    cipher.encrypt(b"xattr_name_iv_xx", &mut name).unwrap();
    let attr = format!("user.gocryptfs.{}", URL_SAFE_NO_PAD.encode(name));
    let small = on_disk(&vault.dir, "small");
    lsetxattr(&small, &attr, b"old", XattrFlags::CREATE).unwrap();
    let found = lines(&check(&vault, &["--json"], &[]));
    assert!(found[0].starts_with("xattr-name "), "{found:?}");
    let go = Program::go("fsck: an attribute of old versions");
    if let Some(go) = &go {
        let output = go.run(&["-q", "-fsck", vault.dir.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(26), "{}", said(&output));
    }
    let output = repair(&vault, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert_clean(&vault, go.as_ref(), "an attribute of old versions");
}

#[test]
fn what_may_not_be_read_is_skipped_and_not_healthy() {
    if !is_root("fsck: files without permission") {
        return;
    }
    let vault = broken("shared-id");
    let scratch = vault.dir.parent().unwrap();
    fs::set_permissions(scratch, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(
        vault.dir.join("gocryptfs.conf"),
        Permissions::from_mode(0o444),
    )
    .unwrap();
    let mut forbidden = 0;
    for entry in fs::read_dir(&vault.dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let is_helper = name.to_str().unwrap().contains('.');
        if !is_helper && !entry.file_type().unwrap().is_symlink() {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o000)).unwrap();
            forbidden += 1;
        }
    }
    let mut command = Program::ours().command();
    command.args(["-fsck", vault.dir.to_str().unwrap()]);
    command.uid(NOBODY).gid(NOBODY).stdin(Stdio::piped());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD).unwrap();
    let output = child.wait_with_output().unwrap();
    let wanted = format!("fsck summary: 0 corrupt files, {forbidden} files skipped\n");
    assert!(stdout(&output).ends_with(&wanted), "{}", said(&output));
    let warning = "fsck: re-run this program as root to check all files!\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), warning);
    assert_eq!(output.status.code(), Some(26));
}

#[test]
fn a_wrong_password_is_no_finding() {
    let vault = broken("everything");
    let mut args = vec!["-q", "-fsck", "-extpass", "echo wrong"];
    args.push(vault.dir.to_str().unwrap());
    assert_eq!(Program::ours().run(&args).status.code(), Some(12));
}
