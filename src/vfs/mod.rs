//! The seam between a file system and whoever drives it: values in, `Result` out.
//!
//! The FUSE adapter is one driver, the tests are another. Nothing here knows encryption or FUSE:
//! names are the plain names the caller typed, offsets and sizes are plain offsets.

#![allow(
    clippy::missing_errors_doc,
    reason = "every operation fails with the errno that the system call would"
)]

mod counted;
mod error;
mod figures;
mod paths;
mod tell;
mod types;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub use crate::format::PlainOffset;
pub use crate::sys::{Control, Errno, FsStat, Kind, OpenFlags, SetTime, Stat, Time};
pub use crate::tree::{Handle, NodeId};
pub use counted::Counted;
pub use error::{Error, LogLevel, Result};
pub use figures::{CacheFigures, ErrorFigures, Figures, Hits};
pub use paths::Paths;
pub use types::{
    Attr, Caller, Changes, CopyRange, DirEntry, Entry, Fallocate, Opened, RenameMode, Seek,
    Timeouts,
};

/// What a directory reader does with one entry: `true` when it found room for it.
pub type Take<'a, T> = &'a mut dyn FnMut(&T) -> bool;

/// A file system as the kernel sees it: nodes, handles and plain names.
///
/// Every method may be called from several threads at once. A node that [`Vfs::lookup`],
/// [`Vfs::create`], [`Vfs::mknod`], [`Vfs::mkdir`], [`Vfs::symlink`], [`Vfs::link`] or
/// [`Vfs::readdirplus`] returned stays valid until [`Vfs::forget`] took back every return.
pub trait Vfs: Send + Sync + 'static {
    /// How long the kernel may believe what it was told.
    fn timeouts(&self) -> Timeouts;

    /// The path on disk of the object that errors call `ino`, for messages. `None` if nobody has
    /// asked for the object lately, or if the path would show plain names.
    fn disk_path(&self, _ino: u64) -> Option<PathBuf> {
        None
    }

    /// Finds `name` in the directory `parent`.
    fn lookup(&self, parent: NodeId, name: &OsStr) -> Result<Entry>;

    /// Takes back `count` returns of `node`.
    fn forget(&self, node: NodeId, count: u64);

    /// The attributes of a node, through an open handle when there is one.
    fn getattr(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr>;

    /// Applies `changes` in the order owner, mode, times, size; stops at the first error.
    fn setattr(&self, node: NodeId, handle: Option<Handle>, changes: &Changes) -> Result<Attr>;

    /// Takes the set-user-ID and set-group-ID bits of a regular file away if `caller` must not
    /// change a file that has them; for operations of which the kernel leaves that to us. Comes
    /// before the change.
    fn drop_privileges(
        &self,
        _caller: Caller,
        _node: NodeId,
        _handle: Option<Handle>,
    ) -> Result<()> {
        Ok(())
    }

    /// The target of a symlink.
    fn readlink(&self, node: NodeId) -> Result<Vec<u8>>;

    /// Makes a file, fifo, socket, device or whiteout of the given mode (type and permissions).
    fn mknod(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        rdev: u64,
    ) -> Result<Entry>;

    /// Makes a directory.
    fn mkdir(&self, caller: Caller, parent: NodeId, name: &OsStr, mode: u32) -> Result<Entry>;

    /// Makes a symlink to `target`.
    fn symlink(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Entry>;

    /// Makes another name for `node`.
    fn link(&self, node: NodeId, parent: NodeId, name: &OsStr) -> Result<Entry>;

    /// Removes a name that is no directory.
    fn unlink(&self, parent: NodeId, name: &OsStr) -> Result<()>;

    /// Removes an empty directory.
    fn rmdir(&self, parent: NodeId, name: &OsStr) -> Result<()>;

    /// Renames within the file system, as `renameat2(2)`.
    fn rename(&self, from: (NodeId, &OsStr), to: (NodeId, &OsStr), mode: RenameMode) -> Result<()>;

    /// Opens a regular file.
    fn open(&self, node: NodeId, flags: OpenFlags) -> Result<Opened>;

    /// Makes and opens a regular file; the name must be free.
    fn create(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        flags: OpenFlags,
    ) -> Result<(Entry, Opened)>;

    /// Reads up to `len` bytes at `at`; less only at the end of the file. `buf` is scratch space
    /// that the caller reuses; the bytes read are a part of it.
    fn read<'b>(
        &self,
        handle: Handle,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]>;

    /// Writes all of `data` at `at`.
    fn write(&self, handle: Handle, at: PlainOffset, data: &[u8]) -> Result<()>;

    /// Reports errors that a `close(2)` should see.
    fn flush(&self, handle: Handle) -> Result<()>;

    /// Makes the content (and attributes, unless `data_only`) of an open file durable.
    fn fsync(&self, handle: Handle, data_only: bool) -> Result<()>;

    /// Closes a file handle.
    fn release(&self, handle: Handle);

    /// Reserves, punches or zeroes a range of an open file.
    fn fallocate(&self, handle: Handle, at: PlainOffset, len: u64, what: Fallocate) -> Result<()>;

    /// The next data or hole at or after `at`.
    fn seek(&self, handle: Handle, at: PlainOffset, what: Seek) -> Result<PlainOffset>;

    /// Copies a range between two open files; returns the number of bytes copied.
    fn copy_range(&self, copy: CopyRange) -> Result<u64>;

    /// Looks after what copies into an open file have to share. `ENOTTY` where none can.
    fn control(&self, _handle: Handle, _control: Control) -> Result<u64> {
        Err(Error::Os(Errno::NOTTY))
    }

    /// Opens a directory for reading.
    fn opendir(&self, node: NodeId) -> Result<Handle>;

    /// Gives the entries after the cookie `offset` (0: from the start) to `take` until it has no
    /// room.
    fn readdir(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()>;

    /// As [`Vfs::readdir`], but each entry but `.` and `..` counts as a lookup. An entry whose
    /// attributes cannot be had has the inode number 0 in them: they hold for no time at all.
    fn readdirplus(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()>;

    /// Makes a directory's entries durable.
    fn fsyncdir(&self, handle: Handle, data_only: bool) -> Result<()>;

    /// Closes a directory handle.
    fn releasedir(&self, handle: Handle);

    /// Space and inodes of the file system.
    fn statfs(&self) -> Result<FsStat>;

    /// Whether the daemon itself may do what `mask` says (`access(2)`).
    fn access(&self, node: NodeId, mask: u32) -> Result<()>;

    /// The value of an extended attribute.
    fn getxattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>>;

    /// Sets an extended attribute; `flags` as in `setxattr(2)`.
    fn setxattr(
        &self,
        caller: Caller,
        node: NodeId,
        name: &OsStr,
        value: &[u8],
        flags: u32,
    ) -> Result<()>;

    /// The names of the extended attributes.
    fn listxattr(&self, node: NodeId) -> Result<Vec<OsString>>;

    /// Removes an extended attribute.
    fn removexattr(&self, node: NodeId, name: &OsStr) -> Result<()>;
}
