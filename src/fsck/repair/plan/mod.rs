//! From findings to steps: what can be known by looking is found out here, so that a plan says
//! exactly what will be done.
//!
//! Invariant: IVs come first, from the top down; then everything else from the bottom up, so that
//! the path of a step is still right when its turn comes.

mod content;
mod name;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::step::{Action, Step};
use super::{LOST_AND_FOUND, Repair};
use crate::format::{DirIv, NameDefect};
use crate::fsck::finding::{Damage, Finding, Severity};
use crate::sys::Errno;
use name::{Known, State};

/// The steps against `findings`, in their order.
pub(super) fn plan(repair: &Repair<'_>, findings: &[Finding]) -> Vec<Step> {
    let mut objects: BTreeMap<&Path, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if finding.damage.severity() != Severity::Note {
            objects.entry(&finding.path).or_default().push(finding);
        }
    }
    let mut planner = Planner {
        repair,
        dirs: HashMap::new(),
        steps: Vec::new(),
    };
    for (path, findings) in &objects {
        planner.iv(path, findings);
    }
    for (path, findings) in &objects {
        planner.object(path, findings);
    }
    planner
        .steps
        .sort_by_key(|(rank, step)| (*rank, step.path.clone()));
    planner.steps.into_iter().map(|(_, step)| step).collect()
}

/// When a step is taken: IVs from the top down, then the rest from the bottom up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Iv(usize),
    Object(Reverse<usize>, Turn),
}

/// What comes first on one level: stale helper files must not be in the way of new ones, nor be
/// taken for them; a name step may move the object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Stale,
    Content,
    Name,
    /// All entries of a directory, which is one level up.
    Entries,
}

struct Planner<'r, 'v> {
    repair: &'r Repair<'v>,
    dirs: HashMap<PathBuf, Known>,
    steps: Vec<(Rank, Step)>,
}

impl Planner<'_, '_> {
    fn push(&mut self, rank: Rank, of: &Finding, path: &Path, action: Action) {
        // What is planned for a directory is found by one of its entries sometimes.
        let plain = if of.path == path {
            of.plain.clone()
        } else {
            of.plain_dir.clone()
        };
        let path = path.to_owned();
        let step = Step {
            path,
            plain,
            action,
        };
        self.steps.push((rank, step));
    }

    /// Plans the IV that is damaged, or that makes a name undecryptable.
    fn iv(&mut self, path: &Path, findings: &[&Finding]) {
        for finding in findings {
            match finding.damage {
                _ if self.repair.is_of_the_file_system(path) => {}
                Damage::DirIvMissing
                | Damage::DirIvLength(_)
                | Damage::DirIvZero
                | Damage::DirIvUnreadable(_) => self.lost_iv(path, finding),
                Damage::NameUndecryptable | Damage::NameFileContent(NameDefect::Invalid) => {
                    self.suspect_iv(path.parent().unwrap_or(path), finding);
                }
                _ => {}
            }
        }
    }

    fn lost_iv(&mut self, path: &Path, finding: &Finding) {
        let dir = self.repair.open(path).ok();
        let depth = path.components().count();
        let found = dir.as_ref().and_then(|dir| self.repair.find_iv(path, dir));
        let (iv, state) = if let Some((iv, source)) = found {
            let action = Action::RestoreIv(iv, source);
            self.push(Rank::Iv(depth), finding, path, action);
            (iv, State::Restored)
        } else if is_out_of_reach(&finding.damage) {
            return self.push(Rank::Iv(depth), finding, path, Action::None);
        } else {
            let iv = DirIv::random();
            self.push(Rank::Iv(depth), finding, path, Action::NewIv(iv));
            let has_entries = |dir| self.repair.has_entries(path, dir);
            if dir.as_ref().is_some_and(has_entries) {
                let rank = Rank::Object(Reverse(depth + 1), Turn::Entries);
                self.push(rank, finding, path, Action::MoveEntries);
            }
            (iv, State::Lost)
        };
        let known = Known::new(dir, Some(iv), state);
        self.dirs.insert(path.to_owned(), known);
    }

    /// Looks whether it is the IV of the directory at `path` that is to blame for a bad name.
    fn suspect_iv(&mut self, path: &Path, finding: &Finding) {
        if self.dirs.contains_key(path) {
            return;
        }
        let repair = self.repair;
        let known = self.known(path);
        let (Some(dir), Some(iv)) = (&known.dir, &known.iv) else {
            return;
        };
        if !repair.is_iv_wrong(dir, iv) {
            return;
        }
        if let Some((iv, source)) = repair.find_iv(path, dir) {
            known.iv = Some(iv);
            known.state = State::Restored;
            let rank = Rank::Iv(path.components().count());
            self.push(rank, finding, path, Action::RestoreIv(iv, source));
        }
    }

    fn known(&mut self, path: &Path) -> &mut Known {
        let repair = self.repair;
        self.dirs.entry(path.to_owned()).or_insert_with(|| {
            let dir = repair.open(path).ok();
            let iv = dir.as_ref().and_then(|dir| repair.vault.read_iv(dir).ok());
            Known::new(dir, iv, State::Sound)
        })
    }

    /// Plans everything about an object but an IV.
    fn object(&mut self, path: &Path, findings: &[&Finding]) {
        let Some(first) = findings.first() else {
            return;
        };
        let depth = Reverse(path.components().count());
        let content = Rank::Object(depth, Turn::Content);
        if self.repair.is_of_the_file_system(path) {
            return self.push(content, first, path, Action::None);
        }
        for finding in findings {
            if let Some(action) = direct(&finding.damage) {
                self.push(content, finding, path, action);
            }
        }
        let is_removed = |finding: &&Finding| matches!(finding.damage, Damage::Target(_));
        let mut name = None;
        if !findings.iter().any(is_removed) {
            let bad = findings.iter().find(|finding| is_name(&finding.damage));
            name = bad.and_then(|finding| Some((*finding, self.name(path, &finding.damage)?)));
        }
        if let Some(mended) = self.repair.mend(path, findings) {
            match &mut name {
                Some((_, action @ Action::MoveToLostAndFound)) if mended.is_lost => {
                    *action = Action::MoveOut;
                }
                _ => {
                    for action in mended.actions {
                        self.push(content, first, path, action);
                    }
                }
            }
        }
        if let Some((finding, action)) = name {
            let turn = match finding.damage {
                Damage::NameFileStale => Turn::Stale,
                _ => Turn::Name,
            };
            self.push(Rank::Object(depth, turn), finding, path, action);
        }
    }
}

/// What is done about a damage whatever else there is.
fn direct(damage: &Damage) -> Option<Action> {
    match damage {
        Damage::Conf(_) | Damage::Unreadable(_) | Damage::Skipped(_) => Some(Action::None),
        Damage::Target(_) => Some(Action::Remove),
        Damage::XattrName { disk, .. } | Damage::XattrValue { disk, .. } => {
            Some(Action::RemoveXattr(disk.clone()))
        }
        _ => None,
    }
}

/// Whether a damage is about the name of an entry.
fn is_name(damage: &Damage) -> bool {
    matches!(
        damage,
        Damage::NameEncoding { .. }
            | Damage::NameUndecryptable
            | Damage::NameTwice
            | Damage::NameMisplaced
            | Damage::NameFileMissing
            | Damage::NameFileUnreadable(_)
            | Damage::NameFileContent(_)
            | Damage::NameFileMismatch
            | Damage::NameFileStale
            | Damage::Leftover
    )
}

/// Whether what is damaged cannot be read now, and may be there all the same.
fn is_out_of_reach(damage: &Damage) -> bool {
    matches!(
        damage,
        Damage::DirIvUnreadable(errno) | Damage::NameFileUnreadable(errno)
            if *errno != Errno::INVAL
    )
}

impl Repair<'_> {
    /// Whether this is the directory that file systems have at their top, which does not belong
    /// to the volume.
    pub(super) fn is_of_the_file_system(&self, path: &Path) -> bool {
        path == Path::new(LOST_AND_FOUND) && self.vault.encrypts_names()
    }
}
