//! An unlocked vault: the disk format plus file descriptors. No FUSE, no node ids, no printing.
//!
//! # Steps, and what a cut between them leaves
//!
//! A cut is a crash, a kill or a power failure. Everything that takes more than one step on the
//! backing file system is here, with its order. What is left over is tidied when a directory that
//! was listed is changed next (after a minute, for somebody may be at work), and goes with its
//! directory in any case; `fsck` reports it as `leftover` or `longname-stale`, which is no damage,
//! and the Go program skips it as an undecryptable name.
//!
//! | operation | steps | a cut leaves |
//! |---|---|---|
//! | make a file, link, symlink, device | one | old or new; an empty file needs no header |
//! | the same by a long name | write `.name`; make the object | a `.name` file without its object, which is left over; who makes that object finds it right or replaces it |
//! | replace a wrong `.name` | write it under a temporary name; rename | the temporary file |
//! | `mkdir` | make a directory under a temporary name; write its `gocryptfs.diriv`; rename | the temporary directory, never shown; a directory is never seen without its IV |
//! | `unlink`, long | remove the object; remove `.name` | a `.name` file without its object |
//! | `rmdir` | rename to a temporary name; move the IV out beside it; remove the directory; remove the IV; `.name` | the temporary directory, the IV or both, never shown: the directory is gone |
//! | `rename` from or to a long name | write the new `.name`; rename; remove the old `.name` | a `.name` file without its object |
//! | `rename` over a directory | move the IV of the empty one out; rename; remove the IV | the old state, the empty directory without an IV: it is given another one when it is opened next. `fsck` says `diriv-missing`, the Go program cannot list it until then |
//! | first write | header and block 0 in one | old or new |
//! | first write behind block 0, growth of an empty file | header; the rest | a header alone, which reads as an empty file |
//! | overwrite, append | one write of whole blocks | the block in which a power failure stopped the write may be torn; a kill tears none |
//! | write or growth behind the end | pad the last block with zeros; write, or set the size | the file with the padding |
//! | shrink to a block's end, empty | one | old or new |
//! | shrink inside a block | cut behind that block; seal it anew, shorter; cut behind its end | after the first step, the file up to the end of that block; after the second, a last block of which the beginning opens: who reads or writes it finishes the cut (see `cut`). Until then it is one damaged block to `fsck` and the Go program |
//! | reserve space | one | old or new |
//! | punch, zero | seal the blocks at both ends; one hole | some blocks zero, the rest old |
//! | clone | the blocks at the ends; one clone of the rest, with the header if the target takes the source's ID; the last part of a block | blocks old and new; the last one may be torn, in a target that takes another ID |
//! | write the configuration | write and sync a temporary file; rename; sync the directory | the old or the new one, and the temporary file, which the next change takes over after a minute |
//!
//! `compat/crash` kills the program before every step of each, and lets every system call fail;
//! `vault/tests/faults` tears every write of a file in memory.

mod abandon;
mod badname;
mod clone;
pub mod conf;
mod copy;
mod cut;
mod dir;
mod durable;
mod error;
mod file;
mod hollow;
mod leftover;
mod list;
mod make;
mod open;
mod plan;
mod punch;
mod raw;
mod recover;
mod remove;
mod rename;
mod resize;
mod spare;
#[cfg(test)]
mod tests;
mod undo;
mod verify;
mod write;
mod xattr;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

pub use copy::{CloneRule, Copied};
pub use dir::{BackingName, CipherDir};
pub use error::{Error, Result};
pub use file::CipherFile;
pub use list::{BadEntry, Listed, Listing};
pub use make::Owner;
pub use rename::RenameFlags;
pub use undo::Safety;
pub use verify::{BlockFault, Blocks, Content, Seen};
pub use xattr::{Subject, XattrNames};

use crate::crypto::MasterKey;
use crate::format::{BadNames, Codecs, ContentCodec, NameCodec, Params, XattrCodec};
use crate::sys::{Dir, File, FsStat, Reserve, fs_magic};
use crate::vault::clone::Reflinks;
use crate::vault::durable::Unsynced;
use crate::vault::open::OpenFiles;
use crate::vault::spare::Spare;

/// How a vault is used.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether overwrites reserve their space with `fallocate(2)` first.
    pub preallocate: bool,
    /// Whether somebody else writes the vault at the same time: nothing is cached then.
    pub shared_storage: bool,
}

/// An unlocked vault.
pub struct Vault {
    root: Dir,
    names: NameCodec,
    bad_names: BadNames,
    dir_ivs: bool,
    content: Arc<ContentCodec>,
    xattrs: XattrCodec,
    files: Arc<OpenFiles>,
    safety: Safety,
    spare: Arc<Spare<File>>,
    reflinks: Reflinks,
    shared_storage: bool,
    unsynced: Unsynced,
    /// Held by whoever makes, moves or removes an object with a `.name` file beside it.
    long_names: Mutex<()>,
    /// Held by whoever gives a directory an IV that has none, or takes it away for a moment.
    bare_dirs: Mutex<()>,
    read_only: bool,
}

impl Vault {
    /// Opens the vault in the directory `cipherdir`, which may be a symlink.
    ///
    /// # Errors
    /// What opening the directory says.
    pub fn open(
        cipherdir: &Path,
        params: &Params,
        key: &MasterKey,
        options: Options,
    ) -> Result<Vault> {
        let root = Dir::open(cipherdir)?;
        let fs = root.statfs()?;
        let codecs = Codecs::new(key, params);
        let reflinks = Reflinks {
            possible: root.can_clone(),
            grain: fs.bsize.max(1),
            cut_for_free: fs.magic == fs_magic::BTRFS,
        };
        let home = root.open_dir(OsStr::new("."))?;
        Ok(Vault {
            names: codecs.names,
            bad_names: BadNames::default(),
            dir_ivs: params.has_dir_iv(),
            content: Arc::new(codecs.content),
            xattrs: codecs.xattrs,
            files: Arc::default(),
            safety: safety_for(&fs, reflinks.possible, options.preallocate),
            spare: Arc::new(Spare::new(reflinks.grain, move || home.nameless())),
            reflinks,
            shared_storage: options.shared_storage,
            unsynced: Unsynced::default(),
            long_names: Mutex::new(()),
            bare_dirs: Mutex::new(()),
            read_only: false,
            root,
        })
    }

    /// Changes nothing, not even to mend what an operation that was cut short has left.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Vault {
        self.read_only = read_only;
        self
    }

    /// Whether names differ on the two sides.
    pub fn encrypts_names(&self) -> bool {
        !matches!(self.names, NameCodec::Plain)
    }

    /// Whether the backing file system lets files share their storage.
    pub fn may_clone(&self) -> bool {
        self.reflinks.possible
    }

    /// Space and inodes of the backing file system.
    ///
    /// # Errors
    /// What `statfs(2)` says.
    pub fn statfs(&self) -> Result<FsStat> {
        Ok(self.root.statfs()?)
    }
}

/// Reserving space keeps an overwrite from failing only where overwrites happen in place.
fn safety_for(fs: &FsStat, can_clone: bool, preallocate: bool) -> Safety {
    match fs.magic {
        fs_magic::BTRFS if can_clone => Safety::Insure,
        _ if !preallocate => Safety::Remember,
        fs_magic::BTRFS => Safety::Remember,
        fs_magic::XFS => Safety::Reserve(Reserve::KeepSizeUnshare),
        _ => Safety::Reserve(Reserve::KeepSize),
    }
}
