//! Extended attributes, of an open file or of an entry of a directory.
//!
//! There are no `*at()` calls for them before Linux 6.13, so an entry is named through
//! `/proc/self/fd`; the last component is not followed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use rustix::buffer::spare_capacity;
use rustix::fs::{self, XattrFlags};
use rustix::io::retry_on_intr;

use super::dir::component;
use super::proc_fd::entry_path;
use super::{Dir, Errno, File, Inode, Result, fd_path};

/// A buffer that holds nearly every value and list.
const USUAL: usize = 1024;
/// The most that the kernel hands out (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`).
const MOST: usize = 64 * 1024;

impl Dir {
    /// The value of an attribute. `ENODATA` if there is none of this name.
    pub fn get_xattr(&self, name: &OsStr, attr: &OsStr) -> Result<Vec<u8>> {
        let path = entry_path(self, component(name)?.as_os_str());
        grown(|buf| fs::lgetxattr(&path, attr, spare_capacity(buf)))
    }

    /// As [`Inode::set_xattr`], of an entry.
    pub fn set_xattr(&self, name: &OsStr, attr: &OsStr, value: &[u8], flags: u32) -> Result<()> {
        self.hold(name)?.set_xattr(attr, value, flags)
    }

    /// The names of all attributes.
    pub fn list_xattr(&self, name: &OsStr) -> Result<Vec<OsString>> {
        let path = entry_path(self, component(name)?.as_os_str());
        grown(|buf| fs::llistxattr(&path, spare_capacity(buf))).map(|list| split(&list))
    }
}

impl Inode {
    /// The value of an attribute. `ENODATA` if there is none of this name.
    pub fn get_xattr(&self, attr: &OsStr) -> Result<Vec<u8>> {
        let path = fd_path(self);
        grown(|buf| fs::getxattr(&path, attr, spare_capacity(buf)))
    }

    /// Sets an attribute. `flags`: 0, `XATTR_CREATE` 1, `XATTR_REPLACE` 2.
    pub fn set_xattr(&self, attr: &OsStr, value: &[u8], flags: u32) -> Result<()> {
        let (path, flags) = (fd_path(self), XattrFlags::from_bits_retain(flags));
        retry_on_intr(|| fs::setxattr(&path, attr, value, flags))
    }

    /// The names of all attributes.
    pub fn list_xattr(&self) -> Result<Vec<OsString>> {
        let path = fd_path(self);
        grown(|buf| fs::listxattr(&path, spare_capacity(buf))).map(|list| split(&list))
    }

    /// Removes an attribute. `ENODATA` if there is none of this name.
    pub fn remove_xattr(&self, attr: &OsStr) -> Result<()> {
        let path = fd_path(self);
        retry_on_intr(|| fs::removexattr(&path, attr))
    }
}

impl File {
    /// The value of an attribute. `ENODATA` if there is none of this name.
    pub fn get_xattr(&self, attr: &OsStr) -> Result<Vec<u8>> {
        grown(|buf| fs::fgetxattr(self, attr, spare_capacity(buf)))
    }

    /// Sets an attribute. `flags`: 0, `XATTR_CREATE` 1, `XATTR_REPLACE` 2.
    pub fn set_xattr(&self, attr: &OsStr, value: &[u8], flags: u32) -> Result<()> {
        let flags = XattrFlags::from_bits_retain(flags);
        retry_on_intr(|| fs::fsetxattr(self, attr, value, flags))
    }

    /// The names of all attributes.
    pub fn list_xattr(&self) -> Result<Vec<OsString>> {
        grown(|buf| fs::flistxattr(self, spare_capacity(buf))).map(|list| split(&list))
    }

    /// Removes an attribute. `ENODATA` if there is none of this name.
    pub fn remove_xattr(&self, attr: &OsStr) -> Result<()> {
        retry_on_intr(|| fs::fremovexattr(self, attr))
    }
}

/// Asks with a small buffer and, if that does not do, with the largest one.
fn grown(mut ask: impl FnMut(&mut Vec<u8>) -> Result<usize>) -> Result<Vec<u8>> {
    let mut buf = Vec::with_capacity(USUAL);
    match retry_on_intr(|| ask(&mut buf)) {
        Err(Errno::RANGE) => {
            buf.reserve_exact(MOST);
            retry_on_intr(|| ask(&mut buf))?;
            buf.shrink_to_fit();
        }
        answer => {
            answer?;
        }
    }
    Ok(buf)
}

/// Takes a list of names apart, each of which ends in a zero byte.
fn split(list: &[u8]) -> Vec<OsString> {
    list.split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsStr::from_bytes(name).to_os_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::OpenFlags;
    use crate::sys::testing::{Scratch, is_root, name};

    #[test]
    fn attributes_are_set_listed_and_removed() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        let file = dir.open_file(name("f"), OpenFlags::RDWR).unwrap();
        let (one, two) = (name("user.one"), name("user.two"));
        dir.set_xattr(name("f"), one, b"1", 0).unwrap();
        file.set_xattr(two, b"", 0).unwrap();
        let again = dir.set_xattr(name("f"), one, b"x", 1);
        assert_eq!(again, Err(Errno::EXIST));
        assert_eq!(file.set_xattr(name("user.x"), b"", 2), Err(Errno::NODATA));
        assert_eq!(file.get_xattr(one).unwrap(), b"1");
        assert_eq!(dir.get_xattr(name("f"), two).unwrap(), b"");
        let mut listed = dir.list_xattr(name("f")).unwrap();
        listed.sort();
        assert_eq!(listed, [one, two]);
        let held = dir.hold(name("f")).unwrap();
        assert_eq!(held.get_xattr(two).unwrap(), b"");
        assert_eq!(held.list_xattr().unwrap().len(), 2);
        held.remove_xattr(one).unwrap();
        assert_eq!(file.list_xattr().unwrap(), [two]);
        file.remove_xattr(two).unwrap();
        assert_eq!(file.get_xattr(two), Err(Errno::NODATA));
        assert_eq!(dir.list_xattr(name("f")).unwrap(), Vec::<OsString>::new());
    }

    #[test]
    fn values_and_lists_larger_than_usual_come_back_whole() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        let value = [7; 2 * USUAL];
        dir.set_xattr(name("f"), name("user.big"), &value, 0)
            .unwrap();
        assert_eq!(dir.get_xattr(name("f"), name("user.big")).unwrap(), value);
        let mut names: Vec<_> = (0..8)
            .map(|n| OsString::from(format!("user.{n}{}", "x".repeat(200))))
            .collect();
        for attr in &names {
            dir.set_xattr(name("f"), attr, b"", 0).unwrap();
        }
        names.push("user.big".into());
        let mut listed = dir.list_xattr(name("f")).unwrap();
        listed.sort();
        assert_eq!(listed, names);
    }

    #[test]
    fn the_attributes_of_a_symlink_are_its_own() {
        if !is_root() {
            return;
        }
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"", false).unwrap();
        dir.symlink(name("f"), name("link")).unwrap();
        dir.set_xattr(name("link"), name("trusted.x"), b"own", 0)
            .unwrap();
        assert_eq!(
            dir.get_xattr(name("f"), name("trusted.x")),
            Err(Errno::NODATA)
        );
        assert_eq!(dir.list_xattr(name("link")).unwrap(), ["trusted.x"]);
    }
}
