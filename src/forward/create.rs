//! Making objects.

use std::ffi::OsStr;

use crate::format::StoredName;
use crate::forward::{Forward, twice};
use crate::sys::OpenFlags;
use crate::vault::{self, BackingName, CipherDir};
use crate::vfs::{Caller, Entry, NodeId, Opened, Result};

impl Forward {
    /// Makes an object with `make` and returns its entry.
    pub(super) fn make(
        &self,
        parent: NodeId,
        name: &OsStr,
        make: impl FnOnce(&CipherDir, &StoredName) -> vault::Result<()>,
    ) -> Result<Entry> {
        let (dir, stored) = self.stored(parent, name)?;
        make(&dir, &stored)?;
        twice(|| self.entry(parent, &dir, BackingName::from(&stored)))
    }

    pub(super) fn create_file(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        flags: OpenFlags,
    ) -> Result<(Entry, Opened)> {
        let (dir, stored) = self.stored(parent, name)?;
        let flags = super::files::backing_flags(flags);
        let owner = self.owner(caller);
        let mode = super::masked(&dir, caller, mode);
        let (file, stat) = self.vault.create_file(&dir, &stored, flags, mode, owner)?;
        let entry = self.remember(parent, BackingName::from(&stored), stat);
        let opened = Opened {
            handle: self.files.insert(file),
            keep_cache: false,
        };
        Ok((entry, opened))
    }
}
