//! Results of the file system as replies to the kernel.

use std::time::Duration;

use fuser::{
    FileHandle, FopenFlags, Generation, ReplyAttr, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyXattr,
};

use crate::mount::convert::{self, errno};
use crate::mount::server::{Listed, log_failure};
use crate::vfs::{Attr, Entry, Error, OpenFlags, Opened, Result, Stat, Timeouts};

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

/// Node 0: the kernel remembers that there is no such name.
pub(super) fn no_entry(timeouts: &Timeouts, reply: ReplyEntry) {
    let nothing = convert::attr(0, &Attr::new(0, Stat::default()));
    reply.entry(&timeouts.negative, &nothing, Generation(0));
}

pub(super) fn attr(timeouts: &Timeouts, operation: &str, found: Result<Attr>, reply: ReplyAttr) {
    match found {
        Ok(attr) => reply.attr(&timeouts.attr, &convert::attr(attr.ino, &attr)),
        Err(error) => reply.error(failed(operation, &error)),
    }
}

/// Shows an error to developers; returns what the kernel gets.
pub(super) fn failed(operation: &str, error: &Error) -> fuser::Errno {
    log_failure(operation, error);
    errno(error)
}

pub(super) fn empty(operation: &str, done: Result<()>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(failed(operation, &error)),
    }
}

pub(super) fn xattr(operation: &str, found: Result<Listed>, reply: ReplyXattr) {
    match found {
        Ok(Listed::Len(len)) => reply.size(len),
        Ok(Listed::Bytes(bytes)) => reply.data(&bytes),
        Err(error) => reply.error(failed(operation, &error)),
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
