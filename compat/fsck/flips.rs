//! Every single bit of a small volume is flipped in turn: what is read differs or cannot be read,
//! and the check says so, and changes nothing.

use crate::support::digest::digest;
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Password, Secret};
use gocryptfs_rs::format::{NameParams, Params, PlainOffset};
use gocryptfs_rs::fsck::{Check, Options, Severity, Start};
use gocryptfs_rs::sys::OpenFlags;
use gocryptfs_rs::vault::conf::Conf;
use gocryptfs_rs::vault::{self, BackingName, CipherDir, Subject, Vault};
use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

struct Small {
    vault: Vault,
    dir: TempDir,
}

impl Small {
    fn new(content: ContentSuite) -> Self {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("gocryptfs.diriv"), "a directory's IV").unwrap();
        let params = Params {
            content,
            names: NameParams::encrypted(true, 0, true),
            padded: false,
            hkdf: true,
        };
        let how = vault::Options {
            preallocate: true,
            shared_storage: false,
        };
        let key = MasterKey(Secret::new([7; 32]));
        let vault = Vault::open(dir.path(), &params, &key, how).unwrap();
        let small = Self { vault, dir };
        small.fill();
        small
    }

    /// Files with nothing, little and more than a block in them, with a hole, with attributes;
    /// directories, a symlink, long names. No directory has only one entry, since a name alone
    /// does not tell every other one in 256 wrong IVs.
    fn fill(&self) {
        let top = self.vault.root().unwrap();
        self.file(&top, "empty", &[]);
        self.file(&top, "small", &[b"hello"]);
        self.file(&top, "blocks", &[&[b'x'; 4100]]);
        self.file(&top, "hole", &[b"", b"behind a hole"]);
        self.file(&top, &"n".repeat(200), &[b"long"]);
        let target = OsStr::new("/nowhere");
        let name = self.vault.encode(&top, OsStr::new("link")).unwrap();
        self.vault.symlink(&top, &name, target, None).unwrap();
        let small = self.vault.encode(&top, OsStr::new("small")).unwrap();
        let subject = Subject::Named(self.vault.top(), small.disk());
        let (attr, value) = (OsStr::new("user.colour"), b"green");
        self.vault.set_xattr(subject, attr, value, 0, None).unwrap();
        for name in ["dir", &"d".repeat(180)] {
            let stored = self.vault.encode(&top, OsStr::new(name)).unwrap();
            self.vault.mkdir(&top, &stored, 0o755, None).unwrap();
            let dir = self
                .vault
                .subdir(&top, &BackingName::from(&stored))
                .unwrap();
            for n in 0..4 {
                self.file(&dir, &format!("file {n}"), &[b"inside"]);
            }
        }
    }

    /// Makes a file, writing each part at the beginning of a later block.
    fn file(&self, dir: &CipherDir, name: &str, parts: &[&[u8]]) {
        let name = self.vault.encode(dir, OsStr::new(name)).unwrap();
        let made = self
            .vault
            .create_file(dir, &name, OpenFlags::RDWR, 0o644, None);
        let (file, _) = made.unwrap();
        for (at, part) in (0..).step_by(2 * 4096).zip(parts) {
            file.write(PlainOffset(at), part).unwrap();
        }
    }

    /// How much damage there is at a path; all of it for the top.
    fn damages(&self, path: &Path) -> usize {
        let start = Start::find(&self.vault, path).unwrap();
        let options = Options {
            threads: NonZeroUsize::MIN,
            clones: false,
            starts: vec![start],
            resume: None,
        };
        let damages = AtomicUsize::new(0);
        Check::new(&self.vault, options).run(&|finding| {
            let is_damage = finding.damage.severity() == Severity::Damage;
            damages.fetch_add(usize::from(is_damage), Ordering::Relaxed);
        });
        damages.into_inner()
    }

    /// A check of everything finds something, and leaves everything as it is.
    fn assert_unchanged_by_a_check(&self, what: &str) {
        let before = digest(self.dir.path()).unwrap();
        assert!(self.damages(Path::new("")) > 0, "{what}");
        assert_eq!(digest(self.dir.path()).unwrap(), before, "{what}");
    }

    /// All entries on disk below `dir`, relative to the top.
    fn entries(&self, dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(self.dir.path().join(dir)).unwrap() {
            let entry = entry.unwrap();
            let path = dir.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.entries(&path, into);
            }
            into.push(path);
        }
    }

    /// What to check after a change of the file at `path`: the object that it belongs to.
    fn belongs_to(path: &Path) -> PathBuf {
        let name = path.file_name().unwrap().to_str().unwrap();
        match name.strip_suffix(".name") {
            Some(object) => path.with_file_name(object),
            None if name == "gocryptfs.diriv" => path.parent().unwrap().to_owned(),
            None => path.to_owned(),
        }
    }
}

/// Calls `with` for every single bit of `bytes`, flipped.
fn flipped(bytes: &[u8], mut with: impl FnMut(&[u8], usize)) {
    let mut bytes = bytes.to_vec();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        with(&bytes, bit);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

fn flips_in_files(small: &Small) {
    let mut paths = Vec::new();
    small.entries(Path::new(""), &mut paths);
    for path in paths {
        let on_disk = small.dir.path().join(&path);
        if !fs::symlink_metadata(&on_disk).unwrap().is_file() {
            continue;
        }
        fs::set_permissions(&on_disk, fs::Permissions::from_mode(0o600)).unwrap();
        let file = File::options()
            .read(true)
            .write(true)
            .open(&on_disk)
            .unwrap();
        let content = fs::read(&on_disk).unwrap();
        let object = Small::belongs_to(&path);
        for bit in 0..content.len() * 8 {
            let (at, byte) = ((bit / 8) as u64, content[bit / 8]);
            file.write_all_at(&[byte ^ 1 << (bit % 8)], at).unwrap();
            let what = format!("bit {bit} of {}", path.display());
            assert!(small.damages(&object) > 0, "{what}");
            if bit == 0 {
                small.assert_unchanged_by_a_check(&what);
            }
            file.write_all_at(&[byte], at).unwrap();
        }
        assert_eq!(fs::read(&on_disk).unwrap(), content);
    }
}

fn flips_in_links(small: &Small) {
    let top = small.vault.root().unwrap();
    let name = small.vault.encode(&top, OsStr::new("link")).unwrap();
    let path = Path::new(name.disk());
    let on_disk = small.dir.path().join(path);
    let target = fs::read_link(&on_disk).unwrap();
    flipped(target.as_os_str().as_bytes(), |target, bit| {
        fs::remove_file(&on_disk).unwrap();
        symlink(OsString::from_vec(target.to_vec()), &on_disk).unwrap();
        assert!(small.damages(path) > 0, "bit {bit} of the target");
    });
    fs::remove_file(&on_disk).unwrap();
    symlink(&target, &on_disk).unwrap();
}

fn flips_in_attributes(small: &Small) {
    let top = small.vault.root().unwrap();
    let name = small.vault.encode(&top, OsStr::new("small")).unwrap();
    let path = Path::new(name.disk());
    let on_disk = small.dir.path().join(path);
    let attr = small.vault.disk_attr(OsStr::new("user.colour")).unwrap();
    let mut value = vec![0; 200];
    let length = lgetxattr(&on_disk, &attr, &mut value).unwrap();
    value.truncate(length);
    let set = |attr: &OsStr, value: &[u8]| lsetxattr(&on_disk, attr, value, XattrFlags::empty());
    flipped(&value, |value, bit| {
        set(&attr, value).unwrap();
        assert!(small.damages(path) > 0, "bit {bit} of the value");
    });
    rustix::fs::lremovexattr(&on_disk, &attr).unwrap();
    let prefix = "user.gocryptfs.";
    let text = attr.as_bytes().strip_prefix(prefix.as_bytes()).unwrap();
    flipped(text, |text, bit| {
        let mut attr = OsString::from(prefix);
        attr.push(OsStr::from_bytes(text));
        // a name with a zero byte is none
        if set(&attr, &value).is_ok() {
            assert!(small.damages(path) > 0, "bit {bit} of the name");
            rustix::fs::lremovexattr(&on_disk, &attr).unwrap();
        }
    });
    set(&attr, &value).unwrap();
}

fn flip_everything(content: ContentSuite) {
    let small = Small::new(content);
    assert_eq!(small.damages(Path::new("")), 0);
    flips_in_files(&small);
    flips_in_links(&small);
    flips_in_attributes(&small);
    assert_eq!(small.damages(Path::new("")), 0);
}

#[test]
fn every_flipped_bit_is_found_with_aes_gcm() {
    flip_everything(ContentSuite::AesGcm);
}

#[test]
fn every_flipped_bit_is_found_with_aes_siv() {
    flip_everything(ContentSuite::AesSiv);
}

#[test]
fn every_flipped_bit_is_found_with_xchacha() {
    flip_everything(ContentSuite::XChaCha);
}

#[test]
fn every_flipped_bit_of_a_configuration_is_found_or_of_no_consequence() {
    let vault = super::broken("shared-id");
    let text = fs::read(vault.dir.join("gocryptfs.conf")).unwrap();
    let password = Password::new(b"test".to_vec());
    let read = |text: &[u8]| {
        let conf = Conf::parse(text).ok()?;
        let key = conf.unlock(&password).ok()?;
        Some((conf.flags(), *key.0.expose()))
    };
    let before = read(&text);
    assert!(before.is_some());
    flipped(&text, |text, bit| {
        let after = read(text);
        assert!(after.is_none() || after == before, "bit {bit} is not found");
    });
}
