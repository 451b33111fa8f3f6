//! How far a check is, to be read while it runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ledger::Totals;

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    dirs: AtomicU64,
    bytes: AtomicU64,
    all_files: AtomicU64,
    all_bytes: AtomicU64,
    is_counted: AtomicBool,
}

impl Progress {
    pub(super) fn new(done: &Totals) -> Progress {
        Progress {
            files: AtomicU64::new(done.files),
            dirs: AtomicU64::new(done.dirs),
            bytes: AtomicU64::new(done.bytes),
            ..Progress::default()
        }
    }

    /// Files and other objects that are no directories, done so far.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Directories begun so far.
    pub fn dirs(&self) -> u64 {
        self.dirs.load(Ordering::Relaxed)
    }

    /// Bytes of regular files in the encrypted directory, done so far; holes count.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Files and bytes in all, once they have been counted.
    pub fn total(&self) -> Option<(u64, u64)> {
        self.is_counted.load(Ordering::Acquire).then(|| {
            let files = self.all_files.load(Ordering::Relaxed);
            (files, self.all_bytes.load(Ordering::Relaxed))
        })
    }

    pub(super) fn add_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_dir(&self) {
        self.dirs.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds to what there is in all.
    pub(super) fn expect(&self, files: u64, bytes: u64) {
        self.all_files.fetch_add(files, Ordering::Relaxed);
        self.all_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Tells that all has been counted.
    pub(super) fn counted(&self) {
        self.is_counted.store(true, Ordering::Release);
    }
}
