//! Checks a vault: everything in the encrypted directory is looked at where it is. Nothing is
//! mounted, nothing is changed, no plaintext reaches a disk.
//!
//! Directories and large files are taken apart into work for several threads. What is found comes
//! out as data, one [`Finding`] after the other, in no particular order. Memory is bounded: the
//! queue of work is, files are read in pieces, and nothing is kept of a file that is done, save of
//! those that have several names.

mod count;
mod entry;
mod file;
mod find;
mod finding;
mod ledger;
mod links;
mod place;
mod progress;
mod queue;
pub mod repair;
mod walk;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use find::Start;
pub use finding::{Damage, Finding, Remedy, Severity};
pub use ledger::{Checkpoint, Mark, Totals};
pub use progress::Progress;

use crate::vault::Vault;
use ledger::Ledger;
use walk::Walk;

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many threads work at once.
    pub threads: NonZeroUsize,
    /// Whether files that have one file ID are reported. It takes memory for every file.
    pub clones: bool,
    /// Where to begin; everything if there is none.
    pub starts: Vec<Start>,
    /// An interrupted check to go on from. Only without `starts`.
    pub resume: Option<Checkpoint>,
}

/// A check, to be run once and watched by other threads meanwhile.
pub struct Check<'a> {
    vault: &'a Vault,
    options: Options,
    progress: Progress,
    stopped: AtomicBool,
    counting_ends: AtomicBool,
    ledger: Arc<Ledger>,
}

impl<'a> Check<'a> {
    /// Prepares a check.
    pub fn new(vault: &'a Vault, mut options: Options) -> Check<'a> {
        let from = options.resume.take().unwrap_or_default();
        options.starts = Start::outermost(options.starts);
        Check {
            vault,
            options,
            progress: Progress::new(&from.totals),
            stopped: AtomicBool::new(false),
            counting_ends: AtomicBool::new(false),
            ledger: Ledger::new(from),
        }
    }

    /// Checks, and hands what is found to `report`, from several threads. Returns when all is
    /// done, or soon after [`Check::stop`].
    pub fn run(&self, report: &(dyn Fn(Finding) + Sync)) -> Totals {
        let ledger = Arc::clone(&self.ledger);
        let walk = Walk::new(
            self.vault,
            &self.options,
            ledger,
            &self.progress,
            &self.stopped,
            report,
        );
        walk.run(&self.options);
        self.counting_ends.store(true, Ordering::Relaxed);
        self.ledger.totals()
    }

    /// Counts what there is to do, so that the progress has an end. Meant for a thread of its
    /// own; ends with the check at the latest.
    pub fn count(&self) {
        let ends = &self.counting_ends;
        count::count(self.vault, &self.options, &self.progress, ends);
    }

    /// Ends the check soon.
    pub fn stop(&self) {
        self.ledger.close();
        self.stopped.store(true, Ordering::Relaxed);
        self.counting_ends.store(true, Ordering::Relaxed);
    }

    /// Whether the check was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How far the check is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Where the check would go on. Worth keeping while it runs, and after it was stopped.
    pub fn checkpoint(&self) -> Checkpoint {
        self.ledger.checkpoint()
    }
}
