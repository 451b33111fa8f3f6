//! Files with several names, all of which must show the same bytes: one path decides.
//!
//! Invariant: from the first time that a file is opened until the unmount its path stays the same,
//! unless more files with several names were looked up since than the table holds.

use std::num::NonZeroUsize;

use lru::LruCache;
use parking_lot::Mutex;

use crate::format::ViewPath;
use crate::sys::FileKey;

/// How many files with several names are remembered: some ten megabytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

/// The paths that decide.
pub(super) struct HardLinks {
    table: Mutex<LruCache<FileKey, Link>>,
}

struct Link {
    path: ViewPath,
    /// Whether the file was opened, so that the path must not change any more.
    opened: bool,
}

impl Default for HardLinks {
    fn default() -> HardLinks {
        HardLinks {
            table: Mutex::new(LruCache::new(CAPACITY)),
        }
    }
}

impl HardLinks {
    /// Notes that a file with several names was looked up: the last path before it is opened
    /// decides.
    pub(super) fn looked_up(&self, file: FileKey, path: ViewPath) {
        let mut table = self.table.lock();
        let opened = false;
        let link = table.get_or_insert_mut(file, || Link {
            path: path.clone(),
            opened,
        });
        if !link.opened {
            link.path = path;
        }
    }

    /// The path that decides for a file that is being opened through `own`. It stays the same even
    /// when the other names are gone.
    pub(super) fn opened(&self, file: FileKey, several_names: bool, own: ViewPath) -> ViewPath {
        let mut table = self.table.lock();
        match table.get_mut(&file) {
            Some(link) if link.opened || several_names => {
                link.opened = true;
                link.path.clone()
            }
            None if several_names => {
                let path = own.clone();
                table.put(file, Link { path, opened: true });
                own
            }
            _ => own,
        }
    }

    /// The path that was looked up last for a symlink, which is never opened.
    pub(super) fn last(&self, link: FileKey) -> Option<ViewPath> {
        let mut table = self.table.lock();
        table.get(&link).map(|link| link.path.clone())
    }
}
