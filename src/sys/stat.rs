//! What the kernel says about a file or a filesystem, in types of one width on every architecture.
//!
//! `statx(2)` is used because its fields, unlike those of `stat(2)`, do not change with the
//! architecture. A [`FileKey`] names an inode for as long as somebody holds it open.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{self, AtFlags, FileType, StatxFlags};
use rustix::io::retry_on_intr;

use super::Result;

/// Identity of an inode: the device and the number on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey {
    /// Device number, encoded as in `st_dev`.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// A time stamp relative to the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// Seconds since 1970, negative before.
    pub secs: i64,
    /// Nanoseconds to add, below 10^9.
    pub nanos: u32,
}

impl Time {
    /// Whether this is longer ago than `age`.
    pub fn is_older_than(self, age: Duration, now: SystemTime) -> bool {
        let Ok(secs) = u64::try_from(self.secs) else {
            return true;
        };
        let then = UNIX_EPOCH.checked_add(Duration::new(secs, self.nanos));
        then.is_some_and(|then| now.duration_since(then).is_ok_and(|passed| passed > age))
    }
}

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Dir,
    /// Symbolic link.
    Symlink,
    /// Named pipe.
    Fifo,
    /// Unix socket.
    Socket,
    /// Character device.
    CharDevice,
    /// Block device.
    BlockDevice,
    /// Not told by the filesystem.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Kind {
        match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Dir,
            FileType::Symlink => Kind::Symlink,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::CharacterDevice => Kind::CharDevice,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::Unknown => Kind::Unknown,
        }
    }
}

impl Kind {
    /// The type bits of `st_mode`; 0 if unknown.
    pub fn bits(self) -> u32 {
        let kind = match self {
            Kind::File => FileType::RegularFile,
            Kind::Dir => FileType::Directory,
            Kind::Symlink => FileType::Symlink,
            Kind::Fifo => FileType::Fifo,
            Kind::Socket => FileType::Socket,
            Kind::CharDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            Kind::Unknown => return 0,
        };
        kind.as_raw_mode()
    }
}

/// Metadata of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stat {
    /// Device and inode number.
    pub key: FileKey,
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    /// Number of hard links.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of a device file, encoded as in `st_rdev`.
    pub rdev: u64,
    /// Size in bytes.
    pub size: u64,
    /// Allocated space in units of 512 bytes.
    pub blocks: u64,
    /// Preferred size of I/O in bytes.
    pub blksize: u32,
    /// Last access.
    pub atime: Time,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of the metadata.
    pub ctime: Time,
}

impl Stat {
    /// The type of the file.
    pub fn kind(&self) -> Kind {
        FileType::from_raw_mode(self.mode).into()
    }

    /// Whether less is stored of a file than it is long.
    pub fn may_have_holes(&self) -> bool {
        self.blocks.saturating_mul(512) < self.size
    }

    /// Whether this is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind() == Kind::File
    }

    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind() == Kind::Dir
    }

    /// Whether this is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind() == Kind::Symlink
    }

    /// Metadata of what the descriptor refers to.
    pub(super) fn of_fd(fd: impl AsFd) -> Result<Stat> {
        Stat::at(fd, Path::new(""), AtFlags::EMPTY_PATH)
    }

    /// Metadata of one name in a directory; a symlink is not followed.
    pub(super) fn of_name(dir: impl AsFd, name: &Path) -> Result<Stat> {
        Stat::at(dir, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn at(fd: impl AsFd, path: &Path, flags: AtFlags) -> Result<Stat> {
        let flags = flags | AtFlags::NO_AUTOMOUNT;
        let x = retry_on_intr(|| fs::statx(&fd, path, flags, StatxFlags::BASIC_STATS))?;
        let time = |t: fs::StatxTimestamp| Time {
            secs: t.tv_sec,
            nanos: t.tv_nsec,
        };
        Ok(Stat {
            key: FileKey {
                dev: fs::makedev(x.stx_dev_major, x.stx_dev_minor),
                ino: x.stx_ino,
            },
            mode: x.stx_mode.into(),
            nlink: x.stx_nlink.into(),
            uid: x.stx_uid,
            gid: x.stx_gid,
            rdev: fs::makedev(x.stx_rdev_major, x.stx_rdev_minor),
            size: x.stx_size,
            blocks: x.stx_blocks,
            blksize: x.stx_blksize,
            atime: time(x.stx_atime),
            mtime: time(x.stx_mtime),
            ctime: time(x.stx_ctime),
        })
    }
}

/// Values of [`FsStat::magic`], from `linux/magic.h`.
pub mod fs_magic {
    /// btrfs.
    pub const BTRFS: u64 = 0x9123_683e;
    /// ext2, ext3 and ext4.
    pub const EXT: u64 = 0xef53;
    /// Any FUSE filesystem.
    pub const FUSE: u64 = 0x6573_5546;
    /// NFS.
    pub const NFS: u64 = 0x6969;
    /// overlayfs.
    pub const OVERLAY: u64 = 0x794c_7630;
    /// tmpfs.
    pub const TMPFS: u64 = 0x0102_1994;
    /// XFS.
    pub const XFS: u64 = 0x5846_5342;
    /// ZFS.
    pub const ZFS: u64 = 0x2fc1_2fc1;
}

/// Capacity and type of a filesystem.
#[derive(Clone, Copy, Debug)]
pub struct FsStat {
    /// Preferred size of I/O in bytes.
    pub bsize: u64,
    /// Unit of the block counts in bytes.
    pub frsize: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks.
    pub bfree: u64,
    /// Free blocks that an unprivileged user may take.
    pub bavail: u64,
    /// Inodes in all.
    pub files: u64,
    /// Free inodes.
    pub ffree: u64,
    /// Longest name in bytes.
    pub namelen: u64,
    /// Type, see [`fs_magic`].
    pub magic: u64,
    /// Whether the filesystem is mounted read-only.
    pub read_only: bool,
}

impl FsStat {
    /// The filesystem that holds what the descriptor refers to.
    pub(super) fn of_fd(fd: impl AsFd) -> Result<FsStat> {
        const ST_RDONLY: u64 = 1;
        let s = retry_on_intr(|| fs::fstatfs(&fd))?;
        Ok(FsStat {
            bsize: word(s.f_bsize),
            frsize: word(s.f_frsize),
            blocks: s.f_blocks,
            bfree: s.f_bfree,
            bavail: s.f_bavail,
            files: s.f_files,
            ffree: s.f_ffree,
            namelen: word(s.f_namelen),
            magic: word(s.f_type),
            read_only: word(s.f_flags) & ST_RDONLY != 0,
        })
    }
}

/// The fields of `statfs(2)` are signed on one architecture, unsigned or short on another.
fn word<T: TryInto<u64>>(value: T) -> u64 {
    value.try_into().unwrap_or(0)
}
