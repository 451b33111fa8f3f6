//! FUSE: the only place that knows fuser.
//!
//! [`Session::mount`] attaches any [`Vfs`](crate::vfs::Vfs) to a mount point; the adapter turns
//! requests into calls of it and values into replies, and nothing else. Where the kernel hands requests
//! over through `io_uring`, `ring` does the same.

mod adapter;
mod attach;
mod convert;
mod flags;
mod idle;
mod readahead;
mod reply;
mod ring;
mod server;
mod session;

pub use attach::{MountError, Options};
pub use idle::IdleMonitor;
pub use session::{Session, Unmounter};
