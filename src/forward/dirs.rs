//! From a node to its backing directory, or to the place where its object is found.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::format::StoredName;
use crate::forward::{Forward, OpenFile};
use crate::sys::Errno;
use crate::vault::{BackingName, CipherDir};
use crate::vfs::{Error, NodeId, Result};

/// What an operation on a node works on.
pub(super) enum Object {
    /// A name in a directory.
    Named(Arc<CipherDir>, BackingName),
    /// An open file that has no name any more.
    Open(Arc<OpenFile>),
}

impl Forward {
    /// The open directory of a node.
    pub(super) fn dir(&self, node: NodeId) -> Result<Arc<CipherDir>> {
        self.dirs.reach(
            &self.nodes,
            node,
            || Ok(self.vault.root()?),
            |parent, name| {
                let opened = self.vault.subdir(parent, name)?;
                let key = opened.stat()?.key;
                Ok((opened, key))
            },
        )
    }

    /// The directory of `parent` and the name that `name` has in it on disk.
    pub(super) fn stored(
        &self,
        parent: NodeId,
        name: &OsStr,
    ) -> Result<(Arc<CipherDir>, StoredName)> {
        let dir = self.dir(parent)?;
        let stored = self.vault.encode(&dir, name)?;
        Ok((dir, stored))
    }

    /// Where the object of a node is found by name.
    pub(super) fn place(&self, node: NodeId) -> Result<(Arc<CipherDir>, BackingName)> {
        if node == NodeId::ROOT {
            return Ok((self.dir(node)?, BackingName::this_dir()));
        }
        // The kernel may have forgotten the directory of one name, but not that of another.
        for place in self.nodes.places(node) {
            match self.dir(place.parent) {
                Err(Error::Os(Errno::NOENT)) => {}
                found => return Ok((found?, place.name)),
            }
        }
        // A removed directory that somebody still stands in.
        match self.dirs.get(node) {
            Some(dir) => Ok((dir, BackingName::this_dir())),
            None => Err(Error::Os(Errno::NOENT)),
        }
    }

    /// The object of a node, also when all that is left of it is an open file.
    pub(super) fn object(&self, node: NodeId) -> Result<Object> {
        match self.place(node) {
            Ok((dir, name)) => Ok(Object::Named(dir, name)),
            Err(error) => {
                let key = self.nodes.key(node);
                let open = self.files.find(|open| Some(open.file.key()) == key);
                open.map(Object::Open).ok_or(error)
            }
        }
    }
}
