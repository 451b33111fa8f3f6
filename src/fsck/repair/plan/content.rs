//! What to do about the content of a file: the header if it can be known, or what the user has
//! chosen.

use std::path::Path;

use crate::format::{BlockNo, FileId};
use crate::fsck::finding::{Damage, Finding};
use crate::fsck::repair::step::Action;
use crate::fsck::repair::{BadBlocks, Repair};
use crate::sys::{File, OpenFlags, Stat};
use crate::vault::Content;

/// How a file is mended.
pub(super) struct Mended {
    pub(super) actions: Vec<Action>,
    /// Nothing of it decrypts, and it has no other name.
    pub(super) is_lost: bool,
}

impl Mended {
    fn partly(action: Action) -> Mended {
        Mended {
            actions: vec![action],
            is_lost: false,
        }
    }
}

impl Repair<'_> {
    /// What is done about the content of a file; `None` if nothing is wrong with it.
    pub(super) fn mend(&self, path: &Path, findings: &[&Finding]) -> Option<Mended> {
        let mut runs = Vec::new();
        let mut torn = None;
        for finding in findings {
            match finding.damage {
                Damage::HeaderCut { .. } => return Some(self.lost(path, vec![Action::Cut(0)])),
                Damage::Header(_) => return Some(self.mend_header(path)),
                Damage::Blocks { first, last, .. }
                | Damage::BlocksUnreadable { first, last, .. } => runs.push((first, last)),
                Damage::BlockTorn { no, .. } => torn = Some(Action::Cut(self.start_of(no))),
                _ => {}
            }
        }
        if runs.is_empty() {
            return torn.map(Mended::partly);
        }
        runs.sort();
        Some(self.mend_blocks(path, runs, torn))
    }

    fn mend_header(&self, path: &Path) -> Mended {
        if let Some(id) = self.recovered_id(path) {
            return Mended::partly(Action::RestoreHeader(id));
        }
        let action = match self.choices.bad_blocks {
            BadBlocks::Keep => Action::None,
            BadBlocks::Zero => Action::ZeroFile,
            BadBlocks::Truncate => Action::Cut(0),
        };
        self.lost(path, vec![action])
    }

    /// What is done about a file of which nothing decrypts.
    fn lost(&self, path: &Path, actions: Vec<Action>) -> Mended {
        let has_other_names = self.opened(path).is_some_and(|(_, stat)| stat.nlink > 1);
        Mended {
            actions,
            is_lost: !has_other_names,
        }
    }

    fn mend_blocks(
        &self,
        path: &Path,
        runs: Vec<(BlockNo, BlockNo)>,
        torn: Option<Action>,
    ) -> Mended {
        let (count, id) = self.count_and_id(path).unwrap_or((u64::MAX, None));
        match self.recovered_id(path) {
            // It is the header that was wrong, and not the blocks.
            Some(other) if id != Some(other) => {
                return Mended::partly(Action::RestoreHeader(other));
            }
            _ => {}
        }
        let bad: u64 = runs.iter().map(|(first, last)| last.0 - first.0 + 1).sum();
        let is_lost = bad + u64::from(torn.is_some()) >= count;
        let first = runs.first().map_or(BlockNo(0), |(first, _)| *first);
        let actions = match self.choices.bad_blocks {
            BadBlocks::Keep => torn.into_iter().chain([Action::None]).collect(),
            BadBlocks::Zero => torn.into_iter().chain([Action::ZeroBlocks(runs)]).collect(),
            BadBlocks::Truncate => vec![Action::Cut(self.start_of(first))],
        };
        if is_lost {
            return self.lost(path, actions);
        }
        Mended {
            actions,
            is_lost: false,
        }
    }

    /// The size on disk of a file that ends before a block.
    fn start_of(&self, no: BlockNo) -> u64 {
        match no {
            // A header without blocks is no file.
            BlockNo(0) => 0,
            no => self.vault.content().layout().cipher_start(no).0,
        }
    }

    fn recovered_id(&self, path: &Path) -> Option<FileId> {
        let (file, stat) = self.opened(path)?;
        self.vault.recover_id(&file, &stat).ok()?
    }

    /// The number of blocks, and the ID in the header.
    fn count_and_id(&self, path: &Path) -> Option<(u64, Option<FileId>)> {
        let (file, stat) = self.opened(path)?;
        match self.vault.content_of(file, &stat).ok()? {
            Content::Blocks(blocks) => Some((blocks.count(), Some(blocks.id()))),
            _ => None,
        }
    }

    fn opened(&self, path: &Path) -> Option<(File, Stat)> {
        let (dir, name) = self.parent(path).ok()?;
        let file = dir.open_file(&name, OpenFlags::RDONLY).ok()?;
        let stat = file.stat().ok()?;
        Some((file, stat))
    }
}
