//! Signals that wait until something has been put in order.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use super::signal::{Signal, check, set_of};
use super::{Errno, Result};

/// Signals held back from this thread, which must be the only one of the process. They take effect
/// when this is dropped.
pub struct Held {
    previous: libc::sigset_t,
    arrived: OwnedFd,
}

/// Readable once one of the signals has arrived.
impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}

impl Held {
    /// Holds these signals back from now on.
    pub fn new(signals: &[Signal]) -> Result<Held> {
        let set = set_of(signals);
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        #[allow(unsafe_code)]
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) };
        if fd < 0 {
            let error = std::io::Error::last_os_error();
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        }
        // SAFETY: the descriptor was made above and belongs to nobody else.
        #[allow(unsafe_code)]
        let arrived = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut previous = MaybeUninit::uninit();
        // SAFETY: `set` is initialised and `previous` has room for the mask.
        #[allow(unsafe_code)]
        let error = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, previous.as_mut_ptr())
        };
        check(error)?;
        // SAFETY: the call succeeded and has written the mask.
        #[allow(unsafe_code)]
        let previous = unsafe { previous.assume_init() };
        Ok(Held { previous, arrived })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `previous` is the mask that `pthread_sigmask` returned.
        #[allow(unsafe_code)]
        unsafe {
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                &raw const self.previous,
                std::ptr::null_mut(),
            );
        }
    }
}
