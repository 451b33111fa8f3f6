//! Extended attributes: encrypted names and values, POSIX ACLs as they are.

use std::ffi::{OsStr, OsString};

use crate::format::{NameDefect, is_passed_through};
use crate::sys::{self, Dir, File, Inode};
use crate::vault::error::{Error, Result};
use crate::vault::{Owner, Vault};

/// Whose attributes.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// Any object, held.
    Held(&'a Inode),
    /// Whatever object, not followed, has the name `.1` in the directory `.0`.
    Named(&'a Dir, &'a OsStr),
    /// An open file.
    Open(&'a File),
}

impl Subject<'_> {
    fn get(&self, attr: &OsStr) -> sys::Result<Vec<u8>> {
        match self {
            Subject::Held(inode) => inode.get_xattr(attr),
            Subject::Named(dir, name) => dir.get_xattr(name, attr),
            Subject::Open(file) => file.get_xattr(attr),
        }
    }

    fn set(&self, attr: &OsStr, value: &[u8], flags: u32) -> sys::Result<()> {
        match self {
            Subject::Held(inode) => inode.set_xattr(attr, value, flags),
            Subject::Named(dir, name) => dir.set_xattr(name, attr, value, flags),
            Subject::Open(file) => file.set_xattr(attr, value, flags),
        }
    }

    fn list(&self) -> sys::Result<Vec<OsString>> {
        match self {
            Subject::Held(inode) => inode.list_xattr(),
            Subject::Named(dir, name) => dir.list_xattr(name),
            Subject::Open(file) => file.list_xattr(),
        }
    }

    fn remove(&self, attr: &OsStr) -> sys::Result<()> {
        match self {
            Subject::Held(inode) => inode.remove_xattr(attr),
            Subject::Named(dir, name) => dir.hold(name)?.remove_xattr(attr),
            Subject::Open(file) => file.remove_xattr(attr),
        }
    }

    fn ino(&self) -> u64 {
        let stat = match self {
            Subject::Held(inode) => inode.stat(),
            Subject::Named(dir, name) => dir.stat_at(name),
            Subject::Open(file) => file.stat(),
        };
        stat.map_or(0, |s| s.key.ino)
    }
}

impl Vault {
    /// The value of an attribute.
    ///
    /// # Errors
    /// `ENODATA` if there is none; [`Error::Corrupt`] if it does not authenticate.
    pub fn get_xattr(&self, subject: Subject<'_>, attr: &OsStr) -> Result<Vec<u8>> {
        let stored = subject.get(&self.disk_attr(attr)?)?;
        if is_passed_through(attr) {
            return Ok(stored);
        }
        self.xattrs
            .open_value(&self.content, &stored)
            .map_err(|what| Error::corrupt(subject.ino(), what))
    }

    /// Sets an attribute, acting as `owner`; `flags` as in `setxattr(2)`.
    ///
    /// # Errors
    /// What `setxattr(2)` says.
    pub fn set_xattr(
        &self,
        subject: Subject<'_>,
        attr: &OsStr,
        value: &[u8],
        flags: u32,
        owner: Option<Owner>,
    ) -> Result<()> {
        let disk = self.disk_attr(attr)?;
        let _acting = Owner::act(owner)?;
        if is_passed_through(attr) {
            return Ok(subject.set(&disk, value, flags)?);
        }
        let sealed = self.xattrs.seal_value(&self.content, value);
        Ok(subject.set(&disk, &sealed, flags)?)
    }

    /// The names of the attributes that the user has set, and those that cannot be decrypted.
    ///
    /// # Errors
    /// What `listxattr(2)` says.
    pub fn list_xattr(&self, subject: Subject<'_>) -> Result<XattrNames> {
        let mut names = XattrNames::default();
        for disk in subject.list()? {
            match self.xattrs.decode_name(&disk) {
                None => {}
                Some(Ok(name)) => names.good.push(name),
                Some(Err(defect)) => names.bad.push((disk, defect)),
            }
        }
        Ok(names)
    }

    /// Removes an attribute.
    ///
    /// # Errors
    /// `ENODATA` if there is none.
    pub fn remove_xattr(&self, subject: Subject<'_>, attr: &OsStr) -> Result<()> {
        Ok(subject.remove(&self.disk_attr(attr)?)?)
    }
}

/// The attributes of an object.
#[derive(Debug, Default)]
pub struct XattrNames {
    /// Those of the user.
    pub good: Vec<OsString>,
    /// Names on disk that do not decrypt.
    pub bad: Vec<(OsString, NameDefect)>,
}
