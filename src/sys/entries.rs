//! Making, linking, renaming and removing the entries of a directory.
//!
//! Each method is one system call on one name; what has to happen together is up to the caller.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{self, AtFlags, FileType, Mode};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::{Dir, RenameFlags, Result};

impl Dir {
    /// Makes a directory. `mode` is subject to the umask.
    pub fn mkdir(&self, name: &OsStr, mode: u32) -> Result<()> {
        let name = component(name)?;
        retry_on_intr(|| fs::mkdirat(self, name, Mode::from_raw_mode(mode)))
    }

    /// Makes a file of the type in `mode`, whose permissions are subject to the umask; `rdev`
    /// counts for devices.
    pub fn mknod(&self, name: &OsStr, mode: u32, rdev: u64) -> Result<()> {
        let name = component(name)?;
        let (kind, mode) = (FileType::from_raw_mode(mode), Mode::from_raw_mode(mode));
        retry_on_intr(|| fs::mknodat(self, name, kind, mode, rdev))
    }

    /// Makes a symlink with this target.
    pub fn symlink(&self, target: &OsStr, name: &OsStr) -> Result<()> {
        let name = component(name)?;
        retry_on_intr(|| fs::symlinkat(target, self, name))
    }

    /// The target of a symlink. `EINVAL` if it is none.
    pub fn readlink(&self, name: &OsStr) -> Result<OsString> {
        let name = component(name)?;
        let target = retry_on_intr(|| fs::readlinkat(self, name, Vec::new()))?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Makes the hard link `new` in `to` to the entry `name`; of a symlink, to itself.
    pub fn link(&self, name: &OsStr, to: &Dir, new: &OsStr) -> Result<()> {
        let (name, new) = (component(name)?, component(new)?);
        retry_on_intr(|| fs::linkat(self, name, to, new, AtFlags::empty()))
    }

    /// Removes an entry that is not a directory.
    pub fn unlink(&self, name: &OsStr) -> Result<()> {
        let name = component(name)?;
        retry_on_intr(|| fs::unlinkat(self, name, AtFlags::empty()))
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, name: &OsStr) -> Result<()> {
        let name = component(name)?;
        retry_on_intr(|| fs::unlinkat(self, name, AtFlags::REMOVEDIR))
    }

    /// Renames `old` to `new` in `to`, as `renameat2(2)`.
    pub fn rename(&self, old: &OsStr, to: &Dir, new: &OsStr, flags: RenameFlags) -> Result<()> {
        let (old, new) = (component(old)?, component(new)?);
        retry_on_intr(|| fs::renameat_with(self, old, to, new, flags))
    }
}
