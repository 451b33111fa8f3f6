//! Changing attributes: of an open file through its descriptor, of anything else by name.

use std::sync::Arc;

use crate::format::PlainOffset;
use crate::forward::dirs::Object;
use crate::forward::{Forward, OpenFile};
use crate::sys::{OpenFlags, SetTime};
use crate::vault::{BackingName, CipherDir};
use crate::vfs::{Changes, Handle, NodeId, Result};

impl Forward {
    pub(super) fn change(
        &self,
        node: NodeId,
        handle: Option<Handle>,
        changes: &Changes,
    ) -> Result<()> {
        let object = match handle {
            Some(handle) => Object::Open(self.files.get(handle)?),
            None => self.object(node)?,
        };
        match object {
            Object::Open(open) => change_open(&open, changes),
            Object::Named(dir, name) => self.change_named(&dir, &name, changes),
        }
    }

    fn change_named(
        &self,
        dir: &Arc<CipherDir>,
        name: &BackingName,
        changes: &Changes,
    ) -> Result<()> {
        let backing = dir.dir();
        if let Some(mode) = changes.mode {
            backing.chmod(name.as_ref(), mode)?;
        }
        if changes.uid.is_some() || changes.gid.is_some() {
            backing.chown(name.as_ref(), changes.uid, changes.gid)?;
        }
        if let Some((atime, mtime)) = times(changes) {
            backing.set_times(name.as_ref(), atime, mtime)?;
        }
        if let Some(size) = changes.size {
            self.truncate_named(dir, name, size)?;
        }
        Ok(())
    }

    fn truncate_named(&self, dir: &CipherDir, name: &BackingName, size: PlainOffset) -> Result<()> {
        let (file, _) = self.open_for(dir, name, OpenFlags::WRONLY)?;
        Ok(file.truncate(size)?)
    }
}

fn change_open(open: &OpenFile, changes: &Changes) -> Result<()> {
    let backing = open.file.backing();
    if let Some(mode) = changes.mode {
        backing.chmod(mode)?;
    }
    if changes.uid.is_some() || changes.gid.is_some() {
        backing.chown(changes.uid, changes.gid)?;
    }
    if let Some((atime, mtime)) = times(changes) {
        backing.set_times(atime, mtime)?;
    }
    if let Some(size) = changes.size {
        open.file.truncate(size)?;
    }
    Ok(())
}

/// Both times, if any of them is to change.
fn times(changes: &Changes) -> Option<(SetTime, SetTime)> {
    if changes.atime.is_none() && changes.mtime.is_none() {
        return None;
    }
    let keep = SetTime::Keep;
    Some((changes.atime.unwrap_or(keep), changes.mtime.unwrap_or(keep)))
}
