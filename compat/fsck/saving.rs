//! Where originals go, and what keeps a repair from beginning.

use super::readable::{on_disk, tree};
use super::repair::repair;
use super::{broken, check, lines};
use crate::support::digest::digest;
use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::vault::Vault;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

/// Where originals are saved.
fn saved(vault: &Vault) -> PathBuf {
    vault.dir.with_file_name("cipher.fsck-saved")
}

#[test]
fn a_removed_attribute_can_be_put_back() {
    for name in ["xattr-name", "xattr-name-dir", "xattr-value"] {
        let vault = broken(name);
        let before = digest(&vault.dir).unwrap();
        let found = lines(&check(&vault, &["--json"], &[]));
        let output = repair(&vault, &[]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert_ne!(digest(&vault.dir).unwrap(), before, "{name}");
        let path = found[0].split(' ').nth(1).unwrap();
        let dump = saved(&vault).join(format!("{path}.xattr"));
        let mut restore = Command::new("setfattr");
        restore.arg(format!("--restore={}", dump.display()));
        let restored = restore.current_dir(&vault.dir).status().unwrap();
        assert!(restored.success(), "{name}");
        assert_eq!(digest(&vault.dir).unwrap(), before, "{name}");
    }
}

#[test]
fn the_list_of_what_was_moved_leads_back() {
    let vault = broken("diriv-missing");
    let dir = on_disk(&vault.dir, "dir");
    let inside = |path: PathBuf| path.strip_prefix(&vault.dir).unwrap().to_owned();
    let entries = fs::read_dir(&dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (inside(entry.path()), entry.metadata().unwrap().ino())
    });
    let entries: BTreeMap<_, _> = entries.collect();
    let output = repair(&vault, &[]);
    assert!(output.status.success(), "{}", said(&output));
    let list = fs::read_to_string(saved(&vault).join("gocryptfs.moved")).unwrap();
    let moved = list.lines().map(|line| {
        let (path, ino) = line.split_once('\t').unwrap();
        (PathBuf::from(path), ino.parse().unwrap())
    });
    assert_eq!(moved.collect::<BTreeMap<_, _>>(), entries);
    for (_, ino) in entries {
        let found = on_disk(&vault.dir, &format!("lost+found/#{ino}"));
        assert_eq!(fs::metadata(found).unwrap().ino(), ino);
    }
}

#[test]
fn without_room_for_the_original_nothing_is_changed() {
    let options = ["-o", "size=8k"];
    let Some(disk) = Disk::with_options(Kind::Tmpfs, "fsck: no room to save", &options) else {
        return;
    };
    let vault = broken("block-run");
    let before = digest(&vault.dir).unwrap();
    let save = disk.path().join("saved");
    let args = ["--bad-blocks=zero", "--save", save.to_str().unwrap()];
    let output = repair(&vault, &args);
    assert_eq!(output.status.code(), Some(26), "{}", said(&output));
    assert!(said(&output).contains("No space left"), "{}", said(&output));
    assert_eq!(digest(&vault.dir).unwrap(), before);
    assert_eq!(fs::read_dir(save).unwrap().count(), 0, "half a copy");
}

#[test]
fn originals_are_not_saved_inside_of_the_volume() {
    let vault = broken("block-gcm");
    let before = digest(&vault.dir).unwrap();
    let link = vault.dir.with_file_name("link");
    symlink(&vault.dir, &link).unwrap();
    for inside in [vault.dir.join("saved"), link.join("saved"), link] {
        let output = repair(&vault, &["--save", inside.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }
    assert_eq!(digest(&vault.dir).unwrap(), before);
}

#[test]
fn a_mounted_volume_is_not_repaired() {
    let vault = broken("block-gcm");
    let before = digest(&vault.dir).unwrap();
    let mount = Mount::new(&Program::ours(), &vault, &[]);
    let link = vault.dir.with_file_name("another name");
    symlink(&vault.dir, &link).unwrap();
    for path in [&vault.dir, &link] {
        let path = path.to_str().unwrap();
        let output = Program::ours().run(&["fsck", "--repair", "--yes", path]);
        assert_eq!(output.status.code(), Some(11), "{}", said(&output));
        let wanted = format!("is mounted at \"{}\"", mount.path().display());
        assert!(said(&output).contains(&wanted), "{}", said(&output));
    }
    mount.unmount();
    assert_eq!(digest(&vault.dir).unwrap(), before);
}

#[test]
fn the_owner_repairs_files_that_are_protected_from_writing() {
    let vault = broken("block-torn");
    let blocks = on_disk(&vault.dir, "blocks");
    fs::set_permissions(&blocks, Permissions::from_mode(0o444)).unwrap();
    let args = ["fsck", "--repair", "--yes", vault.dir.to_str().unwrap()];
    let output = Program::ours_obeying_permissions().run(&args);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::metadata(&blocks).unwrap().mode() & 0o7777, 0o444);
    let content = tree(&vault.dir)[std::path::Path::new("blocks")].content();
    assert_eq!(content.unwrap().len(), 3 * 4096);
}
