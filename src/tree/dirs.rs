//! The most recently used open directories.
//!
//! A hit costs no system call. A directory stays valid when it is renamed, since the handle
//! moves along; it is dropped when its node is removed or forgotten.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::tree::NodeId;

/// A bounded cache of open directories by node.
pub struct DirCache<D> {
    cache: Mutex<LruCache<NodeId, Arc<D>>>,
}

impl<D> DirCache<D> {
    /// A cache of at most `capacity` directories (descriptors).
    pub fn new(capacity: NonZeroUsize) -> DirCache<D> {
        DirCache {
            cache: Mutex::new(LruCache::new(capacity)),
        }
    }

    /// The directory of `node`, if it is in the cache.
    pub fn get(&self, node: NodeId) -> Option<Arc<D>> {
        self.cache.lock().get(&node).cloned()
    }

    /// Keeps `dir` as the directory of `node`; returns it shared.
    pub fn put(&self, node: NodeId, dir: D) -> Arc<D> {
        let dir = Arc::new(dir);
        let evicted = self.cache.lock().push(node, Arc::clone(&dir));
        drop(evicted); // a close(2) can block: not under the lock
        dir
    }

    /// Drops the directory of `node`.
    pub fn remove(&self, node: NodeId) {
        let removed = self.cache.lock().pop(&node);
        drop(removed);
    }
}
