//! Finding objects and their attributes.

use std::ffi::OsStr;

use crate::format::{Corrupt, DirIvDefect};
use crate::forward::Forward;
use crate::sys::{Errno, Stat};
use crate::tree::Place;
use crate::vault::{BackingName, CipherDir};
use crate::vfs::{Attr, Entry, Error, Handle, NodeId, Result};

impl Forward {
    pub(super) fn look_up(&self, parent: NodeId, name: &OsStr) -> Result<Entry> {
        let (dir, stored) = self.stored(parent, name).map_err(in_no_directory)?;
        self.entry(parent, &dir, BackingName::from(&stored))
    }

    /// The entry for an object that is there under `name`; counts a lookup.
    pub(super) fn entry(
        &self,
        parent: NodeId,
        dir: &CipherDir,
        name: BackingName,
    ) -> Result<Entry> {
        let stat = self.vault.stat(dir, &name)?;
        Ok(self.remember(parent, name, stat))
    }

    /// The entry for an object whose attributes are known; counts a lookup.
    pub(super) fn remember(&self, parent: NodeId, name: BackingName, stat: Stat) -> Entry {
        let found = self.nodes.remember(Place { parent, name }, stat.key);
        Entry {
            node: found.id,
            generation: found.generation,
            attr: self.shown(found.ino, stat),
        }
    }

    /// Attributes as programs see them.
    pub(super) fn shown(&self, ino: u64, stat: Stat) -> Attr {
        Attr::new(ino, stat).owned_by(self.options.force_owner)
    }

    pub(super) fn attributes(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        let stat = match handle {
            Some(handle) => self.files.get(handle)?.file.stat()?,
            None => self.stat_node(node)?,
        };
        Ok(self.shown(self.ino_of(node, &stat), stat))
    }

    /// The inode number that programs see: of the root it is the real one.
    fn ino_of(&self, node: NodeId, stat: &Stat) -> u64 {
        match node {
            NodeId::ROOT => stat.key.ino,
            _ if self.options.shared_storage => self.nodes.number(stat.key).0,
            _ => node.0,
        }
    }

    fn stat_node(&self, node: NodeId) -> Result<Stat> {
        if let Some(open) = self.open_one(node) {
            return Ok(open.file.stat()?);
        }
        self.by_name(node, |dir, name| {
            let stat = self.vault.stat(dir, name)?;
            self.check(node, stat.key)?;
            Ok(stat)
        })
    }
}

/// A directory without an IV has no entries as far as names go: another program may be about to
/// make it.
pub(super) fn in_no_directory(error: Error) -> Error {
    match error {
        Error::Corrupt {
            what: Corrupt::DirIv(DirIvDefect::Missing),
            ..
        } => Error::Os(Errno::NOENT),
        error => error,
    }
}
