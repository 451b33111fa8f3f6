//! Requests about open files.

use crate::mount::ring::answer::{Call, SYNC_DATA};
use crate::vfs::{CopyRange, NodeId, PlainOffset, Result, Vfs};

/// The writer is one for whom set-id bits go away (`FUSE_WRITE_KILL_SUIDGID`).
const WRITE_DROPS_PRIVILEGES: u32 = 1 << 2;
/// The handle is one of a directory (`FUSE_IOCTL_DIR`).
const IOCTL_DIR: u32 = 1 << 4;

impl<V: Vfs> Call<'_, V> {
    pub(super) fn open(mut self) -> Result<usize> {
        let flags = self.flags()?;
        let opened = self.server.open(self.node, flags)?;
        self.reply(|output| output.opened(&opened, flags))
    }

    pub(super) fn read(mut self) -> Result<usize> {
        let (handle, offset) = (self.handle()?, self.arguments.u64()?);
        let len = self.arguments.u32()?;
        self.server
            .read(handle, offset, len, |found| self.reply_bytes(found?))
    }

    pub(super) fn write(mut self) -> Result<usize> {
        let (handle, offset) = (self.handle()?, self.arguments.u64()?);
        let (len, flags) = (self.arguments.u32()?, self.arguments.u32()?);
        let (file, data) = ((self.node, handle), self.names().data(len)?);
        let drops_privileges = flags & WRITE_DROPS_PRIVILEGES != 0;
        let written = self
            .server
            .write(self.caller, file, offset, data, drops_privileges)?;
        self.reply_number(written)
    }

    pub(super) fn flush(mut self) -> Result<usize> {
        let handle = self.handle()?;
        self.server.fs.flush(handle)?;
        Ok(0)
    }

    pub(super) fn release(mut self) -> Result<usize> {
        let handle = self.handle()?;
        self.server.release(handle);
        Ok(0)
    }

    pub(super) fn fsync(mut self) -> Result<usize> {
        let (handle, flags) = (self.handle()?, self.arguments.u32()?);
        self.server.fs.fsync(handle, flags & SYNC_DATA != 0)?;
        Ok(0)
    }

    pub(super) fn fallocate(mut self) -> Result<usize> {
        let file = (self.node, self.handle()?);
        let (offset, len) = (self.arguments.u64()?, self.arguments.u64()?);
        let mode = self.arguments.u32()?.cast_signed();
        self.server
            .fallocate(self.caller, file, offset, len, mode)?;
        Ok(0)
    }

    pub(super) fn lseek(mut self) -> Result<usize> {
        let (handle, offset) = (self.handle()?, self.arguments.u64()?);
        let whence = self.arguments.u32()?;
        let found = self.server.seek(handle, offset.cast_signed(), whence)?;
        self.reply(|output| output.u64(found.cast_unsigned()))
    }

    pub(super) fn copy_file_range(mut self) -> Result<usize> {
        let (source, source_at) = (self.handle()?, self.arguments.u64()?);
        let node = NodeId(self.arguments.u64()?);
        let (target, target_at) = (self.handle()?, self.arguments.u64()?);
        let copy = CopyRange {
            source,
            source_at: PlainOffset(source_at),
            target,
            target_at: PlainOffset(target_at),
            len: self.arguments.u64()?,
        };
        let copied = self.server.copy_range(self.caller, node, copy)?;
        self.reply_number(copied)
    }

    pub(super) fn ioctl(mut self) -> Result<usize> {
        let (handle, flags) = (self.handle()?, self.arguments.u32()?);
        let (number, _argument) = (self.arguments.u32()?, self.arguments.u64()?);
        let len = self.arguments.u32()?;
        let (is_dir, data) = (flags & IOCTL_DIR != 0, self.names().data(len)?);
        let answer = self.server.ioctl(handle, is_dir, number, data)?;
        self.reply(|output| {
            output.bytes(&[0; 16]);
            output.bytes(&answer);
        })
    }
}
