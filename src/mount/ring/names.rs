//! Requests about names: found, made, changed, removed.

use crate::mount::ring::answer::Call;
use crate::vfs::{NodeId, Result, Vfs};

impl<V: Vfs> Call<'_, V> {
    pub(super) fn lookup(self) -> Result<usize> {
        let found = self.server.lookup(self.node, self.names().name()?)?;
        let timeouts = &self.server.timeouts;
        self.reply(|output| match found {
            Some(entry) => output.entry(timeouts, &entry),
            None => output.no_entry(timeouts),
        })
    }

    pub(super) fn symlink(self) -> Result<usize> {
        let mut names = self.names();
        let (name, target) = (names.name()?, names.name()?);
        let entry = self.server.symlink(self.caller, self.node, name, target)?;
        self.reply_entry(&entry)
    }

    pub(super) fn mknod(mut self) -> Result<usize> {
        let (mode, rdev) = (self.arguments.u32()?, self.arguments.u32()?);
        self.caller.umask = self.arguments.u32()?;
        let name = self.names().name()?;
        let entry = self
            .server
            .mknod(self.caller, self.node, name, mode, rdev)?;
        self.reply_entry(&entry)
    }

    pub(super) fn mkdir(mut self) -> Result<usize> {
        let mode = self.arguments.u32()?;
        self.caller.umask = self.arguments.u32()?;
        let name = self.names().name()?;
        let entry = self.server.mkdir(self.caller, self.node, name, mode)?;
        self.reply_entry(&entry)
    }

    pub(super) fn unlink(self) -> Result<usize> {
        self.server.unlink(self.node, self.names().name()?)?;
        Ok(0)
    }

    pub(super) fn rmdir(self) -> Result<usize> {
        self.server.rmdir(self.node, self.names().name()?)?;
        Ok(0)
    }

    pub(super) fn rename(mut self, has_flags: bool) -> Result<usize> {
        let parent = NodeId(self.arguments.u64()?);
        let flags = if has_flags { self.arguments.u32()? } else { 0 };
        let mut names = self.names();
        let (from, to) = ((self.node, names.name()?), (parent, names.name()?));
        self.server.rename(from, to, flags)?;
        Ok(0)
    }

    pub(super) fn link(mut self) -> Result<usize> {
        let node = NodeId(self.arguments.u64()?);
        let entry = self.server.link(node, self.node, self.names().name()?)?;
        self.reply_entry(&entry)
    }

    pub(super) fn create(mut self) -> Result<usize> {
        let (flags, mode) = (self.flags()?, self.arguments.u32()?);
        self.caller.umask = self.arguments.u32()?;
        let name = self.names().name()?;
        let created = self
            .server
            .create(self.caller, self.node, name, mode, flags);
        let (entry, opened) = created?;
        let timeouts = &self.server.timeouts;
        self.reply(|output| {
            output.entry(timeouts, &entry);
            output.opened(&opened, flags);
        })
    }
}
