//! Paths through `/proc/self/fd`: how an object that is held by a descriptor gets a path.
//!
//! The kernel resolves such a path to the object itself, so nobody can swap it in between.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

/// A path to what `fd` refers to, valid in this process while `fd` is open.
pub fn fd_path(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// A path to the entry `name` of the directory that `dir` refers to.
pub(super) fn entry_path(dir: impl AsFd, name: &OsStr) -> PathBuf {
    fd_path(dir).join(name)
}
