//! The open files and directories that the kernel refers to by number.

use std::sync::Arc;

use parking_lot::RwLock;
use slab::Slab;

use crate::sys::{Errno, Result};

/// Names an open file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub u64);

/// A table of open things. What an operation has got hold of stays open until it is done, also
/// when the handle is released meanwhile.
pub struct Handles<T> {
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
    /// Takes in an open thing.
    pub fn insert(&self, value: impl Into<Arc<T>>) -> Handle {
        Handle(self.open.write().insert(value.into()) as u64)
    }

    /// The open thing of a handle.
    ///
    /// # Errors
    /// `EBADF` if the handle was released.
    pub fn get(&self, handle: Handle) -> Result<Arc<T>> {
        let index = usize::try_from(handle.0).unwrap_or(usize::MAX);
        let found = self.open.read().get(index).cloned();
        found.ok_or(Errno::BADF)
    }

    /// Lets go of an open thing.
    pub fn remove(&self, handle: Handle) {
        let index = usize::try_from(handle.0).unwrap_or(usize::MAX);
        let removed = self.open.write().try_remove(index);
        drop(removed); // closing can block: not under the lock
    }
}
