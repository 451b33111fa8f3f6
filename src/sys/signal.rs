//! Signals without handlers: they are blocked and then waited for by a thread.
//!
//! No code of ours ever runs inside a signal handler, so there is nothing that it may not call.

use std::mem::MaybeUninit;

use rustix::process::{Pid, kill_process};

use super::{Errno, Result};

pub use rustix::process::Signal;

/// Sends a signal to a process.
pub fn send(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.ok_or(Errno::SRCH)?, signal)
}

/// Holds these signals back from the calling thread and those that it starts from now on, until
/// [`wait`] takes them.
pub fn block(signals: &[Signal]) -> Result<()> {
    let set = set_of(signals);
    // SAFETY: `set` is initialised, and a null pointer means that the old mask is not wanted.
    #[allow(unsafe_code)]
    let error =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    check(error)
}

/// Waits for one of these signals, all of which are blocked in every thread.
pub fn wait(signals: &[Signal]) -> Result<Signal> {
    let set = set_of(signals);
    let mut number = 0;
    loop {
        // SAFETY: both point to initialised variables that outlive the call.
        #[allow(unsafe_code)]
        let error = unsafe { libc::sigwait(&raw const set, &raw mut number) };
        match check(error) {
            Err(Errno::INTR) => {}
            other => break other?,
        }
    }
    Signal::from_named_raw(number).ok_or(Errno::INVAL)
}

fn set_of(signals: &[Signal]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set; both calls write to nothing else, and fail for
    // an invalid signal number only, which `Signal` does not hold.
    #[allow(unsafe_code)]
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal.as_raw());
        }
        set.assume_init()
    }
}

fn check(error: libc::c_int) -> Result<()> {
    match error {
        0 => Ok(()),
        error => Err(Errno::from_raw_os_error(error)),
    }
}
