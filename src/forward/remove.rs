//! Removing and renaming objects; the node table follows.

use std::ffi::OsStr;

use crate::format::StoredName;
use crate::forward::Forward;
use crate::tree::Place;
use crate::vault::{BackingName, RenameFlags};
use crate::vfs::{NodeId, RenameMode, Result};

impl Forward {
    pub(super) fn remove_file(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        let (dir, stored) = self.stored(parent, name)?;
        let _moving = self.moving.read();
        self.vault.unlink(&dir, &stored)?;
        self.nodes.removed(&at(parent, &stored));
        Ok(())
    }

    pub(super) fn remove_dir(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        let (dir, stored) = self.stored(parent, name)?;
        let _moving = self.moving.read();
        self.vault.rmdir(&dir, &stored)?;
        self.nodes.removed(&at(parent, &stored));
        Ok(())
    }

    pub(super) fn move_object(
        &self,
        (from_node, old): (NodeId, &OsStr),
        (to_node, new): (NodeId, &OsStr),
        mode: RenameMode,
    ) -> Result<()> {
        let (from, old) = self.stored(from_node, old)?;
        let (to, new) = self.stored(to_node, new)?;
        let _moving = self.moving.read();
        self.vault.rename((&from, &old), (&to, &new), flags(mode))?;
        let (old, new) = (at(from_node, &old), at(to_node, &new));
        if mode == RenameMode::Exchange {
            self.nodes.exchanged(&old, &new);
        } else {
            self.nodes.renamed(&old, new);
        }
        Ok(())
    }
}

fn at(parent: NodeId, name: &StoredName) -> Place<BackingName> {
    Place {
        parent,
        name: BackingName::from(name),
    }
}

fn flags(mode: RenameMode) -> RenameFlags {
    match mode {
        RenameMode::Replace => RenameFlags::empty(),
        RenameMode::NoReplace => RenameFlags::NOREPLACE,
        RenameMode::Exchange => RenameFlags::EXCHANGE,
        RenameMode::Whiteout => RenameFlags::WHITEOUT,
        RenameMode::NoReplaceWhiteout => RenameFlags::NOREPLACE | RenameFlags::WHITEOUT,
    }
}
