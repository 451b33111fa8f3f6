//! Finding what is shown under a name, and its attributes.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::format::{Codecs, PlainOffset, sealed_target_size};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::member::Member;
use crate::sys::{Errno, Stat};
use crate::tree::{Identity, Place};
use crate::vfs::{Attr, Entry, Error, Handle, NodeId, Result};

impl Reverse {
    pub(super) fn look_up(&self, parent: NodeId, shown: &OsStr) -> Result<Entry> {
        let dir = self.dir(parent)?;
        let member = self.member(&dir, shown)?;
        self.entry(parent, &dir, member)
    }

    /// The entry for a member that is there; counts a lookup.
    pub(super) fn entry(&self, parent: NodeId, dir: &ViewDir, member: Member) -> Result<Entry> {
        let (stat, identity) = self.stat(dir, &member)?;
        if let Member::Object(name) = &member
            && has_several_names(&stat)
            && !self.options.newest
        {
            self.links.looked_up(stat.key, dir.path.join(&name.shown));
        }
        let name = member;
        let found = self.nodes.remember(Place { parent, name }, identity);
        self.sizes.tell(found.id, &stat);
        Ok(Entry {
            node: found.id,
            generation: found.generation,
            attr: self.shown(found.ino, stat),
        })
    }

    /// The attributes of a member with the size that it shows, and what its number stands for.
    pub(super) fn stat(&self, dir: &ViewDir, member: &Member) -> Result<(Stat, Identity)> {
        let stat = match member {
            Member::Object(name) => self.sealed_size(dir.dir.stat_at(&name.plain)?),
            Member::Config => self.config()?.stat()?,
            Member::DirIv | Member::NameFile(_) => return self.stat_virtual(dir, member),
        };
        Ok((stat, stat.key.into()))
    }

    fn sealed_size(&self, mut stat: Stat) -> Stat {
        let Codecs { content, names, .. } = &self.codecs;
        if stat.is_file() {
            stat.size = content.layout().cipher_size(PlainOffset(stat.size)).0;
        } else if stat.is_symlink() {
            let len = usize::try_from(stat.size).unwrap_or(usize::MAX);
            stat.size = sealed_target_size(content, names, len) as u64;
        }
        stat
    }

    pub(super) fn attributes(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        if node == NodeId::ROOT {
            let stat = self.root.stat()?;
            return Ok(self.shown(stat.key.ino, stat));
        }
        let (dir, member) = self.place(node)?;
        let (mut stat, identity) = self.stat(&dir, &member)?;
        self.check(node, &stat)?;
        match handle.map(|handle| self.files.get(handle)).transpose()? {
            Some(file) => stat.size = self.size_through(&file, stat.size),
            None => self.sizes.tell(node, &stat),
        }
        Ok(self.shown(self.nodes.number(identity).0, stat))
    }

    /// Attributes as programs see them.
    pub(super) fn shown(&self, ino: u64, mut stat: Stat) -> Attr {
        if let Some((uid, gid)) = self.options.force_owner {
            stat.uid = uid;
            stat.gid = gid;
        }
        Attr::new(ino, stat)
    }

    /// Where the object of a node is found by name. The top directory has no such place.
    pub(super) fn place(&self, node: NodeId) -> Result<(Arc<ViewDir>, Member)> {
        let place = self.nodes.place(node).ok_or(Errno::NOENT)?;
        Ok((self.dir(place.parent)?, place.name))
    }

    /// `ESTALE` if something else was put in the place of a node: the kernel looks again.
    pub(super) fn check(&self, node: NodeId, stat: &Stat) -> Result<()> {
        if Some(stat.key) == self.nodes.key(node) {
            Ok(())
        } else {
            Err(Error::Os(Errno::STALE))
        }
    }

    /// Whether this process may do what `mask` says with the object of a node.
    pub(super) fn may_access(&self, node: NodeId, mask: u32) -> Result<()> {
        if node == NodeId::ROOT {
            return Ok(self.root.access(OsStr::new("."), mask)?);
        }
        match self.place(node)? {
            (dir, Member::Object(name)) => Ok(dir.dir.access(&name.plain, mask)?),
            _ if mask & !READ != 0 => Err(Error::Os(Errno::ACCESS)),
            _ => Ok(()),
        }
    }
}

/// The one thing that is allowed with a virtual file, `R_OK`.
const READ: u32 = 4;

/// Whether a file has several names; which of them is used for what it is sealed with counts.
pub(super) fn has_several_names(stat: &Stat) -> bool {
    stat.nlink > 1 && !stat.is_dir()
}
