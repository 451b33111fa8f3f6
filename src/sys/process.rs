//! What a process asks of the kernel about itself: limits, session, standard streams, secrecy.
//!
//! Nothing here prints; what fails is reported to the caller.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, CWD, Mode};
use rustix::io::retry_on_intr;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{CapabilitySet, capabilities};

use super::{OpenFlags, Result};

/// The id of this process.
pub fn own_pid() -> u32 {
    std::process::id()
}

/// The effective user of this process.
pub fn effective_uid() -> u32 {
    process::geteuid().as_raw()
}

/// The effective group of this process.
pub fn effective_gid() -> u32 {
    process::getegid().as_raw()
}

/// Ends this process at once: no destructor runs, no other thread goes on.
pub fn quit(code: u8) -> ! {
    // SAFETY: `_exit` touches no memory of ours, see _exit(2).
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code.into())
    }
}

/// Sets the umask; with 0 files get exactly the mode that is asked for.
pub fn umask(mask: u32) {
    process::umask(Mode::from_raw_mode(mask));
}

/// Raises the limit on open descriptors as far as allowed.
pub fn raise_nofile_limit() -> Result<()> {
    let limit = process::getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return Ok(());
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    process::setrlimit(Resource::Nofile, raised)
}

/// The limit on open descriptors; `None` if there is none.
pub fn nofile_limit() -> Option<u64> {
    process::getrlimit(Resource::Nofile).current
}

/// Forbids core dumps, which would hold keys.
pub fn no_core_dumps() -> Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    process::setrlimit(Resource::Core, none)
}

/// Keeps other processes of the same user from reading our memory, and cores from being written.
pub fn set_not_dumpable() -> Result<()> {
    process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Keeps the memory of this process off the swap device, if it may lock all of it.
///
/// Returns whether it did. Under a limit nothing is locked: allocations would fail later on.
pub fn lock_memory() -> bool {
    let is_unlimited = process::getrlimit(Resource::Memlock).current.is_none()
        || capabilities(None).is_ok_and(|have| have.effective.contains(CapabilitySet::IPC_LOCK));
    is_unlimited
        && mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

/// Starts a session of our own, detached from the terminal.
pub fn setsid() -> Result<()> {
    process::setsid().map(|_| ())
}

/// Changes to `/`, so that no other directory is kept busy.
pub fn chdir_root() -> Result<()> {
    retry_on_intr(|| process::chdir("/"))
}

/// Connects standard input to `/dev/null`.
pub fn null_stdin() -> Result<()> {
    dup2_stdin(dev_null()?)
}

/// Connects standard output and standard error to `/dev/null`.
pub fn null_output() -> Result<()> {
    redirect_output(dev_null()?)
}

/// Connects standard output and standard error to `to`.
pub fn redirect_output(to: impl AsFd) -> Result<()> {
    dup2_stdout(&to)?;
    dup2_stderr(&to)
}

fn dev_null() -> Result<OwnedFd> {
    let flags = OpenFlags::RDWR | OpenFlags::CLOEXEC;
    retry_on_intr(|| fs::openat(CWD, "/dev/null", flags, Mode::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_descriptors_is_raised_as_far_as_allowed() {
        raise_nofile_limit().unwrap();
        let limit = process::getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(nofile_limit(), limit.maximum);
    }

    #[test]
    fn no_core_is_written() {
        no_core_dumps().unwrap();
        set_not_dumpable().unwrap();
        assert_eq!(process::getrlimit(Resource::Core).current, Some(0));
        let behavior = process::dumpable_behavior().unwrap();
        assert!(matches!(behavior, DumpableBehavior::NotDumpable));
    }
}
