//! Removing objects, with the helper files that belong to them.

use std::ffi::{OsStr, OsString};

use crate::format::{DIRIV_NAME, DiskName, StoredName, object_of_name_file};
use crate::sys::{self, Dir, DirStream, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;
use crate::vault::leftover::name_for_removing;
use crate::vault::rename::RenameFlags;

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
        self.tidy(dir);
        let _alone = name.long().map(|_| self.long_names.lock());
        remove()?;
        self.drop_name_file(dir, name);
        Ok(())
    }

    /// Removes the empty directory `disk`. The caller looks after the `.name` file.
    pub(super) fn remove_dir(&self, parent: &CipherDir, disk: &OsStr) -> sys::Result<()> {
        if !self.dir_ivs {
            match parent.dir.rmdir(disk) {
                // Perhaps all that it holds are stale helper files.
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                answer => return answer,
            }
        }
        let target = parent.dir.open_dir(disk)?;
        let _accessible = Accessible::new(&target)?;
        let helpers = self.helper_files(&target)?.ok_or(Errno::NOTEMPTY)?;
        self.take_down(parent, disk, &target, &helpers)
    }

    /// The helper files in a directory, stale ones too; `None` if it holds anything else.
    ///
    /// # Errors
    /// What `getdents64(2)` and `fstatat(2)` say.
    pub fn helper_files(&self, dir: &Dir) -> sys::Result<Option<Vec<OsString>>> {
        let mut stream = DirStream::open(dir)?;
        let mut helpers = Vec::new();
        while let Some(entry) = stream.next_entry() {
            let entry = entry?;
            let name = entry.name;
            let is_helper = match self.names.classify(name, false, self.dir_ivs) {
                _ if entry.is_dots() => continue,
                DiskName::DirIv => true,
                DiskName::NameFile => has_no_object(dir, name)?,
                DiskName::Short(_) => self.is_leftover(name),
                DiskName::Config | DiskName::Long(_) => false,
            };
            if !is_helper {
                return Ok(None);
            }
            helpers.push(name.to_owned());
        }
        Ok(Some(helpers))
    }

    /// Moves the directory out of sight, empties it of its helper files and removes it; puts it
    /// back if somebody was quicker and made something in it.
    ///
    /// Its IV is moved out, not removed, since putting it back then needs no space.
    fn take_down(
        &self,
        parent: &CipherDir,
        disk: &OsStr,
        target: &Dir,
        helpers: &[OsString],
    ) -> sys::Result<()> {
        let (away, iv_away) = (name_for_removing(), name_for_removing());
        let plainly = RenameFlags::empty();
        parent.dir.rename(disk, &parent.dir, &away, plainly)?;
        let iv = OsStr::new(DIRIV_NAME);
        for helper in helpers.iter().filter(|helper| *helper != iv) {
            self.sweep(target, helper);
        }
        let moved = target.rename(iv, &parent.dir, &iv_away, plainly).is_ok();
        let removed = parent.dir.rmdir(&away);
        if removed.is_ok() && moved {
            self.sweep(&parent.dir, &iv_away);
        }
        if removed.is_err() {
            let _ = parent.dir.rename(&iv_away, target, iv, plainly);
            let _ = parent.dir.rename_to_free(&away, &parent.dir, disk);
        }
        removed
    }

    /// Removes the `.name` file of an object that is gone. If that fails the file is stale, which
    /// does no harm.
    pub(super) fn drop_name_file(&self, dir: &CipherDir, name: &StoredName) {
        let Some((hash, full)) = name.long() else {
            return;
        };
        let is_gone = || dir.dir.stat_at(hash.as_os_str()).err() == Some(Errno::NOENT);
        if !is_gone() {
            return;
        }
        let _ = dir.dir.unlink(&hash.name_file());
        // Another program that shares the vault may just have made such an object.
        if self.shared_storage && !is_gone() {
            let _ = self.ensure_name_file(dir, hash, full);
        }
    }
}

/// A directory that its owner can list and change while this lives, whatever its permissions.
pub(super) struct Accessible<'a> {
    dir: &'a Dir,
    mode: Option<u32>,
}

impl Accessible<'_> {
    pub(super) fn new(dir: &Dir) -> sys::Result<Accessible<'_>> {
        let mode = dir.stat()?.mode & 0o7777;
        let added = mode & 0o700 != 0o700;
        // Who is not the owner may still have the right by the group or by others.
        let added = added && dir.set_mode(mode | 0o700).is_ok();
        let mode = added.then_some(mode);
        Ok(Accessible { dir, mode })
    }
}

impl Drop for Accessible<'_> {
    fn drop(&mut self) {
        if let Some(mode) = self.mode {
            let _ = self.dir.set_mode(mode);
        }
    }
}

/// Whether a `.name` file has no object.
///
/// # Errors
/// What `fstatat(2)` says.
pub(super) fn has_no_object(dir: &Dir, name: &OsStr) -> sys::Result<bool> {
    let Some(object) = object_of_name_file(name) else {
        return Ok(false);
    };
    match dir.stat_at(object) {
        Ok(_) => Ok(false),
        Err(Errno::NOENT) => Ok(true),
        Err(errno) => Err(errno),
    }
}
