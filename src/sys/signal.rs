//! Signals without handlers: they are blocked and then waited for by a thread.
//!
//! No code of ours ever runs inside a signal handler, so there is nothing that it may not call.

use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

use rustix::process::{Pid, kill_process};

use super::{Errno, Result};

pub use super::held::Held;
pub use rustix::process::Signal;

/// Sends a signal to a process.
pub fn send(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.ok_or(Errno::SRCH)?, signal)
}

/// Holds these signals back from the calling thread and those that it starts from now on, until
/// [`wait`] takes them. A started program inherits that, see [`unblock_in`].
pub fn block(signals: &[Signal]) -> Result<()> {
    let set = set_of(signals);
    // SAFETY: `set` is initialised, and a null pointer means that the old mask is not wanted.
    #[allow(unsafe_code)]
    let error = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) };
    check(error)
}

/// Whether this process was started with the signal ignored, as nohup(1) does.
pub fn is_ignored(signal: Signal) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the null pointer means that nothing is changed, and all zeros are a value of the
    // type, should the call fail.
    #[allow(unsafe_code)]
    let action = unsafe {
        libc::sigaction(signal.as_raw(), ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
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

/// Lets a program that is about to be started receive every signal.
pub fn unblock_in(command: &mut Command) {
    let none = set_of(&[]);
    let unblock = move || {
        // SAFETY: `none` is initialised, and a null pointer means that the old mask is not wanted.
        #[allow(unsafe_code)]
        let error =
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) };
        Ok(check(error)?)
    };
    // SAFETY: `pthread_sigmask` is safe between fork and exec, and the closure does nothing else.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(unblock);
    }
}

pub(super) fn set_of(signals: &[Signal]) -> libc::sigset_t {
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

pub(super) fn check(error: libc::c_int) -> Result<()> {
    match error {
        0 => Ok(()),
        error => Err(Errno::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_blocked_signal_is_taken_by_waiting_for_it() {
        block(&[Signal::USR1, Signal::USR2]).unwrap();
        // SAFETY: sends to this thread alone, which has the signal blocked.
        #[allow(unsafe_code)]
        let raised = unsafe { libc::raise(Signal::USR2.as_raw()) };
        assert_eq!(raised, 0);
        assert_eq!(wait(&[Signal::USR1, Signal::USR2]), Ok(Signal::USR2));
    }

    #[test]
    fn a_program_started_while_signals_are_blocked_can_receive_them() {
        block(&[Signal::TERM]).unwrap();
        let mut command = Command::new("sleep");
        unblock_in(command.arg("1000"));
        let mut child = command.spawn().unwrap();
        send(child.id(), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn ignored_signals_are_told_from_others() {
        // the runtime ignores it
        assert!(is_ignored(Signal::PIPE));
        assert!(!is_ignored(Signal::HUP));
    }

    #[test]
    fn an_id_that_no_process_has_is_an_error() {
        assert_eq!(send(0, Signal::TERM), Err(Errno::SRCH));
        assert_eq!(send(u32::MAX, Signal::TERM), Err(Errno::SRCH));
    }
}
