//! The values that pass between a file system and its driver.

use std::ffi::OsString;
use std::time::Duration;

use crate::format::PlainOffset;
use crate::sys::{FileKey, Kind, SetTime, Stat};
use crate::tree::{Handle, NodeId};

/// Who asks: the credentials of the thread that made the system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Effective (file system) user.
    pub uid: u32,
    /// Effective (file system) group.
    pub gid: u32,
    /// Thread id, where the supplementary groups are found.
    pub pid: u32,
    /// The permission bits that it does not want on new objects.
    pub umask: u32,
}

/// The attributes of a node. `stat.size` is the plain size.
#[derive(Clone, Copy, Debug)]
pub struct Attr {
    /// The inode number that programs see.
    pub ino: u64,
    /// Everything else.
    pub stat: Stat,
}

/// A node that was found or made.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The node.
    pub node: NodeId,
    /// Tells apart two objects that had the same node id one after the other.
    pub generation: u64,
    /// Its attributes.
    pub attr: Attr,
}

/// The answer to an open.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// The new handle.
    pub handle: Handle,
    /// Whether pages that the kernel has cached from before are still good.
    pub keep_cache: bool,
}

/// What a `setattr` changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes {
    /// New permission bits.
    pub mode: Option<u32>,
    /// New owner.
    pub uid: Option<u32>,
    /// New group.
    pub gid: Option<u32>,
    /// New plain size.
    pub size: Option<PlainOffset>,
    /// New access time.
    pub atime: Option<SetTime>,
    /// New modification time.
    pub mtime: Option<SetTime>,
}

/// One entry of a directory.
#[derive(Clone, Debug)]
pub struct DirEntry {
    /// The plain name.
    pub name: OsString,
    /// The inode number.
    pub ino: u64,
    /// What it is.
    pub kind: Kind,
    /// The cookie from which to go on behind this entry.
    pub next: u64,
}

/// What `fallocate(2)` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallocate {
    /// Reserve space and grow the file if the range ends behind it.
    Grow,
    /// Reserve space, keep the size.
    KeepSize,
    /// Make the range a hole, keep the size.
    Punch,
    /// Make the range zeros with space reserved, and grow the file if it ends behind it.
    ZeroAndGrow,
    /// Make the range zeros with space reserved, keep the size.
    Zero,
}

/// What `lseek(2)` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// The next byte that is stored.
    Data,
    /// The next byte that is not.
    Hole,
}

/// What `renameat2(2)` does with an existing target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameMode {
    /// Replace it.
    Replace,
    /// Fail.
    NoReplace,
    /// Swap the two.
    Exchange,
    /// Replace it, and leave a whiteout device under the old name.
    Whiteout,
    /// Fail if there is one, and leave a whiteout device under the old name.
    NoReplaceWhiteout,
}

/// A request to copy `len` bytes between two open files.
#[derive(Clone, Copy, Debug)]
pub struct CopyRange {
    /// The file that is read.
    pub source: Handle,
    /// Where reading starts.
    pub source_at: PlainOffset,
    /// The file that is written.
    pub target: Handle,
    /// Where writing starts.
    pub target_at: PlainOffset,
    /// How many bytes at most.
    pub len: u64,
}

/// How long the kernel may believe what it was told.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Names.
    pub entry: Duration,
    /// Attributes.
    pub attr: Duration,
    /// Names that do not exist.
    pub negative: Duration,
}

impl Attr {
    /// The attributes of a backing object under the inode number `ino`.
    pub fn new(ino: u64, stat: Stat) -> Attr {
        Attr { ino, stat }
    }

    /// The same as if it belonged to this user and group, if any.
    #[must_use]
    pub fn owned_by(mut self, owner: Option<(u32, u32)>) -> Attr {
        if let Some((uid, gid)) = owner {
            self.stat.uid = uid;
            self.stat.gid = gid;
        }
        self
    }

    /// The backing object.
    pub fn key(&self) -> FileKey {
        self.stat.key
    }
}
