//! What a repair does, as data.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::format::{BlockNo, DirIv, FileId, StoredName};

/// One step of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Path in the encrypted directory of what it is about.
    pub path: PathBuf,
    /// The same as the user knows it.
    pub plain: Option<PathBuf>,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it cannot be repaired, or not without a choice by the user.
    None,
    /// Puts an IV back that is known.
    RestoreIv(DirIv, Source),
    /// Gives the directory a new IV.
    NewIv(DirIv),
    /// Gives the entries of a directory with a new IV names in it if they are known, and moves
    /// the others to `lost+found`.
    MoveEntries,
    /// Moves the object to `lost+found`.
    MoveToLostAndFound,
    /// Moves the file, of which nothing decrypts, to where originals are saved.
    MoveOut,
    /// Writes the `.name` file with this text.
    RestoreName(OsString, Source),
    /// Stores the object under another name on disk.
    Rename(StoredName),
    /// Removes what is of no use.
    Remove,
    /// Removes the extended attribute of this name on disk.
    RemoveXattr(OsString),
    /// Cuts the file to this size on disk.
    Cut(u64),
    /// Writes the header with this ID.
    RestoreHeader(FileId),
    /// Overwrites runs of blocks by zeros.
    ZeroBlocks(Vec<(BlockNo, BlockNo)>),
    /// Makes all of the file zeros.
    ZeroFile,
}

/// How something that was lost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is what is there, but for a few bits or bytes.
    Remains,
    /// It was left by an operation that was cut short.
    Leftover,
    /// It is in another file of the directory.
    Sibling,
    /// It is in the backup.
    Backup,
    /// It is in the list of names.
    List,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Remains => "what is left of it",
            Source::Leftover => "an interrupted operation",
            Source::Sibling => "another file",
            Source::Backup => "the backup",
            Source::List => "the list of names",
        })
    }
}

impl Action {
    /// A stable word for what is done, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Action::None => "none",
            Action::RestoreIv(..) => "restore-diriv",
            Action::NewIv(_) => "new-diriv",
            Action::MoveEntries => "move-entries",
            Action::MoveToLostAndFound => "lost+found",
            Action::MoveOut => "move-out",
            Action::RestoreName(..) => "restore-name",
            Action::Rename(_) => "rename",
            Action::Remove => "remove",
            Action::RemoveXattr(_) => "remove-xattr",
            Action::Cut(_) => "cut",
            Action::RestoreHeader(_) => "restore-header",
            Action::ZeroBlocks(_) => "zero-blocks",
            Action::ZeroFile => "zero-file",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::None => f.write_str("leave as it is"),
            Action::RestoreIv(_, source) => write!(f, "restore gocryptfs.diriv from {source}"),
            Action::NewIv(_) => f.write_str("make a new gocryptfs.diriv"),
            Action::MoveEntries => {
                f.write_str("move entries whose names are not known to lost+found")
            }
            Action::MoveToLostAndFound => f.write_str("move to lost+found"),
            Action::MoveOut => f.write_str("move out of the volume, since nothing of it decrypts"),
            Action::RestoreName(_, source) => write!(f, "restore the .name file from {source}"),
            Action::Rename(_) => f.write_str("store where its name is looked for"),
            Action::Remove => f.write_str("remove"),
            Action::RemoveXattr(attr) => {
                write!(f, "remove the extended attribute {}", attr.display())
            }
            Action::Cut(0) => f.write_str("make empty"),
            Action::Cut(size) => write!(f, "cut to {size} bytes on disk"),
            Action::RestoreHeader(_) => f.write_str("restore the header"),
            Action::ZeroBlocks(runs) => {
                let count: u64 = runs.iter().map(|(first, last)| last.0 - first.0 + 1).sum();
                write!(f, "replace {count} damaged blocks by zeros")
            }
            Action::ZeroFile => f.write_str("replace all of the content by zeros"),
        }
    }
}
