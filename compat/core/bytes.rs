//! Every class of bytes in a vault, changed: what is shown is what was stored, or an error.

use super::everything::{Shown, is_honest, look, plant};
use super::{ENCRYPTED, Fs};
use gocryptfs_rs::format::NameParams;
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lsetxattr};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

/// What a change does to bytes of a given number.
type Damage<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// Positions that stand for the others: everything in what is short, the edges of header, nonces,
/// tags and blocks in what is long.
fn positions(len: usize) -> Vec<usize> {
    let edges = [0, 16, 24, 32, 4096, 4112, 4128].map(|edge| 18 + edge);
    let near = |at: &usize| edges.iter().any(|edge| at.abs_diff(*edge) < 2) || at + 17 >= len;
    (0..len)
        .filter(|at| len < 300 || *at < 18 || near(at))
        .collect()
}

fn each_damage(content: &[u8], mut run: impl FnMut(&[u8])) {
    for at in positions(content.len()) {
        for bit in [1, 0x80] {
            let mut changed = content.to_vec();
            changed[at] ^= bit;
            run(&changed);
        }
    }
    let of: [Damage<'_>; 7] = [
        &|_| Vec::new(),
        &|all| all[..all.len() / 2].to_vec(),
        &|all| all[..all.len().saturating_sub(1)].to_vec(),
        &|all| [all, &[0]].concat(),
        &|all| [all, all].concat(),
        &|all| vec![0; all.len()],
        &|all| vec![b'A'; all.len()],
    ];
    for damage in of {
        run(&damage(content));
    }
}

fn check(fs: &mut Fs, before: &Shown, what: &Path) {
    fs.restart();
    let now = look(fs);
    for (path, wanted) in before {
        let found = now.get(path);
        assert!(
            is_honest(wanted, found),
            "{path:?} shows {found:?} after damage to {}",
            what.display()
        );
    }
}

fn damage_file(fs: &mut Fs, before: &Shown, path: &Path) {
    let content = fs::read(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    each_damage(&content, |changed| {
        fs::write(path, changed).unwrap();
        check(fs, before, path);
    });
    fs::write(path, content).unwrap();
}

fn damage_symlink(fs: &mut Fs, before: &Shown, path: &Path) {
    let target = fs::read_link(path).unwrap();
    let retarget = |fs: &mut Fs, target: &[u8]| {
        fs::remove_file(path).unwrap();
        symlink(OsStr::from_bytes(target), path).unwrap();
        check(fs, before, path);
    };
    each_damage(target.as_os_str().as_bytes(), |changed| {
        if !changed.is_empty() && !changed.contains(&0) {
            retarget(fs, changed);
        }
    });
    retarget(fs, target.as_os_str().as_bytes());
}

fn damage_attributes(fs: &mut Fs, before: &Shown, path: &Path) {
    let mut names = vec![0; 4096];
    let len = llistxattr(path, &mut names).unwrap();
    for name in names[..len].split(|byte| *byte == 0) {
        if !name.starts_with(b"user.") {
            continue;
        }
        let name = OsStr::from_bytes(name);
        let mut value = vec![0; 4096];
        let len = lgetxattr(path, name, &mut value).unwrap();
        let set = |value: &[u8]| lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
        each_damage(&value[..len], |changed| {
            set(changed);
            check(fs, before, path);
        });
        set(&value[..len]);
    }
}

fn run(names: NameParams) {
    let mut fs = Fs::with(names);
    plant(&fs);
    let before = look(&fs);
    assert!(before.values().all(Result::is_ok));
    for path in fs.on_disk() {
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_symlink() {
            damage_symlink(&mut fs, &before, &path);
        } else if kind.is_file() {
            damage_file(&mut fs, &before, &path);
            damage_attributes(&mut fs, &before, &path);
        }
    }
    check(&mut fs, &before, Path::new("nothing"));
    assert_eq!(look(&fs), before);
}

#[test]
fn no_byte_of_a_vault_makes_it_lie() {
    run(ENCRYPTED);
}

#[test]
fn no_byte_of_a_vault_with_deterministic_names_makes_it_lie() {
    run(NameParams::Encrypted {
        long_limit: Some(62),
        dir_iv: false,
    });
}
