//! Counting how often something was there already.

use std::sync::atomic::{AtomicU64, Ordering};

/// Hits and misses so far.
#[derive(Debug, Default)]
pub struct HitCount {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl HitCount {
    /// Counts one more.
    pub fn note(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How many hits there were, and how many misses.
    pub fn get(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.hits), count(&self.misses))
    }
}
