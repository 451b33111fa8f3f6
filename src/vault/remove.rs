//! Removing objects, and tidying what a crash left behind.

use std::ffi::{OsStr, OsString};

use crate::format::{DIRIV_NAME, DiskName, HashedName, StoredName, object_of_name_file};
use crate::sys::{self, Dir, DirStream, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;
use crate::vault::make::{HELPER_MODE, temporary_name};
use crate::vault::rename::RenameFlags;

/// Begins the name of a directory that is being made.
pub(super) const MKDIR_PREFIX: &str = "gocryptfs.diriv.mkdir.";
/// Begins the name of what is left of a directory that is being removed.
pub(super) const RMDIR_PREFIX: &str = "gocryptfs.diriv.rmdir.";

impl Vault {
    /// Removes a name that is no directory.
    ///
    /// # Errors
    /// What `unlinkat(2)` says.
    pub fn unlink(&self, dir: &CipherDir, name: &StoredName) -> Result<()> {
        self.removing(dir, name, || dir.dir.unlink(name.disk()))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOTEMPTY`; what `unlinkat(2)` says. The directory is as before then.
    pub fn rmdir(&self, dir: &CipherDir, name: &StoredName) -> Result<()> {
        self.removing(dir, name, || self.remove_dir(dir, name.disk()))
    }

    fn removing(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        remove: impl FnOnce() -> sys::Result<()>,
    ) -> Result<()> {
        let Some((hash, _)) = name.long() else {
            return Ok(remove()?);
        };
        let _alone = self.long_names.lock();
        remove()?;
        name_file(dir, hash);
        Ok(())
    }

    /// Removes the empty directory `disk`. The caller looks after the `.name` file.
    pub(super) fn remove_dir(&self, parent: &CipherDir, disk: &OsStr) -> sys::Result<()> {
        if !self.dir_ivs {
            return parent.dir.rmdir(disk);
        }
        let target = parent.dir.open_dir(disk)?;
        let opened_up = open_up(parent, disk, &target)?;
        let removed = self.helper_files(&target).and_then(|helpers| {
            let helpers = helpers.ok_or(Errno::NOTEMPTY)?;
            take_down(parent, disk, &target, &helpers)
        });
        if let (Err(_), Some(mode)) = (&removed, opened_up) {
            let _ = parent.dir.chmod(disk, mode);
        }
        removed
    }

    /// Whether the directory `disk` holds nothing of the user's.
    pub(super) fn is_empty_dir(&self, parent: &CipherDir, disk: &OsStr) -> sys::Result<bool> {
        let target = parent.dir.open_dir(disk)?;
        Ok(self.helper_files(&target)?.is_some())
    }

    /// The helper files in a directory, stale ones too; `None` if it holds anything else.
    fn helper_files(&self, dir: &Dir) -> sys::Result<Option<Vec<OsString>>> {
        let mut stream = DirStream::open(dir)?;
        let mut helpers = Vec::new();
        while let Some(entry) = stream.next_entry() {
            let name = entry?.name;
            let is_helper = match self.names.classify(name, false, self.dir_ivs) {
                _ if name == "." || name == ".." => continue,
                DiskName::DirIv => true,
                DiskName::NameFile => is_stale(dir, name)?,
                DiskName::Short(_) => Vault::is_leftover(name),
                DiskName::Config | DiskName::Long(_) => false,
            };
            if !is_helper {
                return Ok(None);
            }
            helpers.push(name.to_owned());
        }
        Ok(Some(helpers))
    }
}

/// Lets the owner list and change a directory whose permissions forbid it; returns what the
/// permissions were.
fn open_up(parent: &CipherDir, disk: &OsStr, target: &Dir) -> sys::Result<Option<u32>> {
    let mode = target.stat()?.mode & 0o7777;
    if mode & 0o700 == 0o700 {
        return Ok(None);
    }
    match parent.dir.chmod(disk, mode | 0o700) {
        Ok(()) => Ok(Some(mode)),
        // Not the owner: the group or others may still have the right.
        Err(Errno::PERM) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Moves the directory out of sight, empties it of its helper files and removes it; puts
/// everything back if somebody was quicker and made something in it.
fn take_down(
    parent: &CipherDir,
    disk: &OsStr,
    target: &Dir,
    helpers: &[OsString],
) -> sys::Result<()> {
    let iv = target.read_small(OsStr::new(DIRIV_NAME), 64);
    let temporary = temporary_name(RMDIR_PREFIX);
    parent
        .dir
        .rename(disk, &parent.dir, &temporary, RenameFlags::empty())?;
    for name in helpers {
        remove_helper(target, name);
    }
    let removed = parent.dir.rmdir(&temporary);
    if removed.is_err() {
        if let Ok(iv) = iv {
            let _ = target.write_new(OsStr::new(DIRIV_NAME), HELPER_MODE, &iv, false);
        }
        let _ = parent
            .dir
            .rename(&temporary, &parent.dir, disk, RenameFlags::NOREPLACE);
    }
    removed
}

fn remove_helper(dir: &Dir, name: &OsStr) {
    if dir.unlink(name) == Err(Errno::ISDIR) {
        empty_and_remove(dir, name);
    }
}

fn empty_and_remove(parent: &Dir, name: &OsStr) {
    if let Ok(inner) = parent.open_dir(name) {
        let _ = inner.unlink(OsStr::new(DIRIV_NAME));
    }
    let _ = parent.rmdir(name);
}

/// Removes a directory that was not finished.
pub(super) fn temporary_dir(parent: &CipherDir, name: &OsStr) {
    empty_and_remove(&parent.dir, name);
}

/// Removes the `.name` file of an object that is gone. If that fails the file is stale, which
/// does no harm.
pub(super) fn name_file(dir: &CipherDir, hash: &HashedName) {
    let _ = dir.dir.unlink(&hash.name_file());
}

/// Whether a `.name` file has lost its object.
fn is_stale(dir: &Dir, name: &OsStr) -> sys::Result<bool> {
    let Some(object) = object_of_name_file(name) else {
        return Ok(false);
    };
    match dir.stat_at(object) {
        Ok(_) => Ok(false),
        Err(Errno::NOENT) => Ok(true),
        Err(errno) => Err(errno),
    }
}
