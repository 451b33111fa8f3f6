//! Changing attributes: of an open file through its descriptor, of anything else by holding it.

use std::sync::Arc;

use crate::forward::Forward;
use crate::forward::dirs::Object;
use crate::forward::open_files::OpenFile;
use crate::sys::{self, OpenFlags, SetTime, Stat};
use crate::vfs::{Caller, Changes, Handle, NodeId, Result};

impl Forward {
    /// The owner comes before the permissions: the system takes the set-user-ID and set-group-ID
    /// bits away with the owner, and a change of owner that is refused must not cost them.
    pub(super) fn change(
        &self,
        node: NodeId,
        handle: Option<Handle>,
        changes: &Changes,
    ) -> Result<()> {
        let open = handle.map(|handle| self.files.get(handle)).transpose()?;
        let times = times(changes);
        if changes.uid.or(changes.gid).or(changes.mode).is_some() || times.is_some() {
            let object = self.object_or_open(node, open.as_ref())?;
            if changes.uid.or(changes.gid).is_some() {
                object.chown(changes.uid, changes.gid)?;
            }
            if let Some(mode) = changes.mode {
                object.chmod(mode)?;
            }
            if let Some((atime, mtime)) = times {
                object.set_times(atime, mtime)?;
            }
        }
        match (changes.size, open) {
            (None, _) => {}
            (Some(size), Some(open)) => open.file.truncate(size)?,
            (Some(size), None) => self.file_of(node, OpenFlags::WRONLY)?.truncate(size)?,
        }
        Ok(())
    }

    /// Takes the set-user-ID and set-group-ID bits away if `caller` may not keep them.
    pub(super) fn drop_set_ids(
        &self,
        caller: Caller,
        node: NodeId,
        handle: Option<Handle>,
    ) -> Result<()> {
        let open = handle.map(|handle| self.files.get(handle)).transpose()?;
        let object = self.object_or_open(node, open.as_ref())?;
        let stat = object.stat()?;
        let mode = stat.mode & 0o7777;
        let kept = sys::mode_after_change(mode, stat.gid, (caller.uid, caller.gid, caller.pid));
        if stat.is_file() && kept != mode {
            object.chmod(kept)?;
        }
        Ok(())
    }

    fn object_or_open(&self, node: NodeId, open: Option<&Arc<OpenFile>>) -> Result<Object> {
        match open {
            Some(open) => Ok(Object::Open(Arc::clone(open))),
            None => self.object(node),
        }
    }
}

impl Object {
    fn stat(&self) -> sys::Result<Stat> {
        match self {
            Object::Held(inode) => inode.stat(),
            Object::Open(open) => open.file.backing().stat(),
        }
    }

    fn chmod(&self, mode: u32) -> sys::Result<()> {
        match self {
            Object::Held(inode) => inode.chmod(mode),
            Object::Open(open) => open.file.backing().chmod(mode),
        }
    }

    fn chown(&self, uid: Option<u32>, gid: Option<u32>) -> sys::Result<()> {
        match self {
            Object::Held(inode) => inode.chown(uid, gid),
            Object::Open(open) => open.file.backing().chown(uid, gid),
        }
    }

    fn set_times(&self, atime: SetTime, mtime: SetTime) -> sys::Result<()> {
        match self {
            Object::Held(inode) => inode.set_times(atime, mtime),
            Object::Open(open) => open.file.backing().set_times(atime, mtime),
        }
    }
}

/// Both times, if any of them is to change.
fn times(changes: &Changes) -> Option<(SetTime, SetTime)> {
    if changes.atime.is_none() && changes.mtime.is_none() {
        return None;
    }
    let keep = SetTime::Keep;
    Some((changes.atime.unwrap_or(keep), changes.mtime.unwrap_or(keep)))
}
