//! The operating system made safe: one operation per function, owned descriptors, typed results.
//!
//! This layer knows no encryption. A file is reached by a directory handle ([`Dir`]) plus one name,
//! a symlink is never followed, every descriptor is close-on-exec, an interrupted call is repeated.
//! It is the only module that may hold `unsafe`.

#![allow(
    clippy::missing_errors_doc,
    reason = "the error is that of the system call, and remarkable ones are told in the text"
)]

mod attrs;
mod cache;
mod clone;
mod dir;
mod entries;
mod extents;
mod file;
mod fuse_ring;
mod held;
mod identity;
pub mod inherited;
mod inode;
mod list;
pub mod mem;
mod proc_fd;
pub mod process;
mod sharing;
pub mod signal;
mod stat;
#[cfg(test)]
pub(crate) mod testing;
mod xattr;

pub use attrs::SetTime;
pub use dir::Dir;
pub use extents::Extent;
pub use file::{Backing, File, Reserve, ShortWrite};
pub use fuse_ring::{RingRequest, can_use_rings, serve_ring};
pub use identity::{As, mode_after_change};
pub use inode::Inode;
pub use list::{DirStream, Entry};
pub use proc_fd::fd_path;
pub use rustix::fs::OFlags as OpenFlags;
pub use rustix::fs::RenameFlags;
pub use rustix::io::Errno;
pub use sharing::Control;
pub use stat::{FileKey, FsStat, Kind, Stat, Time, fs_magic};

/// What a system call answers: a value or the error number of the kernel.
pub type Result<T> = core::result::Result<T, Errno>;
