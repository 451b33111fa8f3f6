//! Owner, permissions and times, of an open file or of an entry of a directory.
//!
//! What belongs to a symlink is changed on the symlink itself, never on its target.

use std::ffi::OsStr;

use rustix::fs::{
    self, Access, AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid,
};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::{Dir, Errno, File, Result, Stat, Time, fd_path};

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

impl Dir {
    /// Sets the permissions of an entry. `EOPNOTSUPP` for a symlink, which has none.
    pub fn chmod(&self, name: &OsStr, mode: u32) -> Result<()> {
        let fd = self.open_path(name)?;
        // Older kernels changed the symlink and reported an error nevertheless.
        if Stat::of_fd(&fd)?.is_symlink() {
            return Err(Errno::OPNOTSUPP);
        }
        let path = fd_path(&fd);
        retry_on_intr(|| fs::chmod(&path, Mode::from_raw_mode(mode)))
    }

    /// Sets owner and group of an entry; `None` leaves what is there.
    pub fn chown(&self, name: &OsStr, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        let name = component(name)?;
        let (uid, gid) = (owner(uid)?, group(gid)?);
        retry_on_intr(|| fs::chownat(self, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW))
    }

    /// Sets the time stamps of an entry.
    pub fn set_times(&self, name: &OsStr, atime: SetTime, mtime: SetTime) -> Result<()> {
        let name = component(name)?;
        let times = timestamps(atime, mtime);
        retry_on_intr(|| fs::utimensat(self, name, &times, AtFlags::SYMLINK_NOFOLLOW))
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
