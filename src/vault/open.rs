//! The open files of a vault: one lock and one cached file ID for each backing file, however
//! many handles and hard links lead to it.
//!
//! Lock order of the whole program: nodes, then directories, then file content; two files in the
//! order of their [`FileKey`]. Node and directory locks are never held across a system call that
//! can block.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::format::{BlockNo, CipherOffset, FileId};
use crate::sys::FileKey;

/// The table of open files.
#[derive(Default)]
pub(crate) struct OpenFiles {
    table: Mutex<HashMap<FileKey, Weak<Content>>>,
}

/// A place in the table of open files, given back on drop.
pub(crate) struct Registration {
    table: Arc<OpenFiles>,
    key: FileKey,
    content: Arc<Content>,
}

/// The content of one backing file, shared by everybody who has it open.
pub(crate) struct Content {
    lock: RwLock<()>,
    known: Mutex<Known>,
    last_written: Mutex<Option<Written>>,
    /// Whether what is known may be kept: not when somebody else writes the vault too.
    cacheable: bool,
}

/// What is known of the content without asking the backing file.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    /// The file ID in the header.
    pub(crate) id: Option<FileId>,
    /// The size of the backing file.
    pub(crate) size: Option<CipherOffset>,
}

/// The block in which the last write ended, both ways: the next write goes on there, most likely.
pub(crate) struct Written {
    /// Which block.
    pub(crate) no: BlockNo,
    /// Its plain bytes.
    pub(crate) plain: Vec<u8>,
    /// As it is stored.
    pub(crate) stored: Vec<u8>,
}

impl OpenFiles {
    /// Registers one more handle of the file `key`.
    pub(crate) fn register(self: &Arc<Self>, key: FileKey, cacheable: bool) -> Registration {
        let mut table = self.table.lock();
        let content = table
            .get(&key)
            .and_then(Weak::upgrade)
            .unwrap_or_else(|| Arc::new(Content::new(cacheable)));
        table.insert(key, Arc::downgrade(&content));
        Registration {
            table: Arc::clone(self),
            key,
            content,
        }
    }
}

impl Registration {
    /// The backing file.
    pub(crate) fn key(&self) -> FileKey {
        self.key
    }

    /// Its shared content.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut table = self.table.table.lock();
        // References are only taken under this lock: the last one cannot be joined any more.
        if Arc::strong_count(&self.content) == 1 {
            table.remove(&self.key);
        }
    }
}

impl Content {
    fn new(cacheable: bool) -> Content {
        Content {
            lock: RwLock::new(()),
            known: Mutex::default(),
            last_written: Mutex::default(),
            cacheable,
        }
    }

    /// Keeps writers out.
    pub(crate) fn share(&self) -> RwLockReadGuard<'_, ()> {
        self.lock.read()
    }

    /// Keeps everybody else out.
    pub(crate) fn exclude(&self) -> RwLockWriteGuard<'_, ()> {
        let guard = self.lock.write();
        self.take_written();
        guard
    }

    /// As [`Content::exclude`], for a write that may go on where the last one ended.
    pub(crate) fn exclude_to_write(&self) -> RwLockWriteGuard<'_, ()> {
        self.lock.write()
    }

    /// The block in which the last write ended, if that was the last change. For holders of the
    /// exclusive lock, who are about to change something.
    pub(crate) fn take_written(&self) -> Option<Written> {
        self.last_written.lock().take()
    }

    /// Notes the block in which a write ended. For holders of the exclusive lock.
    pub(crate) fn set_written(&self, written: Option<Written>) {
        if self.cacheable {
            *self.last_written.lock() = written;
        }
    }

    /// Whether anybody holds the lock.
    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// Whether nobody else writes the file behind our back.
    pub(crate) fn is_cacheable(&self) -> bool {
        self.cacheable
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        *self.known.lock()
    }

    /// Notes the file ID that was read or written.
    pub(crate) fn set_id(&self, id: Option<FileId>) {
        if self.cacheable {
            self.known.lock().id = id;
        }
    }

    /// Notes the size of the backing file. For holders of the lock.
    pub(crate) fn set_size(&self, size: Option<CipherOffset>) {
        if self.cacheable {
            self.known.lock().size = size;
        }
    }
}

/// The locks of a copy: the source shared, the target exclusive.
pub(crate) struct PairLock<'a> {
    _source: Option<RwLockReadGuard<'a, ()>>,
    _target: RwLockWriteGuard<'a, ()>,
}

/// Locks two files for a copy, in the order of their keys. They may be the same.
pub(crate) fn lock_pair<'a>(source: &'a Registration, target: &'a Registration) -> PairLock<'a> {
    let (share, exclude) = (|| Some(source.content.share()), || target.content.exclude());
    let (source, target) = match source.key.cmp(&target.key) {
        Ordering::Equal => (None, exclude()),
        Ordering::Less => {
            let source = share();
            (source, exclude())
        }
        Ordering::Greater => {
            let target = exclude();
            (share(), target)
        }
    };
    PairLock {
        _source: source,
        _target: target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FileKey = FileKey { dev: 1, ino: 2 };

    #[test]
    fn handles_of_one_file_share_what_is_known() {
        let files = Arc::new(OpenFiles::default());
        let one = files.register(KEY, true);
        let other = files.register(KEY, true);
        one.content().set_id(Some(FileId([7; 16])));
        assert_eq!(other.content().known().id, Some(FileId([7; 16])));
    }

    #[test]
    fn the_last_handle_takes_the_entry_with_it() {
        let files = Arc::new(OpenFiles::default());
        let one = files.register(KEY, true);
        let other = files.register(KEY, true);
        drop(one);
        assert_eq!(files.table.lock().len(), 1);
        drop(other);
        assert!(files.table.lock().is_empty());
    }

    #[test]
    fn a_shared_vault_keeps_nothing() {
        let files = Arc::new(OpenFiles::default());
        let one = files.register(KEY, false);
        one.content().set_id(Some(FileId([7; 16])));
        assert_eq!(one.content().known().id, None);
    }
}
