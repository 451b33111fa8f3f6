//! Reading directories: the encrypted entries, then the virtual ones.
//!
//! A directory is read as a whole when its reader begins, and each name is encrypted then; cookies
//! count the entries.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::warn;

use crate::format::{CONF_NAME, REVERSE_CONF_NAME};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::long_names::LongNames;
use crate::reverse::member::Member;
use crate::sys::{self, DirStream, Errno, Kind, Stat};
use crate::vfs::{Attr, DirEntry, Entry, Error, Handle, NodeId, Result, Take, Vfs};

/// What an object is listed as that cannot be shown; there is no object of that name.
const INVALID_NAME: &str = "___GOCRYPTFS_INVALID_NAME___";
/// What a plain file is listed as whose name the configuration file has.
const COLLISION: &str = "gocryptfs.conf_NAME_COLLISION_";

/// Nodes from here on, one for each type of file, are nowhere: every operation on them fails.
const NOWHERE: u64 = 0xffff_ffff_0000_0000;

/// A directory that is being read.
pub(super) struct OpenDir {
    node: NodeId,
    dir: Arc<ViewDir>,
    items: Mutex<Vec<Item>>,
}

struct Item {
    what: What,
    ino: u64,
    kind: Kind,
}

enum What {
    /// The directory itself, or the one above.
    Dots(OsString),
    /// Something that is there.
    Member(Member),
    /// Something that is there but cannot be shown.
    Unnameable(String),
}

impl Item {
    fn name(&self) -> Cow<'_, OsStr> {
        match &self.what {
            What::Dots(name) => Cow::Borrowed(name),
            What::Member(member) => member.shown(),
            What::Unnameable(name) => Cow::Borrowed(OsStr::new(name)),
        }
    }
}

impl Reverse {
    pub(super) fn open_listing(&self, node: NodeId) -> Result<Handle> {
        let dir = self.dir(node)?;
        // Whether it may be read is for the open to tell.
        DirStream::open(&dir.dir)?;
        let items = Mutex::new(Vec::new());
        Ok(self.listings.insert(OpenDir { node, dir, items }))
    }

    pub(super) fn list(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()> {
        let open = self.listings.get(handle)?;
        self.each(&open, offset, |entry, _| Ok(take(&entry)))
    }

    pub(super) fn list_with_attributes(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()> {
        let open = self.listings.get(handle)?;
        self.each(&open, offset, |entry, what| {
            let member = match what {
                What::Member(member) => member.clone(),
                What::Dots(_) => {
                    let found = self.uncounted(entry.ino, open.dir.dir.stat()?);
                    return Ok(take(&(entry, found)));
                }
                What::Unnameable(_) => return Ok(show_name_only(entry, take)),
            };
            let found = match self.entry(open.node, &open.dir, member) {
                Ok(found) => found,
                // Removed since it was listed: as if it had not been there.
                Err(Error::Os(Errno::NOENT)) => return Ok(true),
                // Such as in a directory that may be listed but not searched.
                Err(_) => return Ok(show_name_only(entry, take)),
            };
            let taken = take(&(entry, found));
            if !taken {
                self.forget(found.node, 1);
            }
            Ok(taken)
        })
    }

    /// Gives the items from `offset` on to `show` until it returns `false`.
    fn each(
        &self,
        open: &OpenDir,
        offset: u64,
        mut show: impl FnMut(DirEntry, &What) -> Result<bool>,
    ) -> Result<()> {
        let mut items = open.items.lock();
        if offset == 0 {
            *items = self.read_items(&open.dir)?;
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        for (item, next) in items.iter().skip(start).zip(offset + 1..) {
            let entry = DirEntry {
                name: item.name().into_owned(),
                ino: item.ino,
                kind: item.kind,
                next,
            };
            if !show(entry, &item.what)? {
                break;
            }
        }
        Ok(())
    }

    /// An entry that counts no lookup.
    fn uncounted(&self, ino: u64, stat: Stat) -> Entry {
        Entry {
            node: NodeId(ino),
            generation: 1,
            attr: self.shown(ino, stat),
        }
    }

    fn read_items(&self, dir: &ViewDir) -> Result<Vec<Item>> {
        let stat = dir.dir.stat()?;
        let mut long_names = LongNames::new(&stat);
        let (mut items, mut virtuals) = (Vec::new(), Vec::new());
        if self.dir_ivs {
            virtuals.push(virtual_item(Member::DirIv));
        }
        let mut stream = DirStream::open(&dir.dir)?;
        while let Some(entry) = stream.next_entry() {
            let entry = entry?;
            let what = self.what(dir, &entry);
            let Some(what) = what else { continue };
            if let What::Member(Member::Object(name)) = &what
                && name.full.is_some()
            {
                long_names.add(name);
                virtuals.push(virtual_item(Member::NameFile(Arc::clone(name))));
            }
            let (ino, kind) = (entry.ino, entry.kind);
            items.push(Item { what, ino, kind });
        }
        items.append(&mut virtuals);
        *dir.long_names.lock() = Some(long_names);
        Ok(items)
    }

    /// What an entry of the plain directory is listed as; `None` for what is hidden.
    fn what(&self, dir: &ViewDir, entry: &sys::Entry<'_>) -> Option<What> {
        let plain = entry.name;
        if entry.is_dots() {
            return Some(What::Dots(plain.to_owned()));
        }
        if dir.foreign {
            return None;
        }
        if plain == REVERSE_CONF_NAME && self.has_config(dir) {
            return Some(What::Member(Member::Config));
        }
        if self.is_excluded(dir, plain) {
            return None;
        }
        if let Some(name) = self.name(dir, plain) {
            return Some(What::Member(Member::Object(Arc::new(name))));
        }
        let path = dir.plain_path_of(plain);
        let path = String::from_utf8_lossy(&path);
        let shown = if plain == CONF_NAME {
            warn!("{path:?} cannot be shown: the configuration file has its name");
            format!("{COLLISION}{}", entry.ino)
        } else {
            warn!("{path:?} cannot be shown: its encrypted name is too long");
            INVALID_NAME.to_owned()
        };
        Some(What::Unnameable(shown))
    }
}

/// Lists an entry of which no more is known. The kernel asks for attributes all the same; an inode
/// number that is not the node's keeps it from believing them, so it looks the name up.
fn show_name_only(entry: DirEntry, take: Take<'_, (DirEntry, Entry)>) -> bool {
    let kind = match entry.kind {
        Kind::Unknown => Kind::File,
        kind => kind,
    };
    let stat = Stat {
        mode: kind.bits(),
        ..Stat::default()
    };
    let nowhere = Entry {
        node: NodeId(NOWHERE + u64::from(kind.bits())),
        generation: 1,
        attr: Attr::new(0, stat),
    };
    take(&(entry, nowhere))
}

fn virtual_item(member: Member) -> Item {
    Item {
        what: What::Member(member),
        // Known when it is looked up.
        ino: u64::from(u32::MAX),
        kind: Kind::File,
    }
}
