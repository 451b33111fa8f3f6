//! What the program that started this one has left: open descriptors, and an environment.
//!
//! Every descriptor that this process opens is closed on exec. One that is not has been inherited.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd};

use super::{Errno, Result};

/// The first number behind the standard streams.
const FIRST: i32 = 3;

/// Another descriptor for what has been inherited as `number`.
pub fn inherited(number: i32) -> Result<OwnedFd> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    fcntl_dupfd_cloexec(borrowed(number), FIRST)
}

/// Closes all that has been inherited, but for the standard streams. Whoever waits for the end of
/// a pipe need not wait for this process then.
pub fn close_inherited() -> Result<()> {
    let open = std::fs::read_dir("/proc/self/fd");
    let open = open.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let numbers: Vec<i32> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| *number >= FIRST) {
        if fcntl_getfd(borrowed(number)).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC)) {
            // SAFETY: it has been inherited, so nothing in this process owns it.
            #[allow(unsafe_code)]
            unsafe {
                libc::close(number);
            }
        }
    }
    Ok(())
}

fn borrowed(number: i32) -> BorrowedFd<'static> {
    // SAFETY: the callers use it for one call, which fails if nothing is open by this number.
    #[allow(unsafe_code)]
    unsafe {
        BorrowedFd::borrow_raw(number)
    }
}

/// Sets the search path for programs if there is none.
///
/// To be called before there is a second thread.
pub fn set_path_if_empty(path: impl AsRef<OsStr>) {
    if std::env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        // SAFETY: no other thread reads the environment meanwhile.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var("PATH", path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fstat;
    use std::os::fd::AsRawFd;

    #[test]
    fn an_inherited_descriptor_is_duplicated_by_its_number() {
        let (ours, _) = rustix::pipe::pipe().unwrap();
        let again = inherited(ours.as_raw_fd()).unwrap();
        assert_eq!(fstat(&again).unwrap().st_ino, fstat(&ours).unwrap().st_ino);
        assert_eq!(inherited(-1).unwrap_err(), Errno::BADF);
        assert_eq!(inherited(i32::MAX).unwrap_err(), Errno::BADF);
    }
}
