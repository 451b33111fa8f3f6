//! Copies inside a mount that share their storage: what is shared is counted on the ciphertext, by
//! asking the backing file system where the data lies.

mod backing;
mod edges;
mod full;
mod preload;
mod random;
mod rows;
mod threads;
mod verb;
mod waiting;

use crate::golden::assert_same;
use crate::support::digest::digest;
use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Features, Vault};
use gocryptfs_rs::sys;
use rustix::fs::copy_file_range;
use rustix::io::Errno;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Plain bytes in a block, and the bytes that it has on disk with AES-GCM.
const BLOCK: u64 = 4096;
const CIPHER_BLOCK: u64 = 4128;
const HEADER: u64 = 18;
/// A length beyond the end of every file.
const WHOLE: u64 = u64::MAX >> 1;

/// The file systems that share storage.
const SHARING: [Kind; 2] = [Kind::Btrfs, Kind::Xfs];

/// A mounted vault on a small disk.
struct Ground {
    // from the inside out
    mount: Mount,
    vault: Vault,
    disk: Disk,
}

/// Bytes of ciphertext that lie in a place of their own, and in one that they share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Space {
    own: u64,
    shared: u64,
}

fn features(name: &str) -> &'static Features {
    let mut all = ALL_FEATURES.iter();
    all.find(|features| features.name == name).unwrap()
}

impl Ground {
    /// `None`, and a note, where there is no such file system.
    fn new(kind: Kind, what: &str, features: &Features, options: &[&str]) -> Option<Self> {
        Some(Self::on(Disk::new(kind, what)?, features, options))
    }

    fn on(disk: Disk, features: &Features, options: &[&str]) -> Self {
        let ours = Program::ours();
        let vault = Vault::new_in(&disk.path(), &ours, features);
        let mount = Mount::new(&ours, &vault, options);
        Self { mount, vault, disk }
    }

    /// With names as they are, so that a file and its ciphertext are called the same.
    fn plain(kind: Kind, what: &str) -> Option<Self> {
        Self::new(kind, what, features("plaintextnames"), &[])
    }

    /// The path of an entry in the plain tree.
    fn join(&self, name: &str) -> PathBuf {
        self.mount.path().join(name)
    }

    fn open(&self, name: &str) -> File {
        let options = &mut File::options();
        options.read(true).write(true).create(true).truncate(false);
        options.open(self.join(name)).unwrap()
    }

    /// Makes a file that is on disk as a whole.
    fn write(&self, name: &str, content: &[u8]) -> File {
        let file = self.open(name);
        file.write_all_at(content, 0).unwrap();
        file.sync_all().unwrap();
        file
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.join(name)).unwrap()
    }

    /// Where a range of the ciphertext of a file lies, if names are plain.
    fn space_in(&self, name: &str, range: Range<u64>) -> Space {
        space(&self.vault.dir.join(name), range)
    }

    fn space_of(&self, name: &str) -> Space {
        self.space_in(name, 0..u64::MAX)
    }

    /// Where all files of the vault lie, whatever their names; but for the small ones of the format.
    fn space(&self) -> Space {
        const SMALL: u64 = 4096;
        let mut all = Space::default();
        let mut dirs = vec![self.vault.dir.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let entry = entry.unwrap();
                let path = entry.path();
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => dirs.push(path),
                    kind if kind.is_file() && entry.metadata().unwrap().len() > SMALL => {
                        let found = space(&path, 0..u64::MAX);
                        all.own += found.own;
                        all.shared += found.shared;
                    }
                    _ => {}
                }
            }
        }
        all
    }

    /// Unmounts and mounts again.
    fn again(self, program: &Program, options: &[&str]) -> Self {
        let Self { mount, vault, disk } = self;
        mount.unmount();
        let mount = Mount::new(program, &vault, options);
        Self { mount, vault, disk }
    }

    /// Changes a few bytes of every file, in each of them to something else.
    fn edit(&self, at: u64) {
        for (number, entry) in fs::read_dir(self.mount.path()).unwrap().enumerate() {
            let path = entry.unwrap().path();
            if path.is_file() && path.metadata().unwrap().len() > at + 2000 {
                let file = File::options().write(true).open(path).unwrap();
                let bytes = [number.to_le_bytes()[0]; 1000];
                file.write_all_at(&bytes, at).unwrap();
            }
        }
    }

    /// Has both programs change every file and read what the other one wrote, and the Go program
    /// check everything.
    fn finish(self, what: &str) {
        let Some(go) = Program::go(what) else { return };
        self.edit(9000);
        let written = digest(&self.mount.path()).unwrap();
        let ground = self.again(&go, &[]);
        assert_same(&written, &digest(&ground.mount.path()).unwrap(), what);
        ground.edit(4000);
        let written = digest(&ground.mount.path()).unwrap();
        let ground = ground.again(&Program::ours(), &[]);
        assert_same(&written, &digest(&ground.mount.path()).unwrap(), what);
        let log = ground.mount.unmount();
        assert!(!log.contains("corrupt"), "{what}: {log}");
        ground.vault.assert_clean(&go);
    }
}

/// Does something in a vault on a small disk, and has both programs look at it.
fn run(kind: Kind, what: &str, part: impl Fn(&Ground)) {
    let what = format!("{what} on {kind:?}");
    if let Some(ground) = Ground::plain(kind, &what) {
        part(&ground);
        ground.finish(&what);
    }
}

fn space(path: &Path, range: Range<u64>) -> Space {
    let dir = sys::Dir::open(path.parent().unwrap()).unwrap();
    let name = path.file_name().unwrap();
    let file = dir.open_file(name, sys::OpenFlags::RDONLY).unwrap();
    sys::Backing::sync(&file, false).unwrap();
    let mut space = Space::default();
    // what XFS has reserved for more to come does not count
    let end = range.end.min(sys::Backing::len(&file).unwrap());
    // tmpfs does not tell, and shares nothing
    for extent in file.extents().unwrap_or_default() {
        let end = (extent.start + extent.len).min(end);
        let len = end.saturating_sub(extent.start.max(range.start));
        if extent.shared {
            space.shared += len;
        } else {
            space.own += len;
        }
    }
    space
}

/// Where whole plain blocks lie in the ciphertext.
fn cipher_range(plain: Range<u64>) -> Range<u64> {
    let start = |at: u64| HEADER + at / BLOCK * CIPHER_BLOCK;
    start(plain.start + BLOCK - 1)..start(plain.end)
}

/// Copies as programs do: asks for all that is left until there is no more.
fn copy(from: &File, to: &File, from_at: u64, to_at: u64, len: u64) -> Result<u64, Errno> {
    let mut done = 0;
    while done < len {
        let (mut read, mut write) = (from_at + done, to_at + done);
        let left = usize::try_from(len - done).unwrap();
        match copy_file_range(from, Some(&mut read), to, Some(&mut write), left)? {
            0 => break,
            copied => done += copied as u64,
        }
    }
    Ok(done)
}

/// Copies a file piece by piece.
fn copy_in_pieces(from: &File, to: &File, piece: u64) {
    let mut at = 0;
    loop {
        match copy(from, to, at, at, piece).unwrap() {
            0 => return,
            copied => at += copied,
        }
    }
}

/// Bytes that differ in every block.
fn bytes(seed: u8, len: usize) -> Vec<u8> {
    let cycle = (0..=250_u8).cycle().skip(seed.into());
    cycle
        .take(len)
        .map(|byte| byte.wrapping_add(seed))
        .collect()
}
