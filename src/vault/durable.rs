//! Making helper files durable together with what depends on them.
//!
//! A file that a program has synced is lost all the same if, after a power failure, its directory
//! has no IV, or its long name is gone. Syncing each helper file when it is made would cost a flush
//! of the disk for each directory; so they wait until somebody syncs anything.
//!
//! Invariant: when [`Vault::sync_helpers`] returns, every helper file that was written before is
//! on disk.

use parking_lot::Mutex;

use crate::sys::{self, Backing, Dir, File};
use crate::vault::Vault;
use crate::vault::error::Result;

/// Files that are kept open to be synced. With more than that, it is cheaper to sync all of the
/// backing file system at once.
const KEPT: usize = 64;

/// Helper files that may not be on disk yet.
#[derive(Default)]
pub(super) struct Unsynced {
    waiting: Mutex<Waiting>,
    /// Held while they are synced: whoever comes second must not return before it is done.
    syncing: Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    files: Vec<File>,
    /// There are others besides.
    has_more: bool,
}

impl Unsynced {
    /// Takes in a file that was written.
    pub(super) fn note(&self, file: File) {
        let mut waiting = self.waiting.lock();
        if waiting.has_more {
            return;
        }
        if waiting.files.len() < KEPT {
            waiting.files.push(file);
        } else {
            *waiting = Waiting {
                files: Vec::new(),
                has_more: true,
            };
        }
    }

    fn sync(&self, top: &Dir) -> sys::Result<()> {
        let _one_after_the_other = self.syncing.lock();
        let Waiting { files, has_more } = std::mem::take(&mut *self.waiting.lock());
        let mut synced = files.iter().try_for_each(|file| file.sync(false));
        if has_more {
            synced = top.sync_fs();
        }
        if synced.is_err() {
            self.waiting.lock().has_more = true;
        }
        synced
    }
}

impl Vault {
    /// Makes the helper files durable that were written so far.
    ///
    /// # Errors
    /// What `fsync(2)` says; the next call tries again.
    pub fn sync_helpers(&self) -> Result<()> {
        Ok(self.unsynced.sync(&self.root)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_few_files_are_kept_and_many_are_synced_at_once() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = Dir::open(scratch.path()).unwrap();
        let unsynced = Unsynced::default();
        for number in 0..=KEPT {
            let name = number.to_string();
            let file = dir.create_with(OsStr::new(&name), 0o600, b"x");
            unsynced.note(file.unwrap());
            let waiting = unsynced.waiting.lock();
            assert_eq!(waiting.has_more, number == KEPT);
            assert_eq!(waiting.files.len(), (number + 1) % (KEPT + 1));
        }
        unsynced.sync(&dir).unwrap();
        let waiting = unsynced.waiting.lock();
        assert!(waiting.files.is_empty() && !waiting.has_more);
    }
}
