//! The files that the kernel has open, found by handle or by what they are.
//!
//! Invariant: an open file is found by its key from before its handle is known until after the
//! handle is released.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::Mutex;

use crate::sys::{FileKey, Result};
use crate::tree::{Handle, Handles, HitCount};
use crate::vault::CipherFile;

/// A file with a handle.
pub(super) struct OpenFile {
    pub(super) file: CipherFile,
    /// Whether something was written of which a close might report the loss.
    pub(super) written: AtomicBool,
    /// Whether copies into this handle must share storage or fail.
    pub(super) strict: AtomicBool,
    /// Bytes that copies into this handle have shared.
    pub(super) shared: AtomicU64,
}

/// All of them.
#[derive(Default)]
pub(super) struct OpenFiles {
    handles: Handles<OpenFile>,
    by_key: Mutex<HashMap<FileKey, Vec<Arc<OpenFile>>>>,
    found: HitCount,
}

impl OpenFiles {
    /// Gives a file a handle.
    pub(super) fn insert(&self, file: CipherFile) -> Handle {
        let key = file.key();
        let open = Arc::new(OpenFile {
            file,
            written: AtomicBool::new(false),
            strict: AtomicBool::new(false),
            shared: AtomicU64::new(0),
        });
        let mut by_key = self.by_key.lock();
        by_key.entry(key).or_default().push(Arc::clone(&open));
        drop(by_key);
        self.handles.insert(open)
    }

    /// The file of a handle.
    pub(super) fn get(&self, handle: Handle) -> Result<Arc<OpenFile>> {
        self.handles.get(handle)
    }

    /// The file `key`, if it is open.
    pub(super) fn of(&self, key: FileKey) -> Option<Arc<OpenFile>> {
        let by_key = self.by_key.lock();
        let found = by_key.get(&key).and_then(|same| same.last().cloned());
        drop(by_key);
        self.found.note(found.is_some());
        found
    }

    /// How often [`OpenFiles::of`] has found a file, and how often not.
    pub(super) fn hits_and_misses(&self) -> (u64, u64) {
        self.found.get()
    }

    /// Lets go of a handle.
    pub(super) fn remove(&self, handle: Handle) {
        let Ok(open) = self.handles.get(handle) else {
            return;
        };
        self.handles.remove(handle);
        let mut by_key = self.by_key.lock();
        if let Some(same) = by_key.get_mut(&open.file.key()) {
            same.retain(|other| !Arc::ptr_eq(other, &open));
            if same.is_empty() {
                by_key.remove(&open.file.key());
            }
        }
        // Closing can block: `open` goes last, when the lock is free.
        drop(by_key);
    }
}
