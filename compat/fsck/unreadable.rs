//! What the backing file system cannot read: it may be readable again tomorrow, so nothing is
//! replaced that is not known. The file system that cannot is another volume, with damaged blocks.

use super::readable::{on_disk, tree};
use super::{broken, lines};
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A volume in a mounted volume, and a copy of it.
struct Nested {
    outer: Vault,
    mount: Mount,
    copy: Vault,
}

impl Nested {
    /// Damages the first file of `unreadable` at `offset` of what the outer volume stores.
    fn new(unreadable: impl Fn(&Path) -> PathBuf, offset: u64) -> Self {
        let ours = Program::ours();
        let outer = Vault::new(&ours, &ALL_FEATURES[0]);
        let copy = broken("shared-id");
        let mount = Mount::new(&ours, &outer, &[]);
        let mut copying = Command::new("cp");
        copying.arg("-a").args([&copy.dir, &mount.path()]);
        assert!(copying.status().unwrap().success());
        let path = unreadable(&copy.dir);
        let path = Path::new("cipher").join(path.strip_prefix(&copy.dir).unwrap());
        // what has been read stays in memory
        mount.unmount();
        let stored = on_disk(&outer.dir, path.to_str().unwrap());
        let file = File::options().read(true).write(true).open(stored).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
        let mount = Mount::new(&ours, &outer, &[]);
        Self { outer, mount, copy }
    }

    fn dir(&self) -> PathBuf {
        self.mount.path().join("cipher")
    }

    fn check(&self, args: &[&str]) -> Output {
        let dir = self.dir();
        let line = [&["fsck"], args, &[dir.to_str().unwrap()]].concat();
        Program::ours().run(&line)
    }

    fn found(&self) -> Vec<String> {
        lines(&self.check(&["--json"]))
    }

    fn repair(&self, args: &[&str]) -> Output {
        let save = self.outer.dir.with_file_name("saved");
        let all = ["--repair", "--yes", "--save", save.to_str().unwrap()];
        self.check(&[&all, args].concat())
    }

    /// Without a backup the repair does nothing, with one everything is as it was.
    fn is_restored_from_the_backup_only(&self) {
        let output = self.repair(&[]);
        assert_eq!(output.status.code(), Some(26), "{}", said(&output));
        assert!(
            said(&output).contains("fsck: 0 repairs made"),
            "{}",
            said(&output)
        );
        assert_eq!(self.found().len(), 1);
        let output = self.repair(&["--backup", self.copy.dir.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(self.found(), [""; 0]);
        assert!(tree(&self.dir()) == tree(&self.copy.dir));
    }
}

/// In the second block of the outer volume: bytes 4096 to 8191 of the inner one's file.
const SECOND_BLOCK: u64 = 18 + 4128 + 50;
/// In the only block of a small file.
const ONLY_BLOCK: u64 = 18 + 20;

#[test]
fn blocks_that_cannot_be_read_are_found_and_can_become_zeros() {
    let nested = Nested::new(|dir| on_disk(dir, "blocks"), SECOND_BLOCK);
    let path = on_disk(&nested.copy.dir, "blocks");
    let name = path.file_name().unwrap().to_str().unwrap();
    // the first block ends, and the second one begins there
    assert_eq!(nested.found(), [format!("block-unreadable {name} 0 1")]);
    let output = nested.check(&["-q"]);
    let wanted = "): unreadable blocks #0-1 at offset 0: Input/output error (os error 5)\n";
    assert!(said(&output).contains(wanted), "{}", said(&output));
    let output = nested.repair(&["--bad-blocks=zero"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(nested.found(), [""; 0]);
    let content = |dir: &Path| tree(dir)[Path::new("blocks")].content().unwrap();
    let mut wanted = content(&nested.copy.dir);
    wanted[..8192].fill(0);
    assert_eq!(content(&nested.dir()), wanted);
    // the copy has what could be read
    let saved = fs::read(nested.outer.dir.with_file_name("saved").join(name)).unwrap();
    let mut wanted = fs::read(path).unwrap();
    wanted[4096..8192].fill(0);
    assert_eq!(saved, wanted);
}

#[test]
fn an_iv_that_cannot_be_read_is_replaced_only_by_the_right_one() {
    let iv = |dir: &Path| on_disk(dir, "dir").join("gocryptfs.diriv");
    let nested = Nested::new(iv, ONLY_BLOCK);
    assert!(nested.found()[0].starts_with("diriv-unreadable "));
    nested.is_restored_from_the_backup_only();
}

#[test]
fn a_name_that_cannot_be_read_is_replaced_only_by_the_right_one() {
    let long = "n".repeat(200);
    let name = |dir: &Path| {
        let mut path = on_disk(dir, &long).into_os_string();
        path.push(".name");
        path.into()
    };
    let nested = Nested::new(name, ONLY_BLOCK);
    assert!(nested.found()[0].starts_with("longname-unreadable "));
    nested.is_restored_from_the_backup_only();
}

#[test]
fn a_directory_that_cannot_be_read_is_no_healthy_one() {
    let ours = Program::ours();
    let mut nested = Nested::new(|dir| on_disk(dir, "blocks"), SECOND_BLOCK);
    nested.mount.unmount();
    let path = on_disk(&nested.copy.dir, "dir");
    let name = path.file_name().unwrap().to_str().unwrap();
    let stored = on_disk(&nested.outer.dir, &format!("cipher/{name}"));
    let iv = stored.join("gocryptfs.diriv");
    fs::remove_file(&iv).unwrap();
    fs::write(&iv, "short").unwrap();
    nested.mount = Mount::new(&ours, &nested.outer, &[]);
    let found = nested.found();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[1], format!("diriv-unreadable {name}"));
    assert_eq!(found[2], format!("unreadable {name}"));
}
