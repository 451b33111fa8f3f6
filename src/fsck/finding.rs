//! What a check finds, as data: one variant for each kind of damage.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::format::{BlockDefect, BlockNo, HeaderDefect, NameDefect, PLAIN_BLOCK, ValueDefect};
use crate::sys::Errno;
use crate::vault::conf::ReadError;

/// One damaged object, or one of several damages of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Path in the encrypted directory; empty for that directory itself.
    pub path: PathBuf,
    /// The path that the user knows, if all names on the way could be decrypted.
    pub plain: Option<PathBuf>,
    /// The same of the directory it is in; `None` also for the top.
    pub plain_dir: Option<PathBuf>,
    /// Backing inode number, 0 if unknown.
    pub ino: u64,
    /// What is wrong.
    pub damage: Damage,
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The configuration file cannot be used.
    Conf(ReadError),
    /// A directory has no `gocryptfs.diriv`.
    DirIvMissing,
    /// The `gocryptfs.diriv` of a directory has not 16 bytes.
    DirIvLength(usize),
    /// The `gocryptfs.diriv` of a directory is all zero.
    DirIvZero,
    /// The `gocryptfs.diriv` of a directory is no file or cannot be read.
    DirIvUnreadable(Errno),
    /// The name on disk is not canonical base64.
    NameEncoding {
        /// Position of the first byte that cannot be right.
        at: usize,
    },
    /// The name on disk does not decrypt to a name.
    NameUndecryptable,
    /// The name on disk decrypts to bytes that hardly anybody calls a file: it may have been
    /// changed, or the directory's IV.
    NameNoise,
    /// Another entry has the same plain name, and it is the one that is reached by it.
    NameTwice,
    /// The plain name is stored in a form under which nothing looks for it.
    NameMisplaced,
    /// An entry with a hashed name has no `.name` file.
    NameFileMissing,
    /// The `.name` file of an entry is no file or cannot be read.
    NameFileUnreadable(Errno),
    /// The content of the `.name` file of an entry does not decrypt to a name.
    NameFileContent(NameDefect),
    /// The `.name` file of an entry holds a name with another hash.
    NameFileMismatch,
    /// A `.name` file belongs to no entry.
    NameFileStale,
    /// An operation that was cut short has left a helper file or directory behind.
    Leftover,
    /// A file of 1 to 18 bytes: no content, maybe not even a header.
    HeaderCut {
        /// Its size in bytes.
        size: u64,
    },
    /// The header of a file is none.
    Header(HeaderDefect),
    /// Blocks of a file do not open.
    Blocks {
        /// The first one.
        first: BlockNo,
        /// The last one of the run.
        last: BlockNo,
        /// What is wrong with each of them.
        defect: BlockDefect,
    },
    /// The last block of a file ends before it can hold anything.
    BlockTorn {
        /// Which block.
        no: BlockNo,
        /// How many bytes of it there are.
        rest: usize,
    },
    /// Blocks of a file that the backing file system cannot read.
    BlocksUnreadable {
        /// The first one.
        first: BlockNo,
        /// The last one of the run.
        last: BlockNo,
        /// Why.
        errno: Errno,
    },
    /// The target of a symlink does not open.
    Target(ValueDefect),
    /// The name of an extended attribute does not decrypt.
    XattrName {
        /// As it is on disk.
        disk: OsString,
        /// What is wrong with it.
        defect: NameDefect,
    },
    /// The value of an extended attribute does not open.
    XattrValue {
        /// As it is on disk.
        disk: OsString,
        /// Its plain name.
        name: OsString,
        /// What is wrong with it.
        defect: ValueDefect,
    },
    /// An object that the backing file system cannot read.
    Unreadable(Errno),
    /// An object that could not be looked at: no permission, no resources. Not healthy, not
    /// known to be damaged either.
    Skipped(Errno),
    /// Two files have one file ID: one is a clone of the other. This is no damage.
    SharedId {
        /// Backing inode number of the other one.
        with: u64,
    },
}

/// What a finding means for the state of the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something is not as it should be.
    Damage,
    /// Not known: nobody could look.
    Skipped,
    /// Worth knowing, and fine.
    Note,
}

impl Damage {
    /// What it means that the operating system refuses to open or read an object.
    pub(super) fn of(errno: Errno) -> Damage {
        match errno {
            Errno::ACCESS | Errno::PERM | Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                Damage::Skipped(errno)
            }
            other => Damage::Unreadable(other),
        }
    }

    /// What the damage means for the state of the volume.
    pub fn severity(&self) -> Severity {
        match self {
            Damage::Skipped(_) => Severity::Skipped,
            Damage::NameNoise | Damage::SharedId { .. } => Severity::Note,
            _ => Severity::Damage,
        }
    }

    /// A stable word for the kind of damage, for programs.
    pub fn class(&self) -> &'static str {
        match self {
            Damage::Conf(_) => "conf",
            Damage::DirIvMissing => "diriv-missing",
            Damage::DirIvLength(_) => "diriv-length",
            Damage::DirIvZero => "diriv-zero",
            Damage::DirIvUnreadable(_) => "diriv-unreadable",
            Damage::NameEncoding { .. } => "name-encoding",
            Damage::NameUndecryptable => "name-undecryptable",
            Damage::NameNoise => "name-noise",
            Damage::NameTwice => "name-twice",
            Damage::NameMisplaced => "name-misplaced",
            Damage::NameFileMissing => "longname-missing",
            Damage::NameFileUnreadable(_) => "longname-unreadable",
            Damage::NameFileContent(_) => "longname-content",
            Damage::NameFileMismatch => "longname-mismatch",
            Damage::NameFileStale => "longname-stale",
            Damage::Leftover => "leftover",
            Damage::HeaderCut { .. } => "header-cut",
            Damage::Header(_) => "header",
            Damage::Blocks { .. } => "block",
            Damage::BlockTorn { .. } => "block-torn",
            Damage::BlocksUnreadable { .. } => "block-unreadable",
            Damage::Target(_) => "symlink-target",
            Damage::XattrName { .. } => "xattr-name",
            Damage::XattrValue { .. } => "xattr-value",
            Damage::Unreadable(_) => "unreadable",
            Damage::Skipped(_) => "skipped",
            Damage::SharedId { .. } => "shared-id",
        }
    }

    /// What a repair does about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Damage::DirIvMissing
            | Damage::DirIvLength(_)
            | Damage::DirIvZero
            | Damage::DirIvUnreadable(_) => Remedy::NewIv,
            Damage::NameEncoding { .. }
            | Damage::NameUndecryptable
            | Damage::NameTwice
            | Damage::NameFileMissing
            | Damage::NameFileUnreadable(_)
            | Damage::NameFileContent(_) => Remedy::LostAndFound,
            Damage::NameMisplaced | Damage::NameFileMismatch => Remedy::Rename,
            Damage::NameFileStale | Damage::Leftover | Damage::Target(_) => Remedy::Remove,
            Damage::HeaderCut { .. } => Remedy::Empty,
            Damage::Header(_) | Damage::Blocks { .. } | Damage::BlocksUnreadable { .. } => {
                Remedy::Blocks
            }
            Damage::BlockTorn { .. } => Remedy::Cut,
            Damage::XattrName { .. } | Damage::XattrValue { .. } => Remedy::RemoveXattr,
            Damage::Conf(_)
            | Damage::NameNoise
            | Damage::Unreadable(_)
            | Damage::Skipped(_)
            | Damage::SharedId { .. } => Remedy::None,
        }
    }

    /// Where the damage begins in the plaintext, bytes, if it is about blocks.
    pub fn offset(&self) -> Option<u64> {
        self.blocks().map(|(first, _)| offset(first.0))
    }

    /// The first and the last damaged block of a file, if it is about blocks.
    pub fn blocks(&self) -> Option<(BlockNo, BlockNo)> {
        match *self {
            Damage::Blocks { first, last, .. } | Damage::BlocksUnreadable { first, last, .. } => {
                Some((first, last))
            }
            Damage::BlockTorn { no, .. } => Some((no, no)),
            _ => None,
        }
    }
}

/// What a repair does about a damage. Everything that it changes is saved first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing can be done, or need be.
    None,
    /// Finds the IV of the directory in a backup, or makes a new one and moves what is in the
    /// directory to `lost+found`.
    NewIv,
    /// Finds the name in a list or a backup, or moves the entry to `lost+found`.
    LostAndFound,
    /// Stores the entry where its name is looked for.
    Rename,
    /// Removes what is of no use.
    Remove,
    /// Empties the file.
    Empty,
    /// Finds out what the header was, or does what `-bad-blocks` says.
    Blocks,
    /// Cuts the incomplete block off.
    Cut,
    /// Removes the attribute.
    RemoveXattr,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Remedy::None => "none",
            Remedy::NewIv => "new-diriv",
            Remedy::LostAndFound => "lost+found",
            Remedy::Rename => "rename",
            Remedy::Remove => "remove",
            Remedy::Empty => "empty",
            Remedy::Blocks => "bad-blocks",
            Remedy::Cut => "cut",
            Remedy::RemoveXattr => "remove-xattr",
        })
    }
}

/// What exactly is wrong, without saying with what.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Conf(error) => write!(f, "{error}"),
            Damage::DirIvMissing => f.write_str("no such file or directory"),
            Damage::DirIvLength(length) => write!(f, "wanted 16 bytes, got {length}"),
            Damage::DirIvZero => f.write_str("diriv is all-zero"),
            Damage::NameEncoding { at } => write!(f, "{}", NameDefect::Base64 { at: *at }),
            Damage::NameUndecryptable => write!(f, "{}", NameDefect::Invalid),
            Damage::NameNoise => f.write_str("decrypts to noise"),
            Damage::NameTwice => f.write_str("another entry has the same name"),
            Damage::NameMisplaced => f.write_str("not stored where its name is looked for"),
            Damage::NameFileMissing => {
                f.write_str("Could not read .name: no such file or directory")
            }
            Damage::NameFileUnreadable(errno) => {
                write!(f, "Could not read .name: {}", Helper(*errno))
            }
            Damage::NameFileContent(defect) => write!(f, ".name: {defect}"),
            Damage::NameFileMismatch => f.write_str(".name holds the name of another entry"),
            Damage::NameFileStale => f.write_str("belongs to no entry"),
            Damage::Leftover => f.write_str("left behind by an interrupted operation"),
            Damage::HeaderCut { size } => write!(f, "file of {size} bytes has no content"),
            Damage::Header(defect) => write!(f, "corrupt header: {defect}"),
            Damage::Blocks {
                first,
                last,
                defect,
            } => write!(f, "corrupt {}: {defect}", Run(*first, *last)),
            Damage::BlockTorn { no, rest } => {
                let run = Run(*no, *no);
                write!(f, "corrupt {run}: incomplete last block ({rest} bytes)")
            }
            Damage::BlocksUnreadable { first, last, errno } => {
                write!(f, "unreadable {}: {errno}", Run(*first, *last))
            }
            Damage::Target(defect) | Damage::XattrValue { defect, .. } => write!(f, "{defect}"),
            Damage::XattrName { defect, .. } => write!(f, "{defect}"),
            Damage::DirIvUnreadable(errno) => write!(f, "{}", Helper(*errno)),
            Damage::Unreadable(errno) | Damage::Skipped(errno) => write!(f, "{errno}"),
            Damage::SharedId { with } => write!(f, "has the file ID of inode {with}"),
        }
    }
}

/// Why a helper file cannot be read, as text.
struct Helper(Errno);

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // What `Dir::read_small` says.
            Errno::INVAL => f.write_str("not a regular file"),
            errno => write!(f, "{errno}"),
        }
    }
}

/// Where a block begins in the plaintext, bytes.
fn offset(block: u64) -> u64 {
    block.saturating_mul(PLAIN_BLOCK as u64)
}

/// A run of blocks as text.
struct Run(BlockNo, BlockNo);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run(BlockNo(first), BlockNo(last)) = *self;
        if first == last {
            write!(f, "block #{first}")?;
        } else {
            write!(f, "blocks #{first}-{last}")?;
        }
        write!(f, " at offset {}", offset(first))
    }
}
