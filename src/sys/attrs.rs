//! Owner, permissions and times, of an open file or of an object of any type.
//!
//! What belongs to a symlink is changed on the symlink itself, never on its target.

use std::ffi::OsStr;
use std::os::fd::AsFd;

use rustix::fs::{
    self, Access, AtFlags, CWD, Gid, Mode, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid,
};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::{Dir, Errno, File, Inode, Result, Time, fd_path};

/// What to do with a time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    /// Leave it.
    Keep,
    /// Set it to the clock of the kernel.
    Now,
    /// Set it to this value.
    At(Time),
}

impl From<SetTime> for Timespec {
    fn from(time: SetTime) -> Timespec {
        let (seconds, nanoseconds) = match time {
            SetTime::Keep => (0, UTIME_OMIT),
            SetTime::Now => (0, UTIME_NOW),
            SetTime::At(time) => (time.secs, time.nanos.into()),
        };
        Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds,
        }
    }
}

fn timestamps(atime: SetTime, mtime: SetTime) -> Timestamps {
    Timestamps {
        last_access: atime.into(),
        last_modification: mtime.into(),
    }
}

impl Inode {
    /// Sets the permissions. `EOPNOTSUPP` for a symlink, which has none.
    pub fn chmod(&self, mode: u32) -> Result<()> {
        // Older kernels changed the symlink and reported an error nevertheless.
        if self.stat()?.is_symlink() {
            return Err(Errno::OPNOTSUPP);
        }
        chmod_held(self, mode)
    }

    /// Sets owner and group; `None` leaves what is there.
    pub fn chown(&self, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        let (uid, gid) = (owner(uid)?, group(gid)?);
        retry_on_intr(|| fs::chownat(self, "", uid, gid, AtFlags::EMPTY_PATH))
    }

    /// Sets the time stamps.
    pub fn set_times(&self, atime: SetTime, mtime: SetTime) -> Result<()> {
        let (path, times) = (fd_path(self), timestamps(atime, mtime));
        retry_on_intr(|| fs::utimensat(CWD, &path, &times, AtFlags::empty()))
    }
}

impl Dir {
    /// Sets the permissions of the directory itself.
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        chmod_held(self, mode)
    }

    /// As [`Inode::chmod`], of an entry.
    pub fn chmod(&self, name: &OsStr, mode: u32) -> Result<()> {
        self.hold(name)?.chmod(mode)
    }

    /// As [`Inode::chown`], of an entry.
    pub fn chown(&self, name: &OsStr, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        self.hold(name)?.chown(uid, gid)
    }

    /// As [`Inode::set_times`], of an entry.
    pub fn set_times(&self, name: &OsStr, atime: SetTime, mtime: SetTime) -> Result<()> {
        self.hold(name)?.set_times(atime, mtime)
    }

    /// Whether this process, by its effective identity, may do what `mask` says (`R_OK` 4, `W_OK`
    /// 2, `X_OK` 1, existence 0). `EACCES` if not.
    pub fn access(&self, name: &OsStr, mask: u32) -> Result<()> {
        let name = component(name)?;
        let mask = Access::from_bits(mask).ok_or(Errno::INVAL)?;
        let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
        retry_on_intr(|| fs::accessat(self, name, mask, flags))
    }
}

fn chmod_held(fd: impl AsFd, mode: u32) -> Result<()> {
    let path = fd_path(fd);
    retry_on_intr(|| fs::chmod(&path, Mode::from_raw_mode(mode)))
}

impl File {
    /// Sets the permissions.
    pub fn chmod(&self, mode: u32) -> Result<()> {
        retry_on_intr(|| fs::fchmod(self, Mode::from_raw_mode(mode)))
    }

    /// Sets owner and group; `None` leaves what is there.
    pub fn chown(&self, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        let (uid, gid) = (owner(uid)?, group(gid)?);
        retry_on_intr(|| fs::fchown(self, uid, gid))
    }

    /// Sets the time stamps.
    pub fn set_times(&self, atime: SetTime, mtime: SetTime) -> Result<()> {
        let times = timestamps(atime, mtime);
        retry_on_intr(|| fs::futimens(self, &times))
    }
}

/// The highest number means "leave it" to the kernel and is nobody's: `EINVAL`.
fn owner(uid: Option<u32>) -> Result<Option<Uid>> {
    match uid {
        Some(u32::MAX) => Err(Errno::INVAL),
        other => Ok(other.map(Uid::from_raw)),
    }
}

/// As [`owner`], for a group.
fn group(gid: Option<u32>) -> Result<Option<Gid>> {
    match gid {
        Some(u32::MAX) => Err(Errno::INVAL),
        other => Ok(other.map(Gid::from_raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::OpenFlags;
    use crate::sys::testing::{Scratch, is_root, name};

    #[test]
    fn permissions_are_set_even_where_there_are_none() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0, b"", false).unwrap();
        dir.mknod(name("pipe"), libc::S_IFIFO, 0).unwrap();
        for (entry, mode) in [("f", 0o4751), ("f", 0), ("pipe", 0o621), (".", 0o750)] {
            dir.chmod(name(entry), mode).unwrap();
            assert_eq!(dir.stat_at(name(entry)).unwrap().mode & 0o7777, mode);
        }
        dir.mkdir(name("d"), 0).unwrap();
        let closed = dir.open_dir(name("d")).unwrap();
        closed.set_mode(0o710).unwrap();
        assert_eq!(dir.stat_at(name("d")).unwrap().mode & 0o7777, 0o710);
    }

    #[test]
    fn changes_to_a_symlink_do_not_reach_its_target() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        dir.symlink(name("f"), name("link")).unwrap();
        let before = dir.stat_at(name("f")).unwrap();
        let early = Time { secs: -5, nanos: 7 };
        assert_eq!(dir.chmod(name("link"), 0o777), Err(Errno::OPNOTSUPP));
        dir.set_times(name("link"), SetTime::At(early), SetTime::At(early))
            .unwrap();
        assert_eq!(dir.stat_at(name("link")).unwrap().mtime, early);
        if is_root() {
            dir.chown(name("link"), Some(12), Some(34)).unwrap();
            let stat = dir.stat_at(name("link")).unwrap();
            assert_eq!((stat.uid, stat.gid), (12, 34));
        }
        let after = dir.stat_at(name("f")).unwrap();
        assert_eq!((after.mode, after.uid), (before.mode, before.uid));
        assert_eq!((after.atime, after.mtime), (before.atime, before.mtime));
    }

    #[test]
    fn a_time_that_is_kept_stays() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        let [one, two] =
            [(1, 2), (3_000_000_000, 999_999_999)].map(|(secs, nanos)| Time { secs, nanos });
        let file = dir.open_file(name("f"), OpenFlags::RDWR).unwrap();
        let times = || file.stat().map(|stat| (stat.atime, stat.mtime)).unwrap();
        dir.set_times(name("f"), SetTime::At(one), SetTime::At(two))
            .unwrap();
        assert_eq!(times(), (one, two));
        dir.set_times(name("f"), SetTime::Keep, SetTime::At(one))
            .unwrap();
        assert_eq!(times(), (one, one));
        file.set_times(SetTime::At(two), SetTime::Keep).unwrap();
        assert_eq!(times(), (two, one));
        file.set_times(SetTime::Keep, SetTime::Now).unwrap();
        assert_eq!(times().0, two);
        assert!(times().1.secs > 1_600_000_000);
    }

    #[test]
    fn owner_and_group_are_set_one_by_one() {
        if !is_root() {
            return;
        }
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        let file = dir.open_file(name("f"), OpenFlags::RDWR).unwrap();
        let owner = || file.stat().map(|stat| (stat.uid, stat.gid)).unwrap();
        dir.chown(name("f"), Some(12), None).unwrap();
        assert_eq!(owner(), (12, 0));
        file.chown(None, Some(34)).unwrap();
        assert_eq!(owner(), (12, 34));
        assert_eq!(file.chown(Some(u32::MAX), None), Err(Errno::INVAL));
    }

    #[test]
    fn access_is_checked_by_the_mode() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        assert_eq!(dir.access(name("f"), 6), Ok(()));
        assert_eq!(dir.access(name("f"), 1), Err(Errno::ACCESS));
        assert_eq!(dir.access(name("g"), 0), Err(Errno::NOENT));
        dir.symlink(name("nowhere"), name("link")).unwrap();
        assert_eq!(dir.access(name("link"), 7), Ok(()));
    }
}
