//! Requests that come through `io_uring`, where the administrator has switched that on
//! (`/sys/module/fuse/parameters/enable_uring`): no process waits for another CPU to wake up.
//!
//! The kernel puts a request into the queue of the CPU where it was made. Several threads serve each
//! queue, since one may have to wait for the disk. `FORGET` still comes through the device.
//!
//! A thread stays on the CPU of its queue: who waits for the answer is there, asleep. Only while it
//! serves long requests, of which the kernel makes several in advance, it may be anywhere.

mod answer;
mod attributes;
mod content;
mod fields;
mod listing;
mod names;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tracing::warn;

use crate::mount::Unmounter;
use crate::mount::server::{MAX_WRITE, Server};
use crate::sys::{Errno, RingRequest, serve_ring};
use crate::vfs::Vfs;

/// Where the kernel tells how many queues it has: one for each CPU that there could ever be.
const POSSIBLE_CPUS: &str = "/sys/devices/system/cpu/possible";
/// Threads for all CPUs together, if that is at least two for each.
const THREADS: usize = 8;

/// The threads that serve the queues.
pub(super) struct Rings(Vec<JoinHandle<()>>);

impl Rings {
    /// Serves the queues of `device`. Until each is served the kernel answers nobody.
    pub(super) fn start<V: Vfs>(
        server: &Arc<Server<V>>,
        device: &OwnedFd,
        unmounter: &Unmounter,
    ) -> io::Result<Rings> {
        let (cpus, all) = (usable_cpus()?, possible_cpus()?);
        let mut threads = Vec::new();
        for turn in 0..(THREADS / cpus.len()).max(2) {
            for (number, &cpu) in cpus.iter().enumerate() {
                // Of the queues of CPUs that we may not use, each has one thread.
                let others = (0..all).filter(|queue| !cpus.contains(queue));
                let others = others.filter(|queue| turn == 0 && queue % cpus.len() == number);
                let queues = others
                    .chain([cpu])
                    .filter_map(|cpu| u16::try_from(cpu).ok());
                let worker = Worker {
                    server: Arc::clone(server),
                    device: device.try_clone()?,
                    unmounter: unmounter.clone(),
                    cpu,
                    queues: queues.collect(),
                };
                let thread = thread::Builder::new().name(format!("ring-{cpu}-{turn}"));
                threads.push(thread.spawn(move || worker.run())?);
            }
        }
        Ok(Rings(threads))
    }

    /// Waits until the file system is unmounted.
    pub(super) fn join(self) {
        for thread in self.0 {
            let _ = thread.join();
        }
    }
}

/// What one thread serves.
struct Worker<V> {
    server: Arc<Server<V>>,
    device: OwnedFd,
    unmounter: Unmounter,
    cpu: usize,
    queues: Vec<u16>,
}

impl<V: Vfs> Worker<V> {
    fn run(&self) {
        let mut place = Place::new(self.cpu);
        let answer = |request: RingRequest<'_>| {
            place.suit(answer::takes_long(&request));
            let answer = || answer::to(&self.server, request);
            // Otherwise whoever asks would wait for ever.
            catch_unwind(AssertUnwindSafe(answer)).unwrap_or(Err(Errno::IO))
        };
        let device = self.device.as_fd();
        if let Err(error) = serve_ring(device, &self.queues, MAX_WRITE as usize, answer) {
            warn!("io_uring: {error}: unmounting");
            let _ = self.unmounter.unmount(true);
        }
    }
}

/// Where a thread may run. If it cannot be told to, requests only take longer.
struct Place {
    home: CpuSet,
    anywhere: Option<CpuSet>,
    is_home: bool,
}

impl Place {
    /// Binds the thread to a CPU.
    fn new(cpu: usize) -> Place {
        let anywhere = sched_getaffinity(None).ok();
        let mut home = CpuSet::new();
        home.set(cpu);
        let is_home = sched_setaffinity(None, &home).is_ok();
        Place {
            home,
            anywhere,
            is_home,
        }
    }

    /// Makes the place suit the request.
    fn suit(&mut self, takes_long: bool) {
        if takes_long != self.is_home {
            return;
        }
        let place = if takes_long {
            self.anywhere
        } else {
            Some(self.home)
        };
        if place.is_some_and(|place| sched_setaffinity(None, &place).is_ok()) {
            self.is_home = !takes_long;
        }
    }
}

/// The CPUs on which we may run.
fn usable_cpus() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .collect())
}

/// How many CPUs the kernel is prepared for.
#[expect(
    clippy::disallowed_methods,
    reason = "a fact about the kernel, not an object of a vault"
)]
fn possible_cpus() -> io::Result<usize> {
    let list = std::fs::read_to_string(POSSIBLE_CPUS)?;
    count(&list).ok_or_else(|| io::Error::other(format!("{POSSIBLE_CPUS}: {list}")))
}

/// How many numbers a list like `0-3,8` names.
fn count(list: &str) -> Option<usize> {
    let len = |range: &str| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        to.parse::<usize>().ok()?.checked_sub(from.parse().ok()?)
    };
    list.trim()
        .split(',')
        .map(|range| Some(len(range)? + 1))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_counted() {
        assert_eq!(count("0\n"), Some(1));
        assert_eq!(count("0-1\n"), Some(2));
        assert_eq!(count("0-3,8,10-11\n"), Some(7));
        assert_eq!(count("\n"), None);
        assert_eq!(count("3-1\n"), None);
    }
}
