//! What to do about the name of an entry: other copies of it, the list, the way to where it should
//! be, and `lost+found` when it is lost.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{Planner, is_out_of_reach};
use crate::format::{DirIv, DiskName, PlainName, StoredName};
use crate::fsck::finding::Damage;
use crate::fsck::repair::Repair;
use crate::fsck::repair::names::Texts;
use crate::fsck::repair::step::{Action, Source};
use crate::sys::{Dir, DirStream};

/// What is known of a directory.
pub(super) struct Known {
    pub(super) dir: Option<Dir>,
    pub(super) iv: Option<DirIv>,
    pub(super) state: State,
    pub(super) texts: Option<Texts>,
    /// Names on disk that entries get by this plan.
    taken: HashSet<OsString>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its IV is right.
    Sound,
    /// Its IV was wrong and is known: the names in it are right.
    Restored,
    /// Its IV is lost: all of its entries get new names.
    Lost,
}

impl Planner<'_, '_> {
    /// What is done about the name of an entry; `None` if that of its directory's IV does it.
    pub(super) fn name(&mut self, path: &Path, damage: &Damage) -> Option<Action> {
        let (repair, disk) = (self.repair, path.file_name()?);
        let parent = path.parent().unwrap_or(Path::new(""));
        let state = self.known(parent).state;
        if *damage == Damage::Leftover || *damage == Damage::NameFileStale {
            return Some(repair.leftover(path));
        }
        let is_encoded = !matches!(damage, Damage::NameEncoding { .. });
        match state {
            State::Lost => return None,
            State::Restored if is_encoded && repair.is_stored_well(self.known(parent), disk) => {
                return None;
            }
            _ => {}
        }
        let listed = self.listed(path, disk);
        if listed.is_some() {
            return listed;
        }
        let action = match damage {
            Damage::NameMisplaced => self.proper(parent, disk),
            Damage::NameFileMissing
            | Damage::NameFileUnreadable(_)
            | Damage::NameFileContent(_)
            | Damage::NameFileMismatch => self
                .text(parent, disk)
                .or_else(|| self.proper(parent, disk)),
            _ => None,
        };
        Some(action.unwrap_or(if is_out_of_reach(damage) {
            Action::None
        } else {
            Action::MoveToLostAndFound
        }))
    }

    /// Uses the list of names.
    fn listed(&mut self, path: &Path, disk: &OsStr) -> Option<Action> {
        let repair = self.repair;
        let plain = PlainName::new(repair.choices.names.of(path)?).ok()?;
        let known = self.known(path.parent().unwrap_or(Path::new("")));
        let stored = repair
            .vault
            .names()
            .encode(known.iv.as_ref()?, &plain)
            .ok()?;
        known.free_or_same(stored, disk, Source::List)
    }

    /// Looks for a text of the `.name` file that has the right hash.
    fn text(&mut self, parent: &Path, disk: &OsStr) -> Option<Action> {
        let repair = self.repair;
        let known = self.known(parent);
        let (dir, iv) = (known.dir.as_ref()?, known.iv.as_ref()?);
        let texts = known
            .texts
            .get_or_insert_with(|| repair.texts(parent, dir, Some(iv)));
        let (text, source) = texts.of(disk)?;
        repair.vault.names().decode(iv, &text).ok()?;
        Some(Action::RestoreName(text, source))
    }

    /// Stores an entry under the name that it decrypts to.
    fn proper(&mut self, parent: &Path, disk: &OsStr) -> Option<Action> {
        let repair = self.repair;
        let known = self.known(parent);
        let (dir, iv) = (known.dir.as_ref()?, known.iv.as_ref()?);
        let plain = PlainName::new(&repair.vault.plain_name(dir, iv, disk)?).ok()?;
        let stored = repair.vault.names().encode(iv, &plain).ok()?;
        known.free_or_same(stored, disk, Source::Sibling)
    }
}

impl Known {
    pub(super) fn new(dir: Option<Dir>, iv: Option<DirIv>, state: State) -> Known {
        Known {
            dir,
            iv,
            state,
            texts: None,
            taken: HashSet::new(),
        }
    }

    /// The way to store an entry `disk` as `stored`, unless another entry is in the way.
    fn free_or_same(&mut self, stored: StoredName, disk: &OsStr, source: Source) -> Option<Action> {
        if stored.disk() == disk {
            let (_, full) = stored.long()?;
            return Some(Action::RestoreName(full.as_os_str().to_owned(), source));
        }
        let is_there = self.dir.as_ref()?.stat_at(stored.disk()).is_ok();
        let is_free = !is_there && self.taken.insert(stored.disk().to_owned());
        is_free.then_some(Action::Rename(stored))
    }
}

impl Repair<'_> {
    /// Whether a directory holds anything that its IV is needed for.
    pub(super) fn has_entries(&self, path: &Path, dir: &Dir) -> bool {
        let is_top = path == Path::new("");
        let Ok(mut stream) = DirStream::open(dir) else {
            return false;
        };
        while let Some(Ok(entry)) = stream.next_entry() {
            let is_helper = match self.vault.classify(entry.name, is_top) {
                DiskName::Config | DiskName::DirIv => true,
                DiskName::NameFile | DiskName::Long(_) => false,
                DiskName::Short(name) => entry.is_dots() || self.vault.is_leftover(name),
            };
            if !is_helper {
                return true;
            }
        }
        false
    }

    /// Whether the name of an entry is right under the IV that its directory gets.
    fn is_stored_well(&self, known: &Known, disk: &OsStr) -> bool {
        let (Some(dir), Some(iv)) = (&known.dir, &known.iv) else {
            return false;
        };
        let Some(plain) = self.vault.plain_name(dir, iv, disk) else {
            return false;
        };
        let stored = PlainName::new(&plain).and_then(|name| self.vault.names().encode(iv, &name));
        stored.is_ok_and(|stored| stored.disk() == disk)
    }

    /// What is done about what an interrupted operation left behind.
    fn leftover(&self, path: &Path) -> Action {
        match self.parent(path) {
            Ok((dir, name)) if self.vault.is_vacant(&dir, &name) => Action::Remove,
            _ => Action::MoveToLostAndFound,
        }
    }
}
