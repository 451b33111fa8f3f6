//! The most recently used open directories.
//!
//! A hit costs no system call. A directory stays valid when it is renamed, since the handle
//! moves along; it is dropped when its node is removed or forgotten.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::sys::{Errno, FileKey};
use crate::tree::{HitCount, NodeId, Nodes};

/// A bounded cache of open directories by node.
pub struct DirCache<D> {
    cache: Mutex<LruCache<NodeId, Arc<D>>>,
    reached: HitCount,
}

impl<D> DirCache<D> {
    /// A cache of at most `capacity` directories (descriptors).
    pub fn new(capacity: NonZeroUsize) -> DirCache<D> {
        DirCache {
            cache: Mutex::new(LruCache::new(capacity)),
            reached: HitCount::default(),
        }
    }

    /// The directory of `node`, if it is in the cache.
    pub fn get(&self, node: NodeId) -> Option<Arc<D>> {
        self.cache.lock().get(&node).cloned()
    }

    /// The open directory of `node`: from the cache, or opened with `open` from the nearest
    /// ancestor that is in it, in the last resort from what `root` opens.
    ///
    /// # Errors
    /// `ENOENT` if the node has no place any more, `ESTALE` if another directory is there now,
    /// `ELOOP` if directories that were moved from outside seem to contain each other; what `root`
    /// and `open` say.
    pub fn reach<N: Clone + Eq + Hash, E: From<Errno>>(
        &self,
        nodes: &Nodes<N>,
        node: NodeId,
        root: impl FnOnce() -> Result<D, E>,
        open: impl Fn(&D, &N) -> Result<(D, FileKey), E>,
    ) -> Result<Arc<D>, E> {
        let cached = self.get(node);
        self.reached.note(cached.is_some());
        if let Some(dir) = cached {
            return Ok(dir);
        }
        let mut missing = Vec::new();
        let mut current = node;
        let mut dir = loop {
            if let Some(dir) = self.get(current) {
                break dir;
            }
            if current == NodeId::ROOT {
                break self.put(current, root()?);
            }
            let place = nodes.place(current).ok_or(Errno::NOENT)?;
            if missing.len() > nodes.count() {
                return Err(Errno::LOOP.into());
            }
            missing.push((current, place.name));
            current = place.parent;
        };
        for (child, name) in missing.into_iter().rev() {
            let (opened, key) = open(&dir, &name)?;
            if Some(key) != nodes.key(child) {
                return Err(Errno::STALE.into());
            }
            dir = self.put(child, opened);
        }
        Ok(dir)
    }

    /// How often [`DirCache::reach`] has found its directory in the cache, and how often not.
    pub fn hits_and_misses(&self) -> (u64, u64) {
        self.reached.get()
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
