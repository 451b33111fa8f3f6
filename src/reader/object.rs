//! An object of a vault, held by the directory that it is in and its name there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use super::fault::{Cause, Fault};
use crate::sys::{Dir, Errno, Kind, Stat};
use crate::vault::{BackingName, CipherDir, Error, Listed, Result, Subject, Vault};

/// An object.
#[derive(Clone)]
pub struct Object {
    /// The directory that it is in; `None` for the top, which is in none.
    parent: Option<Arc<CipherDir>>,
    name: BackingName,
    /// What it is, with its plain size.
    pub stat: Stat,
    /// Plain path, relative to the top.
    pub plain: PathBuf,
    /// Path in the encrypted directory.
    pub disk: PathBuf,
}

/// An entry of a directory.
#[derive(Debug)]
pub struct Entry {
    /// The plain name.
    pub name: OsString,
    /// The name on disk.
    pub backing: BackingName,
    /// The backing inode number.
    pub ino: u64,
}

/// An extended attribute: its name and value.
pub type Attribute = (OsString, Vec<u8>);

impl Object {
    /// The top of the vault.
    ///
    /// # Errors
    /// What `fstat(2)` says.
    pub fn top(vault: &Vault) -> Result<Object> {
        Ok(Object {
            parent: None,
            name: BackingName::this_dir(),
            stat: vault.top().stat()?,
            plain: PathBuf::new(),
            disk: PathBuf::new(),
        })
    }

    /// What has the name `backing`, in plain `name`, in the directory `dir`, which is this object
    /// opened.
    ///
    /// # Errors
    /// What `fstatat(2)` says.
    pub fn child(
        &self,
        vault: &Vault,
        dir: &Arc<CipherDir>,
        name: &OsStr,
        backing: BackingName,
    ) -> core::result::Result<Object, Fault> {
        let (plain, on_disk): (_, &OsStr) = (self.plain.join(name), backing.as_ref());
        let disk = self.disk.join(on_disk);
        match vault.stat(dir, &backing) {
            Ok(stat) => Ok(Object {
                parent: Some(Arc::clone(dir)),
                name: backing,
                stat,
                plain,
                disk,
            }),
            Err(error) => Err(Cause::from(error).at(&disk, &plain)),
        }
    }

    /// The object as an open directory.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if its `gocryptfs.diriv` is damaged; `ENOTDIR`.
    pub fn open_dir(&self, vault: &Vault) -> Result<Arc<CipherDir>> {
        let dir = match &self.parent {
            Some(parent) => vault.subdir(parent, &self.name),
            None => vault.root(),
        };
        dir.map(Arc::new)
    }

    /// The entries of the object, which `dir` is opened. What has no name is reported.
    ///
    /// # Errors
    /// What `getdents64(2)` says.
    pub fn entries(
        &self,
        vault: &Vault,
        dir: &Arc<CipherDir>,
        report: &mut dyn FnMut(Fault),
    ) -> Result<Vec<Entry>> {
        let mut listing = vault.list(Arc::clone(dir))?;
        let mut entries = Vec::new();
        while let Some(listed) = vault.next_entry(&mut listing) {
            match listed? {
                Listed::Entry { backing: None, .. } => {}
                Listed::Entry {
                    name,
                    backing: Some(backing),
                    ino,
                    ..
                } => entries.push(Entry { name, backing, ino }),
                Listed::Bad { disk, defect } => report(Fault {
                    disk: self.disk.join(disk),
                    plain: None,
                    cause: defect.into(),
                }),
            }
        }
        Ok(entries)
    }

    /// The target of the object, a symlink.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it does not authenticate.
    pub fn target(&self, vault: &Vault) -> Result<Vec<u8>> {
        let parent = self.parent.as_ref().ok_or(Errno::INVAL)?;
        vault.readlink(parent, &self.name)
    }

    /// The extended attributes. Those that are damaged are reported.
    pub fn attributes(&self, vault: &Vault, report: &mut dyn FnMut(Fault)) -> Vec<Attribute> {
        let mut fault = |cause: Cause| report(self.fault(cause));
        let subject = Subject::Named(self.dir(vault), self.name.as_ref());
        let names = match vault.list_xattr(subject) {
            Ok(names) => names,
            Err(Error::Os(Errno::OPNOTSUPP)) => return Vec::new(),
            Err(error) => {
                fault(error.into());
                return Vec::new();
            }
        };
        names.bad.iter().for_each(|_| fault(Cause::Attribute));
        let mut attributes = Vec::new();
        for name in names.good {
            match vault.get_xattr(subject, &name) {
                Ok(value) => attributes.push((name, value)),
                Err(Error::Os(Errno::NODATA)) => {}
                Err(error) => fault(error.into()),
            }
        }
        attributes
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.stat.kind()
    }

    /// A fault of this object.
    pub fn fault(&self, cause: impl Into<Cause>) -> Fault {
        cause.into().at(&self.disk, &self.plain)
    }

    pub(super) fn parent(&self) -> Option<&CipherDir> {
        self.parent.as_deref()
    }

    pub(super) fn name(&self) -> &BackingName {
        &self.name
    }

    /// The backing directory that its name is in.
    fn dir<'a>(&'a self, vault: &'a Vault) -> &'a Dir {
        self.parent().map_or(vault.top(), CipherDir::dir)
    }
}
