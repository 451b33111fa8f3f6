//! An unlocked vault: the disk format plus file descriptors. No FUSE, no node ids, no printing.
//!
//! # Steps, and what a crash between them leaves
//!
//! - A file is made by one step; it is empty and needs no header.
//! - A long name has a `.name` file, which is written before the object and removed after it. A
//!   `.name` file without its object is stale: the next creation of that name replaces it, and
//!   removing the directory removes it.
//! - A directory is built with its `gocryptfs.diriv` under a temporary name and renamed into
//!   place. A crash leaves at most the temporary directory, which is never shown and goes with
//!   its parent.
//! - A directory is removed in the opposite order: renamed to a temporary name, then emptied of
//!   its `gocryptfs.diriv`, then removed.
//! - A directory is renamed over an empty one by exchanging the two and removing the empty one.
//! - The first write of a file carries header and content in one request; a later block is
//!   replaced by one request, which is taken back if it fails half way (see `undo`).

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
