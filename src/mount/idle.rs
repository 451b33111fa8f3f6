//! Unmounting a file system that nobody uses.
//!
//! Requests about names and nodes count as use, and so does every open file and directory. Those
//! that only look at the mount point from outside do not, since desktops do that all the time. The
//! last word has the kernel: a working directory inside keeps the file system mounted too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tracing::info;

use crate::mount::Unmounter;

/// Looks during the time without use; the more, the sharper the time is kept.
const LOOKS: u32 = 4;
/// The longest time between two looks.
const PERIOD_MAX: Duration = Duration::from_secs(120);
/// The shortest time between two looks.
const PERIOD_MIN: Duration = Duration::from_millis(1);

/// The use of a file system, noted by the requests.
#[derive(Default)]
pub(super) struct Activity {
    used: AtomicBool,
    open: AtomicUsize,
}

impl Activity {
    /// Notes that the file system is used.
    pub(super) fn used(&self) {
        // Most requests find it set: no need to fight for the cache line.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that a file or directory was opened.
    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a file or directory was closed.
    pub(super) fn closed(&self) {
        self.used();
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether the file system has not been used since this was asked the last time.
    fn was_idle(&self) -> bool {
        !self.used.swap(false, Ordering::Relaxed) && self.open.load(Ordering::Relaxed) == 0
    }
}

/// Counts how often in a row the file system was idle.
struct Countdown {
    needed: u32,
    left: u32,
}

impl Countdown {
    /// The time between two looks, and the countdown that lasts for `timeout` with it.
    fn new(timeout: Duration) -> (Duration, Countdown) {
        let period = (timeout / LOOKS).clamp(PERIOD_MIN, PERIOD_MAX);
        let needed = timeout.as_nanos().div_ceil(period.as_nanos());
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        let left = needed;
        (period, Countdown { needed, left })
    }

    /// Takes in what the next look has found. Returns whether the time is up; if so, it starts
    /// anew.
    fn is_over(&mut self, idle: bool) -> bool {
        self.left = if idle {
            self.left.saturating_sub(1)
        } else {
            self.needed
        };
        let over = self.left == 0;
        if over {
            self.left = self.needed;
        }
        over
    }
}

/// Unmounts a session when nobody uses it any more.
pub struct IdleMonitor {
    pub(super) activity: Arc<Activity>,
    pub(super) unmounter: Unmounter,
}

impl IdleMonitor {
    /// Waits until the file system has been idle for `timeout`, and unmounts it. Starts to wait
    /// again if it is in use after all.
    pub fn run(&self, timeout: Duration) {
        let (period, mut countdown) = Countdown::new(timeout);
        loop {
            thread::sleep(period);
            if !countdown.is_over(self.activity.was_idle()) {
                continue;
            }
            let mountpoint = self.unmounter.mountpoint().display();
            info!("idleMonitor: filesystem idle; unmounting: {mountpoint}");
            match self.unmounter.unmount(false) {
                Ok(()) => return,
                Err(error) => {
                    info!("idleMonitor: unmount failed: {error}. Resetting idle time.");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_use_since_the_last_look_counts() {
        let activity = Activity::default();
        assert!(activity.was_idle());
        activity.used();
        activity.used();
        assert!(!activity.was_idle());
        assert!(activity.was_idle());
    }

    #[test]
    fn what_is_open_keeps_it_in_use_until_the_look_after_its_end() {
        let activity = Activity::default();
        activity.opened();
        activity.opened();
        assert!(!activity.was_idle());
        activity.closed();
        assert!(!activity.was_idle());
        assert!(!activity.was_idle());
        activity.closed();
        assert!(!activity.was_idle());
        assert!(activity.was_idle());
    }

    #[test]
    fn the_looks_add_up_to_the_timeout() {
        let looks = |timeout| {
            let (period, countdown) = Countdown::new(timeout);
            (period, countdown.needed)
        };
        let second = Duration::from_secs(1);
        assert_eq!(looks(second), (second / 4, 4));
        assert_eq!(looks(3600 * second), (120 * second, 30));
        assert_eq!(looks(481 * second), (120 * second, 5));
        assert_eq!(looks(Duration::from_nanos(1)), (PERIOD_MIN, 1));
        assert_eq!(looks(Duration::MAX), (PERIOD_MAX, u32::MAX));
    }

    #[test]
    fn the_countdown_starts_anew_with_each_use() {
        let (_, mut countdown) = Countdown::new(Duration::from_secs(1));
        let mut over = |idle| countdown.is_over(idle);
        let looks = [true, true, true, false, true, true, true, true, true];
        let wanted = [false, false, false, false, false, false, false, true, false];
        assert_eq!(looks.map(&mut over), wanted);
    }
}
