//! Making objects: each appears whole, with the helper files that its name needs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use crate::format::{CipherName, DIRIV_NAME, DirIv, HashedName, StoredName, seal_target};
use crate::sys::{self, As, Dir, Errno, Inode};
use crate::vault::dir::CipherDir;
use crate::vault::error::{Error, Result};
use crate::vault::rename::RenameFlags;
use crate::vault::{Vault, leftover};

/// Permissions of `gocryptfs.diriv` and `.name` files.
const HELPER_MODE: u32 = 0o444;

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
        self.with_name_file(dir, name, None, |disk| {
            self.build_dir(dir, disk, mode, owner)
        })
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

    /// Makes another name for an object.
    ///
    /// # Errors
    /// `EEXIST`; what `linkat(2)` says.
    pub fn link(&self, object: &Inode, dir: &CipherDir, name: &StoredName) -> Result<()> {
        self.with_name_file(dir, name, None, |disk| object.link(&dir.dir, disk))
    }

    /// Runs `make` as `owner`, with the `.name` file of a long name in place; takes the file away
    /// again if there is no such object in the end.
    pub(super) fn with_name_file<T>(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        owner: Option<Owner>,
        make: impl FnOnce(&OsStr) -> sys::Result<T>,
    ) -> Result<T> {
        self.tidy(dir);
        let Some((hash, full)) = name.long() else {
            let _acting = Owner::act(owner)?;
            return Ok(make(name.disk())?);
        };
        let _alone = self.long_names.lock();
        self.ensure_name_file(dir, hash, full)?;
        let result = Owner::act(owner).and_then(|_acting| make(hash.as_os_str()));
        if result.is_err() {
            self.drop_name_file(dir, name);
        } else if self.shared_storage {
            // Another program may have removed such an object, and then its file, just now.
            self.ensure_name_file(dir, hash, full)?;
        }
        Ok(result?)
    }

    /// Makes sure that the `.name` file of `hash` is there and right. What it must hold follows
    /// from its name, so whatever else it holds is damage.
    pub(super) fn ensure_name_file(
        &self,
        dir: &CipherDir,
        hash: &HashedName,
        full: &CipherName,
    ) -> Result<()> {
        let file = hash.name_file();
        let text = full.as_os_str().as_encoded_bytes();
        match dir.dir.create_with(&file, HELPER_MODE, text) {
            Err(Errno::EXIST) => {}
            made => {
                self.unsynced.note(made?);
                return Ok(());
            }
        }
        let found = dir.dir.read_small(&file, text.len());
        if found.is_ok_and(|found| found == text) {
            return Ok(());
        }
        let temporary = leftover::name_for_making();
        let made = dir.dir.create_with(&temporary, HELPER_MODE, text)?;
        self.unsynced.note(made);
        let replaced = dir
            .dir
            .rename(&temporary, &dir.dir, &file, RenameFlags::empty());
        if replaced.is_err() {
            self.sweep(&dir.dir, &temporary);
        }
        Ok(replaced?)
    }

    /// Builds a directory with its IV under a temporary name and renames it into place.
    fn build_dir(
        &self,
        parent: &CipherDir,
        disk: &OsStr,
        mode: u32,
        owner: Option<Owner>,
    ) -> sys::Result<()> {
        let temporary = leftover::name_for_making();
        {
            let _acting = Owner::act(owner)?;
            parent.dir.mkdir(&temporary, mode | 0o700)?;
        }
        let opened = parent.dir.open_dir(&temporary);
        let built = opened
            .and_then(|dir| self.fill_dir(&dir, mode))
            .and_then(|()| parent.dir.rename_to_free(&temporary, &parent.dir, disk));
        if built.is_err() {
            self.sweep(&parent.dir, &temporary);
        }
        built
    }

    /// Gives a directory an IV whose own cannot be used because of `error`, if it holds nothing
    /// that depends on one: a rename over it or another program's `mkdir` was cut short.
    ///
    /// # Errors
    /// `error` again, if it does or that is impossible.
    pub(super) fn give_iv(&self, dir: &Dir, error: Error) -> Result<DirIv> {
        if self.read_only || !matches!(error, Error::Corrupt { .. }) {
            return Err(error);
        }
        let _alone = self.bare_dirs.lock();
        if let Ok(iv) = self.read_iv(dir) {
            return Ok(iv);
        }
        let is_bare = matches!(self.helper_files(dir), Ok(Some(_)));
        // Another program may be about to replace it.
        let is_ours = !self.shared_storage || dir.stat().is_ok_and(|dir| leftover::is_stale(&dir));
        if !(is_bare && is_ours) {
            return Err(error);
        }
        let iv = DirIv::random();
        let put = || {
            let temporary = leftover::name_for_making();
            let file = dir.create_with(&temporary, HELPER_MODE, &iv.0)?;
            self.unsynced.note(file);
            dir.rename(
                &temporary,
                dir,
                OsStr::new(DIRIV_NAME),
                RenameFlags::empty(),
            )
        };
        put().map(|()| iv).map_err(|_: Errno| error)
    }

    fn fill_dir(&self, dir: &Dir, mode: u32) -> sys::Result<()> {
        let iv = DirIv::random();
        let file = dir.create_with(OsStr::new(DIRIV_NAME), HELPER_MODE, &iv.0)?;
        self.unsynced.note(file);
        let added = 0o700 & !mode;
        if added != 0 {
            // All else stays as inherited: the set-group-ID bit, and what a default ACL made of it.
            dir.set_mode(dir.stat()?.mode & 0o7777 & !added)?;
        }
        Ok(())
    }
}
