//! Reading directories.

use tracing::warn;

use crate::forward::{Forward, OpenDir};
use crate::sys::{Errno, FileKey, Stat};
use crate::vault::{BackingName, CipherDir, Listed, Listing};
use crate::vfs::{DirEntry, Entry, Error, Handle, NodeId, Result, Take};

impl Forward {
    pub(super) fn open_listing(&self, node: NodeId) -> Result<Handle> {
        let dir = self.dir(node)?;
        let listing = parking_lot::Mutex::new(self.vault.list(dir)?);
        Ok(self.listings.insert(OpenDir { node, listing }))
    }

    pub(super) fn list(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()> {
        self.each(handle, offset, |_, _, entry, _| Ok(take(&entry)))
    }

    pub(super) fn list_with_attributes(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()> {
        self.each(handle, offset, |parent, dir, entry, backing| {
            let Some(backing) = backing else {
                let found = self.uncounted(&entry, dir.stat()?);
                return Ok(take(&(entry, found)));
            };
            let found = match self.entry(parent, dir, backing.clone()) {
                Ok(found) => found,
                // Removed since it was listed: as if it had not been there.
                Err(Error::Os(Errno::NOENT)) => return Ok(true),
                Err(_) => self.without_attributes(parent, dir, &entry, backing)?,
            };
            let node = found.node;
            let taken = take(&(entry, found));
            if !taken {
                crate::vfs::Vfs::forget(self, node, 1);
            }
            Ok(taken)
        })
    }

    /// Goes through the entries after `offset` until `run` has no room for more. An error behind
    /// some entries is left to the next call: they are with the caller already.
    fn each(
        &self,
        handle: Handle,
        offset: u64,
        mut run: impl FnMut(NodeId, &CipherDir, DirEntry, Option<BackingName>) -> Result<bool>,
    ) -> Result<()> {
        let open = self.listings.get(handle)?;
        let mut listing = open.listing.lock();
        listing.seek(offset)?;
        let mut first = true;
        loop {
            let taken = match self.next_entry(&mut listing) {
                Ok(Some((entry, backing))) => run(open.node, listing.dir(), entry, backing),
                Ok(None) => Ok(false),
                Err(error) => Err(error),
            };
            match taken {
                Ok(true) => first = false,
                Err(error) if first => return Err(error),
                Ok(false) | Err(_) => return Ok(()),
            }
        }
    }

    /// The entry for an object of which no more is known than its directory tells, such as in one
    /// that may be listed but not searched. Counts a lookup.
    fn without_attributes(
        &self,
        parent: NodeId,
        dir: &CipherDir,
        entry: &DirEntry,
        backing: BackingName,
    ) -> Result<Entry> {
        let dev = dir.stat()?.key.dev;
        let stat = Stat {
            key: FileKey {
                dev,
                ino: entry.ino,
            },
            mode: entry.kind.bits(),
            ..Stat::default()
        };
        let mut found = self.remember(parent, backing, stat);
        found.attr.ino = 0;
        Ok(found)
    }

    /// The entry for `.` or `..`, which counts no lookup.
    fn uncounted(&self, entry: &DirEntry, stat: Stat) -> Entry {
        Entry {
            node: NodeId(entry.ino),
            generation: 1,
            attr: self.shown(entry.ino, stat),
        }
    }

    /// The next entry with a plain name; what cannot be decrypted is reported and left out.
    fn next_entry(&self, listing: &mut Listing) -> Result<Option<(DirEntry, Option<BackingName>)>> {
        while let Some(listed) = self.vault.next_entry(listing) {
            match listed? {
                Listed::Entry {
                    name,
                    backing,
                    ino,
                    kind,
                    next,
                } => {
                    let entry = DirEntry {
                        name,
                        ino,
                        kind,
                        next,
                    };
                    return Ok(Some((entry, backing)));
                }
                Listed::Bad { disk, defect } => warn!("invalid entry {disk:?}: {defect}"),
            }
        }
        Ok(None)
    }
}
