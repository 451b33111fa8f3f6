//! The open files and directories that the kernel refers to by number.

use std::sync::Arc;

use parking_lot::RwLock;
use slab::Slab;

use crate::sys::Errno;
use crate::vfs::{Error, Handle, Result};

/// A table of open things. What an operation has got hold of stays open until it is done, also
/// when the handle is released meanwhile.
pub(super) struct Handles<T> {
    open: RwLock<Slab<Arc<T>>>,
}

impl<T> Default for Handles<T> {
    fn default() -> Handles<T> {
        Handles {
            open: RwLock::new(Slab::new()),
        }
    }
}

impl<T> Handles<T> {
    pub(super) fn insert(&self, value: T) -> Handle {
        Handle(self.open.write().insert(Arc::new(value)) as u64)
    }

    /// `EBADF` if the handle was released.
    pub(super) fn get(&self, handle: Handle) -> Result<Arc<T>> {
        let index = usize::try_from(handle.0).unwrap_or(usize::MAX);
        let found = self.open.read().get(index).cloned();
        found.ok_or(Error::Os(Errno::BADF))
    }

    pub(super) fn remove(&self, handle: Handle) {
        let index = usize::try_from(handle.0).unwrap_or(usize::MAX);
        let removed = self.open.write().try_remove(index);
        drop(removed); // closing can block: not under the lock
    }

    /// Any open thing that `wanted` accepts.
    pub(super) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let open = self.open.read();
        open.iter()
            .map(|(_, value)| value)
            .find(|v| wanted(v))
            .cloned()
    }
}
