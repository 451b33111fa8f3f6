//! The long names of a directory by their hashes, which cannot be decrypted.
//!
//! Invariant: that a hash is not in the table means that no such name is there, as long as the
//! directory has not changed; that it is in it is checked by whoever looks at the object.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::member::Name;
use crate::sys::{DirStream, Errno, Stat, Time};
use crate::vfs::Result;

/// How old the last change must have been when the directory was read. Time stamps are coarse:
/// after a younger one, another change could bear the same.
const SETTLED: Duration = Duration::from_secs(2);

/// A table of long names.
pub(super) struct LongNames {
    by_hash: HashMap<Box<OsStr>, Arc<Name>>,
    /// The time stamps that the directory had before it was read.
    changed: (Time, Time),
    read_at: SystemTime,
}

impl LongNames {
    /// An empty table for a directory that is about to be read.
    pub(super) fn new(dir: &Stat) -> LongNames {
        LongNames {
            by_hash: HashMap::new(),
            changed: (dir.mtime, dir.ctime),
            read_at: SystemTime::now(),
        }
    }

    /// Takes in a name if it is long.
    pub(super) fn add(&mut self, name: &Arc<Name>) {
        if name.full.is_some() {
            self.by_hash.insert(name.shown.clone(), Arc::clone(name));
        }
    }

    /// Whether every long name that is in the directory is in the table.
    fn is_complete(&self, dir: &Stat) -> bool {
        self.changed == (dir.mtime, dir.ctime) && dir.ctime.is_older_than(SETTLED, self.read_at)
    }
}

impl Reverse {
    /// The object whose encrypted name has the hash `hash`.
    pub(super) fn long_name(&self, dir: &ViewDir, hash: &OsStr) -> Result<Arc<Name>> {
        let stat = dir.dir.stat()?;
        let mut table = dir.long_names.lock();
        if let Some(known) = &*table {
            match known.by_hash.get(hash) {
                Some(name) if dir.dir.stat_at(&name.plain).is_ok() => return Ok(Arc::clone(name)),
                None if known.is_complete(&stat) => return Err(Errno::NOENT.into()),
                _ => {}
            }
        }
        let fresh = table.insert(self.read_long_names(dir, &stat)?);
        let found = fresh.by_hash.get(hash).cloned();
        Ok(found.ok_or(Errno::NOENT)?)
    }

    fn read_long_names(&self, dir: &ViewDir, stat: &Stat) -> Result<LongNames> {
        let mut names = LongNames::new(stat);
        let mut stream = DirStream::open(&dir.dir)?;
        while let Some(entry) = stream.next_entry() {
            let plain = entry?.name;
            if self.codecs.names.is_hashed(plain.len())
                && let Some(name) = self.name(dir, plain)
            {
                names.add(&Arc::new(name));
            }
        }
        Ok(names)
    }
}
