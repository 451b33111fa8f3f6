//! Requests about what an object is like.

use crate::mount::convert::small;
use crate::mount::ring::answer::Call;
use crate::mount::server::Listed;
use crate::vfs::{Changes, Handle, PlainOffset, Result, SetTime, Time, Vfs};

/// What `valid` says of a request to change attributes (`FATTR_*`).
mod valid {
    pub(super) const MODE: u32 = 1;
    pub(super) const UID: u32 = 1 << 1;
    pub(super) const GID: u32 = 1 << 2;
    pub(super) const SIZE: u32 = 1 << 3;
    pub(super) const ATIME: u32 = 1 << 4;
    pub(super) const MTIME: u32 = 1 << 5;
    pub(super) const HANDLE: u32 = 1 << 6;
    pub(super) const ATIME_NOW: u32 = 1 << 7;
    pub(super) const MTIME_NOW: u32 = 1 << 8;
}

/// A request for attributes comes with a handle (`FUSE_GETATTR_FH`).
const GETATTR_HANDLE: u32 = 1;

impl<V: Vfs> Call<'_, V> {
    pub(super) fn getattr(mut self) -> Result<usize> {
        let flags = self.arguments.u32()?;
        self.arguments.skip(4)?;
        let handle = self.handle()?;
        let handle = (flags & GETATTR_HANDLE != 0).then_some(handle);
        let attr = self.server.getattr(self.node, handle)?;
        let timeouts = &self.server.timeouts;
        self.reply(|output| output.attr(timeouts, &attr))
    }

    pub(super) fn setattr(mut self) -> Result<usize> {
        let args = &mut self.arguments;
        let valid = args.u32()?;
        args.skip(4)?;
        let (handle, size) = (Handle(args.u64()?), args.u64()?);
        args.skip(8)?;
        let (atime, mtime, _ctime) = (args.u64()?, args.u64()?, args.u64()?);
        let (atime_nanos, mtime_nanos, _) = (args.u32()?, args.u32()?, args.u32()?);
        let mode = args.u32()?;
        args.skip(4)?;
        let (uid, gid) = (args.u32()?, args.u32()?);
        let has = |bit| valid & bit != 0;
        let set_time = |given, now, secs: u64, nanos| {
            let secs = secs.cast_signed();
            let time = if has(now) {
                SetTime::Now
            } else {
                SetTime::At(Time { secs, nanos })
            };
            has(given).then_some(time)
        };
        let changes = Changes {
            mode: has(valid::MODE).then_some(mode),
            uid: has(valid::UID).then_some(uid),
            gid: has(valid::GID).then_some(gid),
            size: has(valid::SIZE).then_some(PlainOffset(size)),
            atime: set_time(valid::ATIME, valid::ATIME_NOW, atime, atime_nanos),
            mtime: set_time(valid::MTIME, valid::MTIME_NOW, mtime, mtime_nanos),
        };
        let handle = has(valid::HANDLE).then_some(handle);
        let attr = self
            .server
            .setattr(self.caller, self.node, handle, changes)?;
        let timeouts = &self.server.timeouts;
        self.reply(|output| output.attr(timeouts, &attr))
    }

    pub(super) fn readlink(self) -> Result<usize> {
        let target = self.server.readlink(self.node)?;
        self.reply_bytes(&target)
    }

    pub(super) fn statfs(self) -> Result<usize> {
        let stat = self.server.fs.statfs()?;
        self.reply(|output| {
            for count in [stat.blocks, stat.bfree, stat.bavail, stat.files, stat.ffree] {
                output.u64(count);
            }
            for size in [stat.bsize, stat.namelen, stat.frsize] {
                output.u32(small(size));
            }
            output.bytes(&[0; 28]);
        })
    }

    pub(super) fn setxattr(mut self) -> Result<usize> {
        let (len, flags) = (self.arguments.u32()?, self.arguments.u32()?);
        let mut names = self.names();
        let (name, value) = (names.name()?, names.data(len)?);
        self.server
            .setxattr(self.caller, self.node, name, value, flags)?;
        Ok(0)
    }

    pub(super) fn getxattr(mut self) -> Result<usize> {
        let room = self.arguments.u32()?;
        let value = self
            .server
            .getxattr(self.node, self.names().name()?, room)?;
        self.reply_listed(&value)
    }

    pub(super) fn listxattr(mut self) -> Result<usize> {
        let room = self.arguments.u32()?;
        let names = self.server.listxattr(self.node, room)?;
        self.reply_listed(&names)
    }

    fn reply_listed(self, listed: &Listed) -> Result<usize> {
        match listed {
            Listed::Len(len) => self.reply_number(*len),
            Listed::Bytes(bytes) => self.reply_bytes(bytes),
        }
    }

    pub(super) fn removexattr(self) -> Result<usize> {
        self.server.removexattr(self.node, self.names().name()?)?;
        Ok(0)
    }

    pub(super) fn access(mut self) -> Result<usize> {
        let mask = self.arguments.u32()?;
        self.server.access(self.node, mask)?;
        Ok(0)
    }
}
