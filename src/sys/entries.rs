//! Making, linking, renaming and removing the entries of a directory.
//!
//! Each method is one system call on one name, or what comes closest to it; what has to happen
//! together is up to the caller.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{self, AtFlags, FileType, Mode};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::{Dir, Errno, RenameFlags, Result};

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

    /// Renames to a name that must be free, `EEXIST` if it is not; also where the file system
    /// cannot promise that.
    pub fn rename_to_free(&self, old: &OsStr, to: &Dir, new: &OsStr) -> Result<()> {
        match self.rename(old, to, new, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => match to.stat_at(new) {
                Err(Errno::NOENT) => self.rename(old, to, new, RenameFlags::empty()),
                _ => Err(Errno::EXIST),
            },
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Kind;
    use crate::sys::testing::{Scratch, name};

    #[test]
    fn entries_are_made_and_removed() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.mkdir(name("d"), 0o700).unwrap();
        dir.mknod(name("pipe"), libc::S_IFIFO | 0o600, 0).unwrap();
        dir.mknod(name("file"), libc::S_IFREG | 0o600, 0).unwrap();
        dir.symlink(name("some/../target"), name("link")).unwrap();
        let kind = |entry| dir.stat_at(name(entry)).unwrap().kind();
        assert_eq!(kind("d"), Kind::Dir);
        assert_eq!(kind("pipe"), Kind::Fifo);
        assert_eq!(kind("file"), Kind::File);
        assert_eq!(dir.readlink(name("link")).unwrap(), "some/../target");
        assert_eq!(dir.readlink(name("file")), Err(Errno::INVAL));
        assert_eq!(dir.unlink(name("d")), Err(Errno::ISDIR));
        assert_eq!(dir.rmdir(name("file")), Err(Errno::NOTDIR));
        dir.rmdir(name("d")).unwrap();
        for entry in ["pipe", "file", "link"] {
            dir.unlink(name(entry)).unwrap();
        }
    }

    #[test]
    fn a_long_target_comes_back_whole() {
        let scratch = Scratch::new();
        let target = "x".repeat(1000);
        scratch.dir.symlink(name(&target), name("link")).unwrap();
        assert_eq!(*scratch.dir.readlink(name("link")).unwrap(), *target);
    }

    #[test]
    fn a_hard_link_to_a_symlink_is_the_symlink() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.symlink(name("nowhere"), name("link")).unwrap();
        dir.link(name("link"), dir, name("twin")).unwrap();
        assert_eq!(dir.readlink(name("twin")).unwrap(), "nowhere");
    }

    #[test]
    fn renaming_moves_exchanges_and_keeps_what_is_there() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.mkdir(name("sub"), 0o700).unwrap();
        let sub = dir.open_dir(name("sub")).unwrap();
        dir.write_new(name("a"), 0o600, b"a", false).unwrap();
        sub.write_new(name("b"), 0o600, b"b", false).unwrap();
        let kept = dir.rename(name("a"), &sub, name("b"), RenameFlags::NOREPLACE);
        assert_eq!(kept, Err(Errno::EXIST));
        let kept = dir.rename_to_free(name("a"), &sub, name("b"));
        assert_eq!(kept, Err(Errno::EXIST));
        dir.rename(name("a"), &sub, name("b"), RenameFlags::EXCHANGE)
            .unwrap();
        assert_eq!(dir.read_small(name("a"), 9).unwrap(), b"b");
        dir.rename(name("a"), &sub, name("b"), RenameFlags::empty())
            .unwrap();
        assert_eq!(sub.read_small(name("b"), 9).unwrap(), b"b");
        assert_eq!(dir.stat_at(name("a")).unwrap_err(), Errno::NOENT);
    }
}
