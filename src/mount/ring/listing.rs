//! Requests about open directories.

use crate::mount::ring::answer::{Call, SYNC_DATA};
use crate::mount::ring::fields::Output;
use crate::vfs::{Handle, Result, Vfs};

impl<V: Vfs> Call<'_, V> {
    pub(super) fn opendir(mut self) -> Result<usize> {
        let flags = self.flags()?;
        let opened = self.server.opendir(self.node)?;
        self.reply(|output| output.opened(&opened, flags))
    }

    /// The handle, where to go on, and room for no more than was asked for.
    fn listing(&mut self) -> Result<(Handle, u64, Output<'_>)> {
        let (handle, offset) = (self.handle()?, self.arguments.u64()?);
        let room = self.payload.len().min(self.arguments.u32()? as usize);
        Ok((handle, offset, Output::new(&mut self.payload[..room])))
    }

    pub(super) fn readdir(mut self) -> Result<usize> {
        let fs = &self.server.fs;
        let (handle, offset, mut output) = self.listing()?;
        fs.readdir(handle, offset, &mut |entry| {
            output.dir_entry(entry.ino, entry)
        })?;
        output.finish()
    }

    pub(super) fn readdirplus(mut self) -> Result<usize> {
        let server = self.server;
        let (handle, offset, mut output) = self.listing()?;
        server
            .fs
            .readdirplus(handle, offset, &mut |(entry, found)| {
                output.dir_entry_plus(&server.timeouts, entry, found)
            })?;
        output.finish()
    }

    pub(super) fn releasedir(mut self) -> Result<usize> {
        let handle = self.handle()?;
        self.server.releasedir(handle);
        Ok(0)
    }

    pub(super) fn fsyncdir(mut self) -> Result<usize> {
        let (handle, flags) = (self.handle()?, self.arguments.u32()?);
        self.server.fs.fsyncdir(handle, flags & SYNC_DATA != 0)?;
        Ok(0)
    }
}
