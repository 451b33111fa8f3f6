//! Between the values of the file system and those of fuser.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileHandle, FileType, INodeNo, TimeOrNow};

use crate::vfs::{Attr, Caller, Error, Handle, Kind, NodeId, OpenFlags, SetTime, Stat, Time};

/// The errno of a reply.
pub(super) fn errno(error: &Error) -> fuser::Errno {
    fuser::Errno::from_i32(error.errno().raw_os_error())
}

pub(super) fn caller(request: &fuser::Request, umask: u32) -> Caller {
    Caller {
        umask,
        uid: request.uid(),
        gid: request.gid(),
        pid: request.pid(),
    }
}

pub(super) fn node(ino: INodeNo) -> NodeId {
    NodeId(ino.0)
}

/// Attributes for a reply. In entries fuser takes the node id from the inode number.
pub(super) fn attr(ino: u64, attr: &Attr) -> FileAttr {
    let stat = &attr.stat;
    FileAttr {
        ino: INodeNo(ino),
        size: stat.size,
        blocks: stat.blocks,
        atime: system_time(stat.atime),
        mtime: system_time(stat.mtime),
        ctime: system_time(stat.ctime),
        crtime: UNIX_EPOCH,
        kind: file_type(stat.kind()),
        perm: (stat.mode & 0o7777) as u16,
        nlink: small(stat.nlink),
        uid: stat.uid,
        gid: stat.gid,
        rdev: rdev(stat),
        blksize: stat.blksize,
        flags: 0,
    }
}

/// The number of a device in the kernel's 32-bit form: the low half of the C library's.
pub(super) fn rdev(stat: &Stat) -> u32 {
    u32::try_from(stat.rdev & u64::from(u32::MAX)).unwrap_or(0)
}

pub(super) fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File | Kind::Unknown => FileType::RegularFile,
        Kind::Dir => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
        Kind::CharDevice => FileType::CharDevice,
        Kind::BlockDevice => FileType::BlockDevice,
    }
}

fn system_time(time: Time) -> SystemTime {
    let nanos = Duration::from_nanos(time.nanos.into());
    let seconds = Duration::from_secs(time.secs.unsigned_abs());
    let whole = if time.secs >= 0 {
        UNIX_EPOCH.checked_add(seconds)
    } else {
        UNIX_EPOCH.checked_sub(seconds)
    };
    whole
        .and_then(|whole| whole.checked_add(nanos))
        .unwrap_or(UNIX_EPOCH)
}

pub(super) fn set_time(time: TimeOrNow) -> SetTime {
    match time {
        TimeOrNow::Now => SetTime::Now,
        TimeOrNow::SpecificTime(time) => SetTime::At(sent_time(time)),
    }
}

/// The time that the kernel sent. fuser 0.18 builds one before 1970 by subtracting the seconds
/// *and* the nanoseconds from the epoch, so both are read off that distance.
fn sent_time(time: SystemTime) -> Time {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Time {
            secs: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            nanos: after.subsec_nanos(),
        },
        Err(error) => {
            let before = error.duration();
            Time {
                secs: 0i64.saturating_sub_unsigned(before.as_secs()),
                nanos: before.subsec_nanos(),
            }
        }
    }
}

pub(super) fn handle(fh: FileHandle) -> Handle {
    Handle(fh.0)
}

pub(super) fn flags(bits: i32) -> OpenFlags {
    OpenFlags::from_bits_retain(bits.cast_unsigned())
}

/// A number for a 32-bit field of the protocol.
pub(super) fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_their_nanoseconds() {
        let time = Time {
            secs: -2,
            nanos: 200_000_000,
        };
        let shown = system_time(time);
        assert_eq!(shown, UNIX_EPOCH - Duration::from_millis(1800));
        let sent = UNIX_EPOCH - Duration::new(2, 200_000_000);
        assert_eq!(sent_time(sent), time);
    }
}
