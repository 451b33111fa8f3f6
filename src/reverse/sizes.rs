//! The sizes that the kernel was told.
//!
//! It cuts what is read at the size it knows. A block of a file that has grown since would be cut
//! in the middle and open no more; so the file is sealed as if it ended where the kernel thinks.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::format::CipherOffset;
use crate::sys::Stat;
use crate::vfs::NodeId;

/// The size that was told last for each regular file that the kernel knows.
#[derive(Default)]
pub(super) struct Sizes {
    told: Mutex<HashMap<NodeId, CipherOffset>>,
}

impl Sizes {
    /// Notes attributes that the kernel gets.
    pub(super) fn tell(&self, node: NodeId, stat: &Stat) {
        if stat.is_file() {
            self.told.lock().insert(node, CipherOffset(stat.size));
        }
    }

    /// What the kernel was told.
    pub(super) fn told(&self, node: NodeId) -> Option<CipherOffset> {
        self.told.lock().get(&node).copied()
    }

    /// Drops what was told of a node that is gone.
    pub(super) fn forget(&self, node: NodeId) {
        self.told.lock().remove(&node);
    }
}
