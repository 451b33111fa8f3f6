//! Watching the system calls that a program makes on some directory, and letting one of them fail
//! or be the last.
//!
//! A call counts whichever thread makes it. For programs on x86-64; run as root or as their parent.

mod calls;

pub(crate) use calls::Call;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// What happens at one call. They are counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    /// Nothing.
    Watch,
    /// The program is killed before the n-th call that changes something.
    Kill(usize),
    /// The n-th call does nothing but fail.
    Fail(usize, i32),
    /// From the n-th call on, all of them that take space fail.
    FailFrom(usize, i32),
}

/// A program that is being watched.
pub(crate) struct Tracer {
    pid: Pid,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The calls, in order.
    pub(crate) calls: Vec<Call>,
    /// The one that the plan was for.
    pub(crate) hit: Option<Call>,
    /// The exit code, if the program ended by itself.
    pub(crate) code: Option<i32>,
}

impl Tracer {
    /// Watches all threads of `pid`, present and future, from when this returns.
    pub(crate) fn attach(pid: u32, top: &Path, plan: Plan) -> Self {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap());
        let is_over = Arc::new(AtomicBool::new(false));
        let (ready, is_ready) = mpsc::channel();
        let over = Arc::clone(&is_over);
        let top = top.to_owned();
        // only the thread that attached may give orders
        let thread = thread::spawn(move || Work::new(pid, top, plan, over).run(&ready));
        is_ready.recv().unwrap();
        Self {
            pid,
            is_over,
            thread,
        }
    }

    /// Lets the program go on by itself.
    pub(crate) fn finish(self) -> Seen {
        self.is_over.store(true, Ordering::SeqCst);
        // wakes whoever waits for a stop, and never arrives
        let _ = kill(self.pid, Signal::SIGWINCH);
        self.thread.join().unwrap()
    }

    /// Waits for the end of the program.
    pub(crate) fn watch_to_the_end(self) -> Seen {
        self.thread.join().unwrap()
    }
}

struct Work {
    pid: Pid,
    top: PathBuf,
    plan: Plan,
    is_over: Arc<AtomicBool>,
    threads: BTreeSet<Pid>,
    /// Threads in a call that was taken from them, and the answer it gets.
    failing: BTreeMap<Pid, i32>,
    seen: Seen,
    changes: usize,
}

impl Work {
    fn new(pid: Pid, top: PathBuf, plan: Plan, is_over: Arc<AtomicBool>) -> Self {
        Self {
            pid,
            top,
            plan,
            is_over,
            threads: BTreeSet::new(),
            failing: BTreeMap::new(),
            seen: Seen::default(),
            changes: 0,
        }
    }

    fn run(mut self, ready: &Sender<()>) -> Seen {
        self.attach();
        ready.send(()).unwrap();
        let mut is_leaving = false;
        while !self.threads.is_empty() {
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            let status = match waitpid(None, Some(flags)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(_) => break,
            };
            if self.is_over.load(Ordering::SeqCst) && !is_leaving {
                is_leaving = true;
                for &thread in &self.threads {
                    let _ = ptrace::interrupt(thread);
                }
            }
            self.handle(status, is_leaving);
        }
        self.seen
    }

    /// Threads may be born meanwhile, until all that there are have been seen.
    fn attach(&mut self) {
        let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE;
        loop {
            let before = self.threads.len();
            let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
            for task in tasks.flatten() {
                let name = task.file_name();
                let thread = Pid::from_raw(name.to_str().unwrap().parse().unwrap());
                if !self.threads.contains(&thread) && ptrace::seize(thread, options).is_ok() {
                    self.threads.insert(thread);
                    let _ = ptrace::interrupt(thread);
                }
            }
            if self.threads.len() == before {
                break;
            }
        }
        // calls are seen only after a first stop
        let mut running = self.threads.clone();
        while let Some(thread) = running.pop_first() {
            let status = waitpid(thread, Some(WaitPidFlag::__WALL));
            match status {
                Ok(status) => self.handle(status, false),
                Err(_) => drop(self.threads.remove(&thread)),
            }
        }
    }

    fn handle(&mut self, status: WaitStatus, is_leaving: bool) {
        let Some(thread) = status.pid() else {
            return;
        };
        let mut pass_on = None;
        match status {
            WaitStatus::Exited(_, code) => {
                self.threads.remove(&thread);
                if thread == self.pid {
                    self.seen.code = Some(code);
                }
                return;
            }
            WaitStatus::Signaled(..) => {
                self.threads.remove(&thread);
                return;
            }
            WaitStatus::PtraceSyscall(_) => self.at_call(thread),
            WaitStatus::Stopped(_, Signal::SIGWINCH | Signal::SIGSTOP | Signal::SIGTRAP) => {}
            WaitStatus::Stopped(_, signal) => pass_on = Some(signal),
            _ => {}
        }
        self.threads.insert(thread);
        // a call that was taken from it still has to get its answer
        if is_leaving && !self.failing.contains_key(&thread) {
            let _ = ptrace::detach(thread, pass_on);
            self.threads.remove(&thread);
        } else {
            let _ = ptrace::syscall(thread, pass_on);
        }
    }

    fn at_call(&mut self, thread: Pid) {
        let (Ok(info), Ok(mut registers)) = (ptrace::syscall_info(thread), ptrace::getregs(thread))
        else {
            return;
        };
        if info.op == libc::PTRACE_SYSCALL_INFO_EXIT {
            if let Some(errno) = self.failing.remove(&thread) {
                registers.rax = i64::from(-errno).cast_unsigned();
                let _ = ptrace::setregs(thread, registers);
            }
            return;
        }
        let Some(call) = calls::on(&self.top, self.pid, &registers) else {
            return;
        };
        if self.is_over.load(Ordering::SeqCst) {
            return;
        }
        match self.verdict(&call) {
            None => {}
            Some(Verdict::Die) => {
                let _ = kill(self.pid, Signal::SIGKILL);
            }
            Some(Verdict::Fail(errno)) => {
                registers.orig_rax = u64::MAX;
                let _ = ptrace::setregs(thread, registers);
                self.failing.insert(thread, errno);
            }
        }
        self.changes += usize::from(call.changes);
        self.seen.calls.push(call);
    }

    fn verdict(&mut self, call: &Call) -> Option<Verdict> {
        let number = self.seen.calls.len();
        let verdict = match self.plan {
            Plan::Kill(nth) if call.changes && self.changes == nth => Verdict::Die,
            Plan::Fail(nth, errno) if number == nth => Verdict::Fail(errno),
            Plan::FailFrom(nth, errno) if number >= nth && call.takes_space => Verdict::Fail(errno),
            _ => return None,
        };
        self.seen.hit.get_or_insert_with(|| call.clone());
        Some(verdict)
    }
}

enum Verdict {
    Die,
    Fail(i32),
}
