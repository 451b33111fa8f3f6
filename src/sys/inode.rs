//! An object of any type that is held without being opened (`O_PATH`): what is done to it reaches it
//! and nothing else, wherever its name has gone and whatever has taken its place.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, CWD};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::{Dir, Result, Stat, fd_path};

/// A file, directory, symlink, pipe, socket or device, by [`Dir::hold`].
#[derive(Debug)]
pub struct Inode(OwnedFd);

impl AsFd for Inode {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Inode {
    fn from(fd: OwnedFd) -> Inode {
        Inode(fd)
    }
}

impl Inode {
    /// Metadata.
    pub fn stat(&self) -> Result<Stat> {
        Stat::of_fd(self)
    }

    /// Makes the hard link `new` in `to`. `ENOENT` if the object has no name any more.
    pub fn link(&self, to: &Dir, new: &OsStr) -> Result<()> {
        // The path is a link to the object, so it has to be followed; a symlink at its end is not.
        let (path, new) = (fd_path(self), component(new)?);
        retry_on_intr(|| fs::linkat(CWD, &path, to, new, AtFlags::SYMLINK_FOLLOW))
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::testing::{Scratch, name};
    use crate::sys::{Errno, RenameFlags};

    #[test]
    fn what_is_held_is_reached_after_its_name_is_gone() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("a"), 0o600, b"", false).unwrap();
        dir.write_new(name("b"), 0o600, b"", false).unwrap();
        let held = dir.hold(name("a")).unwrap();
        dir.rename(name("b"), dir, name("a"), RenameFlags::empty())
            .unwrap();
        held.chmod(0o640).unwrap();
        assert_eq!(dir.stat_at(name("a")).unwrap().mode & 0o777, 0o600);
        assert_eq!(held.stat().unwrap().mode & 0o777, 0o640);
        assert_eq!(held.link(dir, name("c")), Err(Errno::NOENT));
    }

    #[test]
    fn an_object_of_any_type_gets_another_name() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.symlink(name("nowhere"), name("link")).unwrap();
        dir.mknod(name("pipe"), libc::S_IFIFO | 0o600, 0).unwrap();
        for entry in ["link", "pipe"] {
            let held = dir.hold(name(entry)).unwrap();
            held.link(dir, name("new")).unwrap();
            let [old, new] = [entry, "new"].map(|entry| dir.stat_at(name(entry)).unwrap());
            assert_eq!((old.key, new.nlink), (new.key, 2));
            assert_eq!(held.link(dir, name("new")), Err(Errno::EXIST));
            assert_eq!(held.link(dir, name("a/b")), Err(Errno::INVAL));
            dir.unlink(name("new")).unwrap();
        }
    }
}
