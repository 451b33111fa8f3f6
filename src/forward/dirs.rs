//! From a node to its backing directory, or to the place where its object is found.
//!
//! A name is only a hint: somebody may be renaming the object at this moment, or may have put
//! another one in its place. What is found is compared with the node before anything is done to it.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::format::StoredName;
use crate::forward::Forward;
use crate::forward::open_files::OpenFile;
use crate::sys::{Errno, FileKey, Inode};
use crate::vault::{BackingName, CipherDir};
use crate::vfs::{Error, NodeId, Result};

/// What an operation on a node works on.
pub(super) enum Object {
    /// Found by name.
    Held(Inode),
    /// A file that is open.
    Open(Arc<OpenFile>),
}

impl Forward {
    /// The open directory of a node.
    pub(super) fn dir(&self, node: NodeId) -> Result<Arc<CipherDir>> {
        self.settled(|| self.dir_now(node))
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

    /// Runs `attempt` where a node is found by name; `attempt` says `ESTALE` if what it finds is
    /// another object.
    pub(super) fn by_name<T>(
        &self,
        node: NodeId,
        attempt: impl Fn(&CipherDir, &BackingName) -> Result<T>,
    ) -> Result<T> {
        self.settled(|| {
            let mut answer = Err(Error::Os(Errno::NOENT));
            for place in self.nodes.places(node) {
                answer = self
                    .dir_now(place.parent)
                    .and_then(|dir| attempt(&dir, &place.name));
                if !is_elsewhere(&answer) {
                    return answer;
                }
            }
            // The top, also if no name in it can be read, or a removed directory that somebody still
            // stands in.
            let dir = match node {
                NodeId::ROOT => match self.dir_now(node) {
                    Ok(dir) => Some(dir),
                    Err(_) => Some(Arc::new(self.vault.root_object()?)),
                },
                _ => self.dirs.get(node),
            };
            dir.map_or(answer, |dir| attempt(&dir, &BackingName::this_dir()))
        })
    }

    /// The object of a node: a file that is open needs no name, nor a system call to find it.
    pub(super) fn object(&self, node: NodeId) -> Result<Object> {
        match self.open_one(node) {
            Some(open) => Ok(Object::Open(open)),
            None => self.held(node).map(Object::Held),
        }
    }

    /// The object of a node, found by name.
    pub(super) fn held(&self, node: NodeId) -> Result<Inode> {
        self.by_name(node, |dir, name| {
            let inode = dir.dir().hold(name.as_ref())?;
            self.check(node, inode.stat()?.key)?;
            Ok(inode)
        })
    }

    /// An open file of a node.
    pub(super) fn open_one(&self, node: NodeId) -> Option<Arc<OpenFile>> {
        self.files.of(self.nodes.key(node)?)
    }

    /// `ESTALE` if `key` is not the object of `node`.
    pub(super) fn check(&self, node: NodeId, key: FileKey) -> Result<()> {
        if self.nodes.key(node) == Some(key) {
            Ok(())
        } else {
            Err(Error::Os(Errno::STALE))
        }
    }

    fn dir_now(&self, node: NodeId) -> Result<Arc<CipherDir>> {
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

    /// Runs `attempt`; if the object is not where it should be, once more when nobody is just
    /// moving anything.
    fn settled<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        let answer = attempt();
        if !is_elsewhere(&answer) {
            return answer;
        }
        let _nobody_moves = self.moving.write();
        attempt()
    }
}

/// Whether an object was not found, or another one in its place.
fn is_elsewhere<T>(answer: &Result<T>) -> bool {
    let elsewhere = [Errno::NOENT, Errno::STALE, Errno::NOTDIR, Errno::LOOP];
    matches!(answer, Err(Error::Os(errno)) if elsewhere.contains(errno))
}
