//! Results of the file system as replies to the kernel.

use std::time::Duration;

use fuser::{
    FileHandle, FopenFlags, Generation, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyXattr,
};
use tracing::debug;

use crate::mount::convert::{self, errno};
use crate::vfs::{Attr, Entry, Error, LogLevel, OpenFlags, Opened, Result, Timeouts};

/// How long the kernel may believe the attributes of an entry. The reply has one field for node
/// and inode number; where they differ, the kernel asks again for the number that programs see.
pub(super) fn attr_timeout(timeouts: &Timeouts, entry: &Entry) -> Duration {
    if entry.attr.ino == entry.node.0 {
        timeouts.attr
    } else {
        Duration::ZERO
    }
}

pub(super) fn entry(timeouts: &Timeouts, operation: &str, found: Result<Entry>, reply: ReplyEntry) {
    match found {
        Ok(entry) => {
            let attr = convert::attr(entry.node.0, &entry.attr);
            reply.entry_with_ttls(
                &attr_timeout(timeouts, &entry),
                &timeouts.entry,
                &attr,
                Generation(entry.generation),
            );
        }
        Err(error) => reply.error(failed(operation, &error)),
    }
}

pub(super) fn attr(timeouts: &Timeouts, operation: &str, found: Result<Attr>, reply: ReplyAttr) {
    match found {
        Ok(attr) => reply.attr(&timeouts.attr, &convert::attr(attr.ino, &attr)),
        Err(error) => reply.error(failed(operation, &error)),
    }
}

/// Shows an error to developers; returns what the kernel gets. What the owner of the volume should
/// know has been told where it happened.
pub(super) fn failed(operation: &str, error: &Error) -> fuser::Errno {
    if error.level() == LogLevel::Debug {
        debug!("{operation}: {error}");
    }
    errno(error)
}

pub(super) fn empty(operation: &str, done: Result<()>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(failed(operation, &error)),
    }
}

pub(super) fn xattr(operation: &str, found: Result<Vec<u8>>, size: u32, reply: ReplyXattr) {
    match found {
        Err(error) => reply.error(failed(operation, &error)),
        Ok(bytes) => match u32::try_from(bytes.len()) {
            Ok(len) if size == 0 => reply.size(len),
            Ok(len) if len <= size => reply.data(&bytes),
            _ => reply.error(fuser::Errno::ERANGE),
        },
    }
}

/// Replies with a file or directory that was opened as `asked`.
pub(super) fn open(operation: &str, opened: Result<Opened>, asked: OpenFlags, reply: ReplyOpen) {
    match opened {
        Ok(opened) => reply.opened(FileHandle(opened.handle.0), open_flags(&opened, asked)),
        Err(error) => reply.error(failed(operation, &error)),
    }
}

pub(super) fn open_flags(opened: &Opened, asked: OpenFlags) -> FopenFlags {
    let mut flags = FopenFlags::empty();
    flags.set(FopenFlags::FOPEN_KEEP_CACHE, opened.keep_cache);
    // Who cannot write need not ask at the end how writing went.
    let is_read_only = asked & OpenFlags::ACCMODE == OpenFlags::RDONLY;
    flags.set(FopenFlags::FOPEN_NOFLUSH, is_read_only);
    flags
}
