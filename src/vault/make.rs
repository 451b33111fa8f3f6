//! Making objects: each appears whole, with the helper files that its name needs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use crate::crypto::random;
use crate::format::{CipherName, DIRIV_NAME, DirIv, HashedName, StoredName, seal_target};
use crate::sys::{self, As, Errno};
use crate::vault::dir::{BackingName, CipherDir};
use crate::vault::error::Result;
use crate::vault::rename::RenameFlags;
use crate::vault::{Vault, remove};

/// Permissions of `gocryptfs.diriv` and `.name` files.
pub(super) const HELPER_MODE: u32 = 0o444;

/// Who a new object shall belong to, when that is not the daemon itself.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The thread whose supplementary groups count.
    pub pid: u32,
}

impl Owner {
    /// Lets the current thread act as `owner` until the guard is dropped.
    pub(super) fn act(owner: Option<Owner>) -> sys::Result<Option<As>> {
        owner
            .map(|owner| As::caller(owner.uid, owner.gid, owner.pid))
            .transpose()
    }
}

impl Vault {
    /// Makes a directory.
    ///
    /// # Errors
    /// `EEXIST`; what `mkdirat(2)` says.
    pub fn mkdir(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        mode: u32,
        owner: Option<Owner>,
    ) -> Result<()> {
        if !self.dir_ivs {
            return self.with_name_file(dir, name, owner, |disk| dir.dir.mkdir(disk, mode));
        }
        self.with_name_file(dir, name, None, |disk| build_dir(dir, disk, mode, owner))
    }

    /// Makes a file, fifo, socket, device or whiteout.
    ///
    /// # Errors
    /// `EEXIST`; what `mknodat(2)` says.
    pub fn mknod(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        mode: u32,
        rdev: u64,
        owner: Option<Owner>,
    ) -> Result<()> {
        self.with_name_file(dir, name, owner, |disk| dir.dir.mknod(disk, mode, rdev))
    }

    /// Makes a symlink.
    ///
    /// # Errors
    /// `EEXIST`; what `symlinkat(2)` says.
    pub fn symlink(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        target: &OsStr,
        owner: Option<Owner>,
    ) -> Result<()> {
        let stored = seal_target(&self.content, &self.names, target.as_encoded_bytes());
        let stored = OsString::from_vec(stored);
        self.with_name_file(dir, name, owner, |disk| dir.dir.symlink(&stored, disk))
    }

    /// Makes another name for the object `old` in `from`.
    ///
    /// # Errors
    /// `EEXIST`; what `linkat(2)` says.
    pub fn link(
        &self,
        from: &CipherDir,
        old: &BackingName,
        dir: &CipherDir,
        name: &StoredName,
    ) -> Result<()> {
        self.with_name_file(dir, name, None, |disk| {
            from.dir.link(old.as_ref(), &dir.dir, disk)
        })
    }

    /// Runs `make` as `owner`, with the `.name` file of a long name in place; takes the file away
    /// again if `make` fails.
    pub(super) fn with_name_file<T>(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        owner: Option<Owner>,
        make: impl FnOnce(&OsStr) -> sys::Result<T>,
    ) -> Result<T> {
        let Some((hash, full)) = name.long() else {
            let _acting = Owner::act(owner)?;
            return Ok(make(name.disk())?);
        };
        let _alone = self.long_names.lock();
        let fresh = write_name_file(dir, hash, full)?;
        let result = Owner::act(owner).and_then(|_acting| make(hash.as_os_str()));
        if result.is_err() && fresh {
            remove::name_file(dir, hash);
        }
        Ok(result?)
    }
}

/// Makes sure that the `.name` file of `hash` is there; `true` if it was not there before.
///
/// The caller holds the long-name lock, so a `.name` file without its object is stale.
pub(super) fn write_name_file(
    dir: &CipherDir,
    hash: &HashedName,
    full: &CipherName,
) -> Result<bool> {
    let file = hash.name_file();
    let text = full.as_os_str().as_encoded_bytes();
    match dir.dir.write_new(&file, HELPER_MODE, text, false) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    if dir
        .dir
        .read_small(&file, text.len())
        .is_ok_and(|old| old == text)
    {
        return Ok(false);
    }
    if matches!(dir.dir.stat_at(hash.as_os_str()), Err(Errno::NOENT)) {
        dir.dir.unlink(&file)?;
        dir.dir.write_new(&file, HELPER_MODE, text, false)?;
    }
    Ok(false)
}

/// Builds a directory with its IV under a temporary name and renames it into place.
fn build_dir(parent: &CipherDir, disk: &OsStr, mode: u32, owner: Option<Owner>) -> sys::Result<()> {
    let temporary = temporary_name(remove::MKDIR_PREFIX);
    {
        let _acting = Owner::act(owner)?;
        parent.dir.mkdir(&temporary, mode | 0o700)?;
    }
    let built =
        fill_dir(parent, &temporary, mode).and_then(|()| rename_to_free(parent, &temporary, disk));
    if built.is_err() {
        remove::temporary_dir(parent, &temporary);
    }
    built
}

fn fill_dir(parent: &CipherDir, name: &OsStr, mode: u32) -> sys::Result<()> {
    let dir = parent.dir.open_dir(name)?;
    let iv = DirIv::random();
    dir.write_new(OsStr::new(DIRIV_NAME), HELPER_MODE, &iv.0, false)?;
    let added = 0o700 & !mode;
    if added != 0 {
        // All else stays as inherited: the set-group-ID bit, and what a default ACL made of it.
        parent.dir.chmod(name, dir.stat()?.mode & 0o7777 & !added)?;
    }
    Ok(())
}

/// Renames to a name that must be free, also where the backing file system cannot promise that.
fn rename_to_free(dir: &CipherDir, from: &OsStr, to: &OsStr) -> sys::Result<()> {
    match dir.dir.rename(from, &dir.dir, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => match dir.dir.stat_at(to) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => dir.dir.rename(from, &dir.dir, to, RenameFlags::empty()),
        },
        answer => answer,
    }
}

/// A name that no user entry and no other operation has.
pub(super) fn temporary_name(prefix: &str) -> OsString {
    let mut bytes = [0; 8];
    random::fill(&mut bytes);
    format!("{prefix}{}", u64::from_be_bytes(bytes)).into()
}
