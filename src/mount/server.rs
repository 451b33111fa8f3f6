//! What each request does, whichever way it came.
//!
//! Invariant: every lock of the file system is released when a method returns, since after the
//! reply the kernel may send the next request for the same object at once.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::Duration;

use tracing::debug;

use crate::mount::attach::Options;
use crate::mount::idle::Activity;
use crate::vfs::{
    self, Attr, Caller, Changes, Control, CopyRange, Entry, Errno, Error, Fallocate, Handle,
    LogLevel, NodeId, OpenFlags, Opened, PlainOffset, RenameMode, Seek, Timeouts, Vfs,
};

/// The largest request, bytes.
pub(super) const MAX_WRITE: u32 = 1 << 20;
/// The most that one copy request can report in its 32-bit reply: whole blocks below 4 GiB.
const MAX_COPY: u64 = 0xffff_f000;

thread_local! {
    /// Where reads are decrypted: one buffer an event loop, reused.
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Serves a [`Vfs`].
pub(super) struct Server<V> {
    /// For what needs nothing else.
    pub(super) fs: Arc<V>,
    pub(super) timeouts: Timeouts,
    xattr: bool,
    pub(super) activity: Arc<Activity>,
}

/// The answer to a question for extended attributes, which can be one for the length alone.
pub(super) enum Listed {
    Len(u32),
    Bytes(Vec<u8>),
}

impl<V: Vfs> Server<V> {
    pub(super) fn new(fs: Arc<V>, options: &Options) -> Server<V> {
        Server {
            timeouts: fs.timeouts(),
            fs,
            xattr: options.xattr,
            activity: Arc::default(),
        }
    }

    /// The node that a request is about. To look at the mount point is no use of what is inside.
    fn at(&self, node: NodeId) -> NodeId {
        if node != NodeId::ROOT {
            self.activity.used();
        }
        node
    }

    /// The directory in which a request looks for a name.
    fn inside(&self, node: NodeId) -> NodeId {
        self.activity.used();
        node
    }

    /// The node whose extended attributes a request is about. Without any, the kernel is told so
    /// and asks no more.
    fn with_xattrs(&self, node: NodeId) -> vfs::Result<NodeId> {
        if self.xattr {
            Ok(self.at(node))
        } else {
            Err(Error::Os(Errno::NOSYS))
        }
    }

    /// Counts what was opened.
    fn opened<T>(&self, result: vfs::Result<T>) -> vfs::Result<T> {
        if result.is_ok() {
            self.activity.opened();
        }
        result
    }

    /// `None` for a name that there is not, which the kernel may remember.
    pub(super) fn lookup(&self, parent: NodeId, name: &OsStr) -> vfs::Result<Option<Entry>> {
        match self.fs.lookup(self.inside(parent), name) {
            Err(Error::Os(Errno::NOENT)) if self.timeouts.negative > Duration::ZERO => Ok(None),
            found => found.map(Some),
        }
    }

    pub(super) fn getattr(&self, node: NodeId, handle: Option<Handle>) -> vfs::Result<Attr> {
        self.fs.getattr(self.at(node), handle)
    }

    pub(super) fn setattr(
        &self,
        caller: Caller,
        node: NodeId,
        handle: Option<Handle>,
        mut changes: Changes,
    ) -> vfs::Result<Attr> {
        let node = self.at(node);
        changes.mode = changes.mode.map(|mode| mode & 0o7777);
        if changes.size.is_some() || changes.uid.or(changes.gid).is_some() {
            self.fs.drop_privileges(caller, node, handle)?;
        }
        self.fs.setattr(node, handle, &changes)
    }

    pub(super) fn readlink(&self, node: NodeId) -> vfs::Result<Vec<u8>> {
        self.fs.readlink(self.at(node))
    }

    pub(super) fn mknod(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        rdev: u32,
    ) -> vfs::Result<Entry> {
        let parent = self.inside(parent);
        self.fs.mknod(caller, parent, name, mode, rdev.into())
    }

    pub(super) fn mkdir(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
    ) -> vfs::Result<Entry> {
        let parent = self.inside(parent);
        self.fs.mkdir(caller, parent, name, mode & 0o7777)
    }

    pub(super) fn unlink(&self, parent: NodeId, name: &OsStr) -> vfs::Result<()> {
        self.fs.unlink(self.inside(parent), name)
    }

    pub(super) fn rmdir(&self, parent: NodeId, name: &OsStr) -> vfs::Result<()> {
        self.fs.rmdir(self.inside(parent), name)
    }

    pub(super) fn symlink(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        target: &OsStr,
    ) -> vfs::Result<Entry> {
        self.fs.symlink(caller, self.inside(parent), name, target)
    }

    /// `flags` as in `renameat2(2)`.
    pub(super) fn rename(
        &self,
        from: (NodeId, &OsStr),
        to: (NodeId, &OsStr),
        flags: u32,
    ) -> vfs::Result<()> {
        let mode = rename_mode(flags).ok_or(Error::Os(Errno::INVAL))?;
        let from = (self.inside(from.0), from.1);
        let to = (self.inside(to.0), to.1);
        self.fs.rename(from, to, mode)
    }

    pub(super) fn link(&self, node: NodeId, parent: NodeId, name: &OsStr) -> vfs::Result<Entry> {
        self.fs.link(self.at(node), self.inside(parent), name)
    }

    pub(super) fn open(&self, node: NodeId, flags: OpenFlags) -> vfs::Result<Opened> {
        self.opened(self.fs.open(self.at(node), flags))
    }

    pub(super) fn create(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        flags: OpenFlags,
    ) -> vfs::Result<(Entry, Opened)> {
        let parent = self.inside(parent);
        let created = self.fs.create(caller, parent, name, mode & 0o7777, flags);
        self.opened(created)
    }

    /// Hands what was read to `reply`.
    pub(super) fn read<R>(
        &self,
        handle: Handle,
        offset: u64,
        len: u32,
        reply: impl FnOnce(vfs::Result<&[u8]>) -> R,
    ) -> R {
        READ_BUFFER.with_borrow_mut(|buf| {
            let at = PlainOffset(offset);
            reply(self.fs.read(handle, at, len as usize, buf))
        })
    }

    /// Returns how many bytes were written: all. `drops_privileges`: the kernel says that the
    /// writer is one for whom set-id bits go away.
    pub(super) fn write(
        &self,
        caller: Caller,
        (node, handle): (NodeId, Handle),
        offset: u64,
        data: &[u8],
        drops_privileges: bool,
    ) -> vfs::Result<u32> {
        if drops_privileges {
            let node = self.at(node);
            self.fs.drop_privileges(caller, node, Some(handle))?;
        }
        self.fs.write(handle, PlainOffset(offset), data)?;
        // A request is at most MAX_WRITE long.
        Ok(u32::try_from(data.len()).unwrap_or(MAX_WRITE))
    }

    pub(super) fn release(&self, handle: Handle) {
        self.fs.release(handle);
        self.activity.closed();
    }

    pub(super) fn opendir(&self, node: NodeId) -> vfs::Result<Opened> {
        let opened = self.opened(self.fs.opendir(self.inside(node)));
        opened.map(|handle| Opened {
            handle,
            keep_cache: false,
        })
    }

    pub(super) fn releasedir(&self, handle: Handle) {
        self.fs.releasedir(handle);
        self.activity.closed();
    }

    pub(super) fn setxattr(
        &self,
        caller: Caller,
        node: NodeId,
        name: &OsStr,
        value: &[u8],
        flags: u32,
    ) -> vfs::Result<()> {
        let node = self.with_xattrs(node)?;
        self.fs.setxattr(caller, node, name, value, flags)
    }

    pub(super) fn getxattr(&self, node: NodeId, name: &OsStr, room: u32) -> vfs::Result<Listed> {
        let node = self.with_xattrs(node)?;
        listed(self.fs.getxattr(node, name)?, room)
    }

    pub(super) fn listxattr(&self, node: NodeId, room: u32) -> vfs::Result<Listed> {
        let names = self.fs.listxattr(self.with_xattrs(node)?)?;
        let ended = |name: OsString| [name.as_encoded_bytes(), &[0]].concat();
        listed(names.into_iter().flat_map(ended).collect(), room)
    }

    pub(super) fn removexattr(&self, node: NodeId, name: &OsStr) -> vfs::Result<()> {
        self.fs.removexattr(self.with_xattrs(node)?, name)
    }

    pub(super) fn access(&self, node: NodeId, mask: u32) -> vfs::Result<()> {
        self.fs.access(self.at(node), mask)
    }

    /// `mode` as in `fallocate(2)`.
    pub(super) fn fallocate(
        &self,
        caller: Caller,
        (node, handle): (NodeId, Handle),
        offset: u64,
        len: u64,
        mode: i32,
    ) -> vfs::Result<()> {
        const PUNCH: i32 = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        const ZERO: i32 = libc::FALLOC_FL_ZERO_RANGE | libc::FALLOC_FL_KEEP_SIZE;
        let what = match mode {
            0 => Fallocate::Grow,
            libc::FALLOC_FL_KEEP_SIZE => Fallocate::KeepSize,
            PUNCH => Fallocate::Punch,
            libc::FALLOC_FL_ZERO_RANGE => Fallocate::ZeroAndGrow,
            ZERO => Fallocate::Zero,
            _ => return Err(Error::Os(Errno::OPNOTSUPP)),
        };
        let node = self.at(node);
        self.fs.drop_privileges(caller, node, Some(handle))?;
        self.fs.fallocate(handle, PlainOffset(offset), len, what)
    }

    /// `whence` as in `lseek(2)`.
    pub(super) fn seek(&self, handle: Handle, offset: i64, whence: u32) -> vfs::Result<i64> {
        let what = match whence.cast_signed() {
            libc::SEEK_DATA => Seek::Data,
            libc::SEEK_HOLE => Seek::Hole,
            _ => return Err(Error::Os(Errno::INVAL)),
        };
        let at = u64::try_from(offset).map_err(|_| Error::Os(Errno::NXIO))?;
        let found = self.fs.seek(handle, PlainOffset(at), what)?;
        Ok(i64::try_from(found.0).unwrap_or(i64::MAX))
    }

    /// Returns how many bytes were copied.
    pub(super) fn copy_range(
        &self,
        caller: Caller,
        target: NodeId,
        mut copy: CopyRange,
    ) -> vfs::Result<u32> {
        copy.len = copy.len.min(MAX_COPY);
        let target = self.at(target);
        self.fs.drop_privileges(caller, target, Some(copy.target))?;
        let copied = self.fs.copy_range(copy)?;
        Ok(u32::try_from(copied).unwrap_or(u32::MAX))
    }

    /// Handles of directories are numbered apart, and know no such request.
    pub(super) fn ioctl(
        &self,
        handle: Handle,
        is_dir: bool,
        number: u32,
        data: &[u8],
    ) -> vfs::Result<Vec<u8>> {
        let known = Control::parse(number, data).filter(|_| !is_dir);
        let control = known.ok_or(Error::Os(Errno::NOTTY))?;
        let value = self.fs.control(handle, control)?;
        Ok(control.answer(value))
    }
}

/// Shows an error to developers. What the owner of the volume should know has been told where it
/// happened.
pub(super) fn log_failure(operation: &str, error: &Error) {
    if error.level() == LogLevel::Debug {
        debug!("{operation}: {error}");
    }
}

/// What fits into `room` bytes; of what has no room at all, the length.
fn listed(bytes: Vec<u8>, room: u32) -> vfs::Result<Listed> {
    match u32::try_from(bytes.len()) {
        Ok(len) if room == 0 => Ok(Listed::Len(len)),
        Ok(len) if len <= room => Ok(Listed::Bytes(bytes)),
        _ => Err(Error::Os(Errno::RANGE)),
    }
}

/// The modes of `renameat2(2)` that make sense.
fn rename_mode(flags: u32) -> Option<RenameMode> {
    const NO_REPLACE_WHITEOUT: u32 = libc::RENAME_NOREPLACE | libc::RENAME_WHITEOUT;
    match flags {
        0 => Some(RenameMode::Replace),
        libc::RENAME_NOREPLACE => Some(RenameMode::NoReplace),
        libc::RENAME_EXCHANGE => Some(RenameMode::Exchange),
        libc::RENAME_WHITEOUT => Some(RenameMode::Whiteout),
        NO_REPLACE_WHITEOUT => Some(RenameMode::NoReplaceWhiteout),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_rename_flags_are_refused() {
        let flags = libc::RENAME_EXCHANGE | libc::RENAME_NOREPLACE;
        assert_eq!(rename_mode(flags), None);
        assert_eq!(rename_mode(0), Some(RenameMode::Replace));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_its_length_told() {
        assert!(matches!(listed(vec![0; 3], 0), Ok(Listed::Len(3))));
        assert!(matches!(listed(vec![0; 3], 3), Ok(Listed::Bytes(_))));
        assert!(matches!(
            listed(vec![0; 3], 2),
            Err(Error::Os(Errno::RANGE))
        ));
    }
}
