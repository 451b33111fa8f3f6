//! What tests share: a directory of their own, and numbers that replay.

use std::ffi::OsStr;
use std::path::Path;
use std::time::SystemTime;

use super::Dir;
use super::process::effective_uid;

/// An empty directory that is removed at the end. `TMPDIR` chooses the filesystem.
pub(super) struct Scratch {
    /// The directory, opened.
    pub(super) dir: Dir,
    on_disk: tempfile::TempDir,
}

impl Scratch {
    pub(super) fn new() -> Scratch {
        let on_disk = tempfile::tempdir().unwrap();
        Scratch {
            dir: Dir::open(on_disk.path()).unwrap(),
            on_disk,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.on_disk.path()
    }
}

/// A name as the methods of [`Dir`] take it.
pub(super) fn name(name: &str) -> &OsStr {
    OsStr::new(name)
}

/// Whether this is root; says that something is skipped if not.
pub(super) fn is_root() -> bool {
    let root = effective_uid() == 0;
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

/// Numbers that look random and are the same for the same seed (`splitmix64`).
pub(crate) struct Rng(u64);

impl Rng {
    /// A new seed, printed; `SEED` in the environment replays one.
    pub(crate) fn seed() -> u64 {
        let given = std::env::var("SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            u64::from(now.unwrap().subsec_nanos())
        });
        eprintln!("SEED={seed}");
        seed
    }

    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
