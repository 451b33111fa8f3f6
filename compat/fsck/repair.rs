//! Repairs: afterwards both programs find nothing, and all that could be read still can.

use super::readable::{Object, Tree, on_disk, open, tree};
use super::{broken, broken_volumes, check, lines, objects};
use crate::support::digest::digest;
use crate::support::program::{Program, said};
use crate::support::vault::Vault;
use gocryptfs_rs::sys;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

pub(super) fn repair(vault: &Vault, args: &[&str]) -> Output {
    check(vault, &[&["--repair", "--yes"], args].concat(), &[])
}

/// Where originals are saved.
fn saved(vault: &Vault) -> PathBuf {
    vault.dir.with_file_name("cipher.fsck-saved")
}

/// The tree before anything was damaged.
fn healthy() -> Tree {
    let mut tree = tree(&broken("shared-id").dir);
    tree.insert("empty".into(), Object::default());
    tree
}

/// Fails unless both programs find nothing any more.
pub(super) fn assert_clean(vault: &Vault, go: Option<&Program>, what: &str) {
    let output = check(vault, &["--json"], &[]);
    assert!(output.status.success(), "{what}: {}", said(&output));
    if let Some(go) = go {
        vault.assert_clean(go);
    }
}

/// Fails unless everything that could be read still can. What may be called differently is
/// looked for everywhere.
pub(super) fn assert_kept(before: &Tree, after: &Tree, is_cut: bool, may_move: bool, what: &str) {
    for (path, object) in before.iter().filter(|(_, object)| !object.is_lost()) {
        let at_its_place = after.get(path).into_iter();
        let elsewhere = after.values().filter(|_| may_move);
        let mut candidates = at_its_place.chain(elsewhere);
        let is_kept = candidates.any(|other| object.is_kept_in(other, is_cut));
        assert!(is_kept, "{what}: {}", path.display());
    }
}

#[test]
fn after_a_repair_both_programs_find_nothing_and_all_that_was_readable_still_is() {
    let go = Program::go("fsck: the Go program after a repair");
    for folder in broken_volumes() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        for how in ["zero", "truncate", "keep"] {
            let vault = Vault::unpack(&folder);
            // a configuration that is lost stays lost
            if name == "conf" || how == "truncate" && !name.contains("block") {
                continue;
            }
            let before = tree(&vault.dir);
            let output = repair(&vault, &["--bad-blocks", how]);
            let after = tree(&vault.dir);
            // of two with one name, one is called differently now
            assert_kept(
                &before,
                &after,
                how == "truncate",
                name == "name-twice",
                name,
            );
            if how == "keep" && !output.status.success() {
                let left = lines(&check(&vault, &["--json"], &[]));
                let is_content =
                    |line: &String| line.starts_with("block ") || line.starts_with("header ");
                assert!(
                    !left.is_empty() && left.iter().all(is_content),
                    "{name}: {left:?}"
                );
            } else {
                assert!(output.status.success(), "{name}: {}", said(&output));
                assert_clean(&vault, go.as_ref(), name);
            }
        }
    }
}

/// Content that is lost in the damaged volumes whose names begin like this; also by how the path
/// begins.
const LOST: [(&str, &str); 7] = [
    ("header-cut", "small"),
    ("header-only", "small"),
    ("header-zero", "blocks"),
    ("block", "blocks"),
    ("block-torn-first", "small"),
    ("symlink", "link"),
    ("longname-stale", "nnn"),
];

#[test]
fn content_is_intact_whatever_became_of_its_name() {
    let healthy = healthy();
    for folder in broken_volumes() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        // made of something else, or of more than one damage
        if ["everything", "conf", "header-foreign", "shared-id"].contains(&name) {
            continue;
        }
        let vault = Vault::unpack(&folder);
        repair(&vault, &["--bad-blocks=keep"]);
        let after = tree(&vault.dir);
        for (path, object) in &healthy {
            let lost = |(begin, lost): &(&str, &str)| {
                name.starts_with(begin) && path.to_str().unwrap().starts_with(lost)
            };
            let is_lost = LOST.iter().any(lost);
            let is_there = after
                .values()
                .any(|other| other.content() == object.content());
            assert!(is_lost || is_there, "{name}: {} is gone", path.display());
        }
    }
}

#[test]
fn what_is_known_is_restored_completely() {
    let healthy = healthy();
    for name in [
        "diriv-long",
        "diriv-missing-vacant",
        "diriv-short",
        "header-id",
        "header-version",
        "leftover-conf",
        "leftover-mkdir",
        "leftover-rmdir",
        "longname-mismatch",
        "longname-moved",
        "name-noncanonical",
        "xattr-name-dir",
    ] {
        let vault = broken(name);
        let output = repair(&vault, &[]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        let mut after = tree(&vault.dir);
        if name == "name-noncanonical" {
            // the bits that were wrong are told from those that are right, but not guessed
            let is_found = |path: &PathBuf| path.starts_with("lost+found");
            let found = after.keys().rfind(|path| is_found(path)).unwrap().clone();
            let small = after.remove(&found).unwrap();
            after.retain(|path, _| !is_found(path));
            after.insert("small".into(), small);
        }
        assert!(after == healthy, "{name}: {}", said(&output));
    }
}

#[test]
fn a_flipped_bit_in_an_iv_is_put_right() {
    let vault = broken("shared-id");
    let before = tree(&vault.dir);
    for dir in ["", "dir"] {
        let object = check(&vault, &["--json"], &[]);
        assert!(object.status.success());
        let diriv = match dir {
            "" => vault.dir.join("gocryptfs.diriv"),
            _ => on_disk(&vault.dir, dir).join("gocryptfs.diriv"),
        };
        let mut iv = fs::read(&diriv).unwrap();
        iv[5] ^= 0x20;
        fs::remove_file(&diriv).unwrap();
        fs::write(&diriv, iv).unwrap();
        let output = repair(&vault, &[]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(tree(&vault.dir), before);
    }
}

#[test]
fn a_backup_brings_ivs_and_long_names_back() {
    let healthy = healthy();
    let backup = broken("shared-id");
    let backup = backup.dir.to_str().unwrap();
    for name in [
        "diriv-empty",
        "diriv-missing",
        "diriv-missing-top",
        "diriv-unreadable",
        "diriv-wrong",
        "diriv-zero",
        "longname-content",
        "longname-empty",
        "longname-missing",
        "longname-missing-dir",
        "longname-unreadable",
    ] {
        let vault = broken(name);
        let output = repair(&vault, &["--backup", backup]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(tree(&vault.dir) == healthy, "{name}: {}", said(&output));
    }
}

#[test]
fn a_list_of_names_brings_them_back() {
    let healthy = healthy();
    let vault = broken("diriv-missing");
    let list = vault.dir.with_file_name("names");
    let names = names_in_dir().into_iter();
    let lines = names.map(|(disk, plain)| format!("{disk}\tdir/{plain}\n"));
    fs::write(&list, lines.collect::<String>()).unwrap();
    let output = repair(&vault, &["--names", list.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(tree(&vault.dir), healthy);
    let vault = broken("longname-missing");
    let list = vault.dir.with_file_name("names");
    fs::write(&list, format!("a\n{}\nb\n", "n".repeat(200))).unwrap();
    let output = repair(&vault, &["--names", list.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(tree(&vault.dir), healthy);
}

/// The names of the entries of the plain directory `dir`: paths on disk and plain names.
fn names_in_dir() -> Vec<(String, String)> {
    let healthy = broken("shared-id");
    let vault = open(&healthy.dir);
    let path = on_disk(&healthy.dir, "dir");
    let dir = sys::Dir::open(&path).unwrap();
    let iv = vault.read_iv(&dir).unwrap();
    let names = fs::read_dir(&path).unwrap().filter_map(|entry| {
        let disk = entry.unwrap().file_name();
        let plain = vault.plain_name(&dir, &iv, &disk)?;
        let disk = path.strip_prefix(&healthy.dir).unwrap().join(disk);
        Some((disk.to_str()?.to_owned(), plain.into_string().unwrap()))
    });
    names.collect()
}

#[test]
fn nothing_is_changed_before_the_plan_is_accepted() {
    for folder in broken_volumes() {
        let vault = Vault::unpack(&folder);
        let before = digest(vault.dir.parent().unwrap()).unwrap();
        let dry = check(&vault, &["--dry-run", "--bad-blocks=zero"], &[]);
        let unasked = check(&vault, &["--repair", "--bad-blocks=zero"], &[]);
        assert_eq!(
            unasked.status.code(),
            dry.status.code(),
            "{}",
            said(&unasked)
        );
        let after = digest(vault.dir.parent().unwrap()).unwrap();
        assert_eq!(after, before, "{} was changed", folder.display());
    }
}

#[test]
fn the_original_is_saved_before_it_is_changed() {
    let vault = broken("block-run");
    let [line, ..] = &lines(&check(&vault, &["--json"], &[]))[..] else {
        panic!("nothing found");
    };
    let path = line.split(' ').nth(1).unwrap();
    let original = fs::read(vault.dir.join(path)).unwrap();
    let output = repair(&vault, &["--bad-blocks=keep"]);
    assert_eq!(output.status.code(), Some(26), "{}", said(&output));
    assert_eq!(fs::read(vault.dir.join(path)).unwrap(), original);
    assert!(!saved(&vault).exists());
    let output = repair(&vault, &["--bad-blocks=zero"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read(saved(&vault).join(path)).unwrap(), original);
    let mut wanted = healthy()[Path::new("blocks")].content().unwrap();
    wanted[..4096].fill(0);
    wanted[8192..].fill(0);
    assert_eq!(
        tree(&vault.dir)[Path::new("blocks")].content(),
        Some(wanted)
    );
}

#[test]
fn a_place_for_originals_can_be_chosen() {
    let vault = broken("block-gcm");
    let place = vault.dir.with_file_name("elsewhere");
    let save = ["--bad-blocks=truncate", "--save", place.to_str().unwrap()];
    let output = repair(&vault, &save);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_dir(place).unwrap().count(), 1);
    assert!(!saved(&vault).exists());
    let mut wanted = healthy()[Path::new("blocks")].content().unwrap();
    wanted.truncate(4096);
    assert_eq!(
        tree(&vault.dir)[Path::new("blocks")].content(),
        Some(wanted)
    );
    let inside = vault.dir.join("inside");
    let output = repair(&broken("block-gcm"), &["--save", inside.to_str().unwrap()]);
    assert_ne!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_program_is_told_of_every_step() {
    let output = repair(&broken("everything"), &["--json", "--bad-blocks=zero"]);
    assert!(output.status.success(), "{}", said(&output));
    let objects = objects(&output);
    let states = |state: &str| {
        objects
            .iter()
            .filter(|object| object["state"] == state)
            .count()
    };
    assert!(states("planned") >= 8);
    assert_eq!(states("done"), states("planned"));
    assert_eq!(objects.last().unwrap()["type"], "repair-summary");
    assert_eq!(objects.last().unwrap()["left"], 0);
}
