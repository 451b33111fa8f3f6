//! Repairs: afterwards both programs find nothing, and all that could be read still can.

use super::{broken, broken_volumes, check, lines, objects};
use crate::support::digest::digest;
use crate::support::program::{Program, said};
use crate::support::vault;
use gocryptfs_rs::crypto::Password;
use gocryptfs_rs::sys::{Kind, OpenFlags};
use gocryptfs_rs::vault::conf::Conf;
use gocryptfs_rs::vault::{BackingName, CipherDir, Listed, Options, Vault};
use gocryptfs_rs::{format, sys};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

/// What is in a volume: the content of each file that can be read, and the target of each
/// symlink; nothing for what is something else.
type Tree = BTreeMap<PathBuf, Vec<u8>>;

fn open(dir: &Path) -> Vault {
    let conf = Conf::parse(&fs::read(dir.join("gocryptfs.conf")).unwrap()).unwrap();
    let key = conf.unlock(&Password::new(b"test".to_vec())).unwrap();
    let how = Options {
        preallocate: true,
        shared_storage: false,
    };
    Vault::open(dir, &conf.flags().params(true), &key, how).unwrap()
}

fn tree(dir: &Path) -> Tree {
    let vault = open(dir);
    let mut tree = Tree::new();
    if let Ok(top) = vault.root() {
        read(&vault, top, Path::new(""), &mut tree);
    }
    tree
}

fn read(vault: &Vault, dir: CipherDir, path: &Path, tree: &mut Tree) {
    let dir = Arc::new(dir);
    let Ok(mut listing) = vault.list(Arc::clone(&dir)) else {
        return;
    };
    while let Some(entry) = vault.next_entry(&mut listing) {
        let Listed::Entry {
            name,
            backing: Some(_),
            kind,
            ..
        } = entry.unwrap()
        else {
            continue;
        };
        // by its name, as a user does
        let backing = BackingName::from(&vault.encode(&dir, &name).unwrap());
        let path = path.join(name);
        match kind {
            Kind::Dir => {
                if let Ok(inner) = vault.subdir(&dir, &backing) {
                    read(vault, inner, &path, tree);
                }
            }
            Kind::Symlink => tree.extend(vault.readlink(&dir, &backing).ok().map(|to| (path, to))),
            _ => tree.extend(content(vault, &dir, &backing).map(|content| (path, content))),
        }
    }
}

fn content(vault: &Vault, dir: &CipherDir, name: &BackingName) -> Option<Vec<u8>> {
    let (file, stat) = vault.open_file(dir, name, OpenFlags::RDONLY).ok()?;
    let mut buf = Vec::new();
    let length = usize::try_from(stat.size).unwrap();
    let content = file.read(format::PlainOffset(0), length, &mut buf);
    content.ok().map(<[u8]>::to_vec)
}

fn repair(vault: &vault::Vault, args: &[&str]) -> Output {
    check(vault, &[&["--repair", "--yes"], args].concat(), &[])
}

/// Where originals are saved.
fn saved(vault: &vault::Vault) -> PathBuf {
    vault.dir.with_file_name("cipher.fsck-saved")
}

/// The tree before anything was damaged.
fn healthy() -> Tree {
    let mut tree = tree(&broken("shared-id").dir);
    tree.insert("empty".into(), Vec::new());
    tree
}

#[test]
fn after_a_repair_both_programs_find_nothing_and_all_that_was_readable_still_is() {
    let go = Program::go("fsck: the Go program after a repair");
    for folder in broken_volumes() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        for how in ["zero", "truncate"] {
            // a configuration that is lost stays lost
            if name == "conf" || how == "truncate" && !name.starts_with("block") {
                continue;
            }
            let vault = vault::Vault::unpack(&folder);
            let before = tree(&vault.dir);
            let output = repair(&vault, &["--bad-blocks", how]);
            assert!(output.status.success(), "{name}: {}", said(&output));
            let again = check(&vault, &["--json"], &[]);
            assert!(again.status.success(), "{name}: {}", said(&again));
            if let Some(go) = &go {
                vault.assert_clean(go);
            }
            let after = tree(&vault.dir);
            for (path, content) in before {
                let moved = after.values().any(|other| *other == content);
                let kept = after.get(&path) == Some(&content);
                // what had the name of another is called differently now
                assert!(
                    kept || moved && name == "name-twice",
                    "{name}: {}",
                    path.display()
                );
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
        let vault = vault::Vault::unpack(&folder);
        repair(&vault, &["--bad-blocks=keep"]);
        let after = tree(&vault.dir);
        for (path, content) in &healthy {
            let lost = |(begin, lost): &(&str, &str)| {
                name.starts_with(begin) && path.to_str().unwrap().starts_with(lost)
            };
            let is_lost = LOST.iter().any(lost);
            let is_there = after.values().any(|other| other == content);
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
            let found = after
                .iter()
                .find(|(path, _)| path.starts_with("lost+found"));
            let (path, content) = found
                .map(|(path, content)| (path.clone(), content.clone()))
                .unwrap();
            after.remove(&path);
            after.insert("small".into(), content);
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
            _ => vault.dir.join(disk_dir()).join("gocryptfs.diriv"),
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

/// The name on disk of the plain directory `dir` in all volumes that were made from the same one.
fn disk_dir() -> String {
    let folder = broken_volumes()
        .into_iter()
        .find(|path| path.ends_with("diriv-missing"));
    let finding = fs::read_to_string(folder.unwrap().join("findings")).unwrap();
    finding
        .trim_end()
        .split(' ')
        .next_back()
        .unwrap()
        .to_owned()
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
    let lines = names.map(|(disk, plain)| format!("{}/{disk}\tdir/{plain}\n", disk_dir()));
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

/// The names of the entries of the plain directory `dir`, on disk and plain.
fn names_in_dir() -> Vec<(String, String)> {
    let healthy = broken("shared-id");
    let vault = open(&healthy.dir);
    let path = healthy.dir.join(disk_dir());
    let dir = sys::Dir::open(&path).unwrap();
    let iv = vault.read_iv(&dir).unwrap();
    let names = fs::read_dir(path).unwrap().filter_map(|entry| {
        let disk = entry.unwrap().file_name();
        let plain = vault.plain_name(&dir, &iv, &disk)?;
        Some((disk.into_string().unwrap(), plain.into_string().unwrap()))
    });
    names.collect()
}

#[test]
fn nothing_is_changed_before_the_plan_is_accepted() {
    for folder in broken_volumes() {
        let vault = vault::Vault::unpack(&folder);
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
    let mut wanted = healthy().remove(Path::new("blocks")).unwrap();
    wanted[..4096].fill(0);
    wanted[8192..].fill(0);
    assert_eq!(tree(&vault.dir)[Path::new("blocks")], wanted);
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
    let wanted = &healthy()[Path::new("blocks")][..4096];
    assert_eq!(tree(&vault.dir)[Path::new("blocks")], wanted);
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
