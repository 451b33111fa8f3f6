//! Finding what is shown under a name, and its attributes.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::format::{Codecs, PlainOffset, sealed_target_size};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::member::Member;
use crate::reverse::target::TARGET_MAX;
use crate::sys::{Errno, Stat};
use crate::tree::{Identity, Place};
use crate::vfs::{Attr, Entry, Error, Handle, NodeId, Result};

/// The object of a node.
pub(super) struct Found {
    pub(super) dir: Arc<ViewDir>,
    pub(super) member: Member,
    /// With the size that it shows.
    pub(super) stat: Stat,
    identity: Identity,
}

impl Reverse {
    pub(super) fn look_up(&self, parent: NodeId, shown: &OsStr) -> Result<Entry> {
        let dir = self.dir(parent)?;
        let member = self.member(&dir, shown)?;
        self.entry(parent, &dir, member)
    }

    /// The entry for a member that is there; counts a lookup.
    pub(super) fn entry(&self, parent: NodeId, dir: &ViewDir, member: Member) -> Result<Entry> {
        let (stat, identity) = self.stat(dir, &member)?;
        let mut unshared = true;
        if let Member::Object(name) = &member
            && has_several_names(&stat)
            && !self.options.newest
        {
            self.links.looked_up(stat.key, dir.path.join(&name.shown));
            unshared = false;
        }
        // Everything else is another node at another place, since what it shows is made of its path.
        let place = Place {
            parent,
            name: member,
        };
        let found = self.nodes.remember_as(place, identity, unshared);
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
            let size = sealed_target_size(content, names, len);
            // What cannot be read counts as empty.
            stat.size = if size > TARGET_MAX { 0 } else { size as u64 };
        }
        stat
    }

    pub(super) fn attributes(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        if node == NodeId::ROOT {
            let stat = self.root.stat()?;
            return Ok(self.shown(stat.key.ino, stat));
        }
        let Found {
            mut stat, identity, ..
        } = self.find(node)?;
        match handle.map(|handle| self.files.get(handle)).transpose()? {
            Some(file) => stat.size = self.size_through(&file, stat.size),
            None => self.sizes.tell(node, &stat),
        }
        Ok(self.shown(self.nodes.number(identity).0, stat))
    }

    /// Attributes as programs see them.
    pub(super) fn shown(&self, ino: u64, stat: Stat) -> Attr {
        Attr::new(ino, stat).owned_by(self.options.force_owner)
    }

    /// The object of a node, by any of its names. The top directory has none.
    ///
    /// # Errors
    /// `ESTALE` if something else was put in its place: the kernel looks again.
    pub(super) fn find(&self, node: NodeId) -> Result<Found> {
        let key = self.nodes.key(node);
        let mut answer = Err(Error::Os(Errno::NOENT));
        for place in self.nodes.places(node) {
            answer = self.find_at(place).and_then(|found| {
                let is_it = Some(found.stat.key) == key;
                is_it.then_some(found).ok_or(Error::Os(Errno::STALE))
            });
            if answer.is_ok() {
                break;
            }
        }
        answer
    }

    fn find_at(&self, place: Place<Member>) -> Result<Found> {
        let dir = self.dir(place.parent)?;
        let member = place.name;
        let (stat, identity) = self.stat(&dir, &member)?;
        Ok(Found {
            dir,
            member,
            stat,
            identity,
        })
    }

    /// Whether this process may do what `mask` says with the object of a node.
    pub(super) fn may_access(&self, node: NodeId, mask: u32) -> Result<()> {
        if node == NodeId::ROOT {
            return Ok(self.root.access(OsStr::new("."), mask)?);
        }
        let Found { dir, member, .. } = self.find(node)?;
        match member {
            Member::Object(name) => Ok(dir.dir.access(&name.plain, mask)?),
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
