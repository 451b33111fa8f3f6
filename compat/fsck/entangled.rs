//! Damages that are in each other's way: one repair must not undo or spoil another.

use super::readable::{Object, Tree, on_disk, open, tree};
use super::repair::{assert_clean, assert_kept, repair};
use super::{broken, check, lines};
use crate::support::program::{Program, said};
use crate::support::skip::is_root;
use crate::support::vault::Vault;
use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, chown, symlink};
use std::path::{Path, PathBuf};

/// A name on disk that sorts before all others that are hashed, and belongs to nothing.
const FIRST: &str = "gocryptfs.longname.-------------------------------------------";

/// A healthy volume.
fn healthy() -> Vault {
    broken("shared-id")
}

fn name_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".name");
    name.into()
}

/// The long-named file of the volumes.
fn long(vault: &Vault) -> PathBuf {
    on_disk(&vault.dir, &"n".repeat(200))
}

/// Repairs everything; afterwards both programs are content and nothing readable has gone.
fn mend(vault: &Vault, args: &[&str], what: &str) {
    let before = tree(&vault.dir);
    let output = repair(vault, args);
    assert!(output.status.success(), "{what}: {}", said(&output));
    let go = Program::go("fsck: the Go program after a repair of damages that meet");
    assert_clean(vault, go.as_ref(), what);
    assert_kept(&before, &tree(&vault.dir), false, false, what);
}

#[test]
fn a_symlink_is_removed_together_with_its_long_name() {
    let vault = healthy();
    let plain = "l".repeat(190);
    let opened = open(&vault.dir);
    let top = opened.root().unwrap();
    let stored = opened.encode(&top, plain.as_ref()).unwrap();
    opened
        .symlink(&top, &stored, "target".as_ref(), None)
        .unwrap();
    let path = vault.dir.join(stored.disk());
    fs::remove_file(&path).unwrap();
    symlink("nonsense", &path).unwrap();
    mend(&vault, &[], "a symlink");
    assert!(!name_file(&path).exists());
}

#[test]
fn a_stale_name_file_is_not_in_the_way_of_the_entry_that_needs_it() {
    for content in [None, Some("wrong")] {
        let vault = healthy();
        let wanted = tree(&vault.dir);
        let (long, first) = (long(&vault), vault.dir.join(FIRST));
        fs::rename(&long, &first).unwrap();
        fs::copy(name_file(&long), name_file(&first)).unwrap();
        if let Some(content) = content {
            fs::remove_file(name_file(&long)).unwrap();
            fs::write(name_file(&long), content).unwrap();
        }
        mend(&vault, &[], "a stale name");
        assert_eq!(tree(&vault.dir), wanted);
    }
}

#[test]
fn of_two_entries_with_one_name_one_gets_it() {
    let vault = healthy();
    let long = long(&vault);
    let others = [
        vault.dir.join(FIRST),
        vault.dir.join(FIRST.replace("--", "AA")),
    ];
    for other in &others {
        fs::copy(&long, other).unwrap();
        fs::copy(name_file(&long), name_file(other)).unwrap();
    }
    fs::remove_file(&long).unwrap();
    fs::remove_file(name_file(&long)).unwrap();
    mend(&vault, &[], "one name for two");
    let after = tree(&vault.dir);
    let is_copy = |path: &&PathBuf| after[*path].content().as_deref() == Some(b"long\n");
    let copies: Vec<_> = after.keys().filter(is_copy).collect();
    assert_eq!(copies.len(), 2);
    assert!(copies[0].starts_with("lost+found"), "{copies:?}");
    assert_eq!(copies[1].as_os_str(), &*"n".repeat(200));
}

#[test]
fn what_was_left_behind_goes_with_all_that_was_left_in_it() {
    let vault = healthy();
    let wanted = tree(&vault.dir);
    let outer = vault.dir.join("gocryptfs.diriv.rmdir.1");
    let inner = outer.join("gocryptfs.diriv.mkdir.2");
    fs::create_dir_all(&inner).unwrap();
    for dir in [&outer, &inner] {
        fs::copy(
            vault.dir.join("gocryptfs.diriv"),
            dir.join("gocryptfs.diriv"),
        )
        .unwrap();
    }
    fs::write(outer.join(format!("{FIRST}.name")), "nobody's").unwrap();
    assert_eq!(lines(&check(&vault, &["--json"], &[])).len(), 1);
    mend(&vault, &[], "leftovers in a leftover");
    assert!(!outer.exists());
    assert_eq!(tree(&vault.dir), wanted);
}

#[test]
fn what_was_left_behind_is_checked_if_it_holds_files() {
    let vault = healthy();
    let left = vault.dir.join("gocryptfs.diriv.mkdir.1");
    fs::rename(on_disk(&vault.dir, "dir"), &left).unwrap();
    fs::remove_file(left.join("gocryptfs.diriv")).unwrap();
    let blocks = on_disk(&vault.dir, "blocks");
    fs::copy(&blocks, left.join("a file")).unwrap();
    let file = fs::File::options().write(true).open(left.join("a file"));
    file.unwrap().set_len(4150).unwrap();
    let wanted = tree(&vault.dir)[Path::new("blocks")].content().unwrap();
    mend(&vault, &[], "a leftover with files");
    let after = tree(&vault.dir);
    let contents: Vec<_> = after.values().filter_map(Object::content).collect();
    for content in [&b"one\n"[..], b"two\n", b"three\n", &wanted[..4096]] {
        assert!(contents.iter().any(|other| other == content), "{after:?}");
    }
}

#[test]
fn a_file_with_two_names_is_mended_under_both() {
    for keep_name in [true, false] {
        let vault = healthy();
        let blocks = on_disk(&vault.dir, "blocks");
        fs::hard_link(&blocks, vault.dir.join("AAAAAAAAAAAAAAAAAAAAAA")).unwrap();
        if !keep_name {
            fs::rename(&blocks, vault.dir.join("BBBBBBBBBBBBBBBBBBBBBB")).unwrap();
        }
        let file = fs::File::options()
            .write(true)
            .open(vault.dir.join("AAAAAAAAAAAAAAAAAAAAAA"));
        file.unwrap().write_all_at(&[0; 18], 0).unwrap();
        mend(&vault, &["--bad-blocks=zero"], "a file with two names");
    }
}

#[test]
fn lost_and_found_is_mended_like_any_other_directory() {
    let vault = broken("diriv-missing");
    mend(&vault, &[], "the first repair");
    let found = |tree: &Tree| {
        let found = tree.keys().filter(|path| path.starts_with("lost+found"));
        found.cloned().collect::<Vec<_>>()
    };
    let wanted = found(&tree(&vault.dir));
    assert_eq!(wanted.len(), 5, "{wanted:?}");
    fs::remove_file(on_disk(&vault.dir, "lost+found").join("gocryptfs.diriv")).unwrap();
    mend(&vault, &[], "the second repair");
    assert_eq!(found(&tree(&vault.dir)), wanted);
}

#[test]
fn lost_and_found_belongs_to_the_owner_of_the_volume() {
    if !is_root("fsck: a volume of somebody else") {
        return;
    }
    let vault = broken("name-encoding");
    chown(&vault.dir, Some(1234), Some(5678)).unwrap();
    mend(&vault, &[], "a volume of somebody else");
    let found = fs::metadata(on_disk(&vault.dir, "lost+found")).unwrap();
    assert_eq!((found.uid(), found.gid()), (1234, 5678));
    assert_eq!(found.mode() & 0o7777, 0o700);
}

#[test]
fn a_name_that_the_list_gives_twice_is_given_once() {
    let vault = broken("diriv-missing");
    let dir = on_disk(&vault.dir, "dir");
    let entries = fs::read_dir(&dir).unwrap();
    let lines = entries.map(|entry| {
        let disk = entry.unwrap().file_name().into_string().unwrap();
        format!("{disk}\tthe same\n{disk}\tthe same\n")
    });
    let list = vault.dir.with_file_name("names");
    fs::write(&list, lines.collect::<String>()).unwrap();
    mend(&vault, &["--names", list.to_str().unwrap()], "one name");
    let after = tree(&vault.dir);
    assert!(after.contains_key(Path::new("dir/the same")));
    let moved = after.keys().filter(|path| path.starts_with("lost+found"));
    // the directory itself, two of three entries, and maybe what is in one of them
    assert!((3..=4).contains(&moved.count()), "{after:?}");
}
