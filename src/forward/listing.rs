//! Reading directories.

use tracing::warn;

use crate::forward::{Forward, OpenDir};
use crate::sys::Stat;
use crate::vault::{BackingName, Listed, Listing};
use crate::vfs::{DirEntry, Entry, Handle, NodeId, Result, Take};

impl Forward {
    pub(super) fn open_listing(&self, node: NodeId) -> Result<Handle> {
        let dir = self.dir(node)?;
        let listing = parking_lot::Mutex::new(self.vault.list(dir)?);
        Ok(self.listings.insert(OpenDir { node, listing }))
    }

    pub(super) fn list(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()> {
        let open = self.listings.get(handle)?;
        let mut listing = open.listing.lock();
        listing.seek(offset)?;
        while let Some((entry, _)) = self.next_entry(&mut listing)? {
            if !take(&entry) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn list_with_attributes(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()> {
        let open = self.listings.get(handle)?;
        let mut listing = open.listing.lock();
        listing.seek(offset)?;
        while let Some((entry, backing)) = self.next_entry(&mut listing)? {
            let Some(backing) = backing else {
                let found = self.uncounted(&entry, listing.dir().stat()?);
                if !take(&(entry, found)) {
                    break;
                }
                continue;
            };
            // Removed since it was listed: as if it had not been there.
            let Ok(found) = self.entry(open.node, listing.dir(), backing) else {
                continue;
            };
            let node = found.node;
            if !take(&(entry, found)) {
                crate::vfs::Vfs::forget(self, node, 1);
                break;
            }
        }
        Ok(())
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
