//! A watchdog: work that many threads do must go on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Far more than any step takes, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(60);

/// Counts the steps of all threads.
#[derive(Default)]
pub(crate) struct Progress(AtomicUsize);

impl Progress {
    pub(crate) fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work`. If it makes no step for long, ends the process: a thread that waits for ever cannot
/// be ended otherwise.
pub(crate) fn watched(what: &str, work: impl FnOnce(&Progress) + Send) {
    let progress = Progress::default();
    thread::scope(|scope| {
        let (done, is_done) = channel::<()>();
        let progress = &progress;
        scope.spawn(move || {
            // dropped when the work is done, also by a panic
            let _done = done;
            work(progress);
        });
        let mut seen = 0;
        while is_done.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
            let now = progress.count();
            if now == seen {
                eprintln!("{what}: nothing has happened for {DEADLINE:?}, after {now} steps");
                std::process::abort();
            }
            seen = now;
        }
    });
}
