//! Mends what a check has found, as far as that can be done without destroying anything that can
//! still be decrypted.
//!
//! First all steps are planned, which changes nothing; then they are taken one by one. Invariant:
//! whatever a step overwrites or removes has been copied, as it is on disk, to a place outside of
//! the volume before.

mod content;
mod entries;
mod ivs;
mod names;
mod plan;
mod save;
mod step;

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use names::KnownNames;
pub use save::Save;
pub use step::{Action, Source, Step};

use super::Finding;
use crate::sys::{self, Dir, Errno};
use crate::vault::{CipherDir, Error, Vault};

/// Where objects go whose name or place is lost: a directory in the top one. File systems have one
/// of this name, too.
const LOST_AND_FOUND: &str = "lost+found";

/// What becomes of blocks that do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBlocks {
    /// They stay as they are.
    Keep,
    /// They become zeros.
    Zero,
    /// The file ends before the first one.
    Truncate,
}

/// What the user decides and contributes.
pub struct Choices {
    /// What becomes of blocks that do not open.
    pub bad_blocks: BadBlocks,
    /// Names that are known.
    pub names: KnownNames,
    /// An older copy of the encrypted directory.
    pub backup: Option<Dir>,
}

/// A repair.
pub struct Repair<'a> {
    vault: &'a Vault,
    choices: &'a Choices,
    save: Save,
    lost_and_found: OnceCell<CipherDir>,
}

impl<'a> Repair<'a> {
    /// Prepares a repair. What it changes is saved to `save` first.
    pub fn new(vault: &'a Vault, choices: &'a Choices, save: Save) -> Repair<'a> {
        Repair {
            vault,
            choices,
            save,
            lost_and_found: OnceCell::new(),
        }
    }

    /// What would be done about these findings, in the order in which it has to be done.
    pub fn plan(&self, findings: &[Finding]) -> Vec<Step> {
        plan::plan(self, findings)
    }

    /// Where originals have been saved, if there was any need.
    pub fn saved_to(&self) -> Option<&Path> {
        self.save.path()
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The step was not taken, or not completely; what it would have overwritten is saved.
    pub fn take(&self, step: &Step) -> Result<(), Error> {
        match &step.action {
            Action::None => Ok(()),
            Action::RestoreIv(iv, _) | Action::NewIv(iv) => self.write_iv(&step.path, iv),
            Action::MoveEntries => self.move_entries(&step.path),
            Action::MoveToLostAndFound => self.move_to_lost_and_found(&step.path),
            Action::RestoreName(text, _) => self.restore_name(&step.path, text),
            Action::Rename(stored) => self.rename(&step.path, stored),
            Action::MoveOut | Action::Remove => self.remove(&step.path),
            Action::RemoveXattr(attr) => self.remove_xattr(&step.path, attr),
            Action::Cut(size) => self.cut(&step.path, *size),
            Action::RestoreHeader(id) => self.restore_header(&step.path, *id),
            Action::ZeroBlocks(runs) => self.zero_blocks(&step.path, runs),
            Action::ZeroFile => self.zero_file(&step.path),
        }
    }

    /// Opens the directory at `path`.
    fn open(&self, path: &Path) -> sys::Result<Dir> {
        let mut dir = self.vault.top().open_dir(OsStr::new("."))?;
        for name in path {
            dir = dir.open_dir(name)?;
        }
        Ok(dir)
    }

    /// Opens the directory in which `path` is, and tells the name there.
    fn parent(&self, path: &Path) -> sys::Result<(Dir, OsString)> {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        let dir = self.open(path.parent().unwrap_or(Path::new("")))?;
        Ok((dir, name.to_owned()))
    }
}
