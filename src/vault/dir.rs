//! Directories of the vault, and the way from a plain name to an object in one.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::format::{
    CipherOffset, DirIv, PlainName, StoredName, open_target, target_size, target_size_from_len,
};
use crate::sys::{Dir, Errno, File, FileKey, OpenFlags, Stat};
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;
use crate::vault::{Owner, Vault};

/// How many leftovers a directory keeps in mind.
const NOTED: usize = 64;

/// An open directory of the vault with the IV that its names are encrypted under.
pub struct CipherDir {
    pub(super) dir: Dir,
    pub(super) iv: DirIv,
    pub(super) is_root: bool,
    /// Temporary names that a listing has come upon.
    leftovers: Mutex<Vec<OsString>>,
}

/// A name as it stands in a backing directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackingName(Box<OsStr>);

impl BackingName {
    /// The name that stands for the directory itself.
    pub fn this_dir() -> BackingName {
        BackingName(OsStr::new(".").into())
    }

    /// A name that was read from a backing directory.
    pub fn from_disk(name: &OsStr) -> BackingName {
        BackingName(name.into())
    }
}

impl From<&StoredName> for BackingName {
    fn from(name: &StoredName) -> BackingName {
        BackingName(name.disk().into())
    }
}

impl AsRef<OsStr> for BackingName {
    fn as_ref(&self) -> &OsStr {
        &self.0
    }
}

impl CipherDir {
    fn new(dir: Dir, iv: DirIv, is_root: bool) -> CipherDir {
        CipherDir {
            dir,
            iv,
            is_root,
            leftovers: Mutex::default(),
        }
    }

    /// The backing directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Whether a default ACL decides about the permissions of what is made in the directory, in
    /// place of the caller's umask.
    pub fn has_default_acl(&self) -> bool {
        let this = OsStr::new(".");
        let acl = OsStr::new("system.posix_acl_default");
        self.dir.get_xattr(this, acl).is_ok()
    }

    pub(super) fn note_leftover(&self, name: &OsStr) {
        let mut leftovers = self.leftovers.lock();
        if leftovers.len() < NOTED && leftovers.iter().all(|known| known != name) {
            leftovers.push(name.to_owned());
        }
    }

    pub(super) fn take_leftovers(&self) -> Vec<OsString> {
        std::mem::take(&mut *self.leftovers.lock())
    }

    /// The attributes of the directory itself.
    ///
    /// # Errors
    /// What `fstat(2)` says.
    pub fn stat(&self) -> Result<Stat> {
        Ok(self.dir.stat()?)
    }
}

impl Vault {
    /// The backing object of the top directory.
    ///
    /// # Errors
    /// What `fstat(2)` says.
    pub fn root_key(&self) -> Result<FileKey> {
        Ok(self.root.stat()?.key)
    }

    /// The top directory.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if its `gocryptfs.diriv` is damaged.
    pub fn root(&self) -> Result<CipherDir> {
        let dir = self.root.open_dir(OsStr::new("."))?;
        self.with_iv(dir, true)
    }

    /// Opens the directory `name` in `parent`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if its `gocryptfs.diriv` is damaged or missing, unless nothing depends
    /// on it.
    pub fn subdir(&self, parent: &CipherDir, name: &BackingName) -> Result<CipherDir> {
        self.with_iv(parent.dir.open_dir(name.as_ref())?, false)
    }

    /// The top directory as an object, whatever its `gocryptfs.diriv` is: not for names in it.
    ///
    /// # Errors
    /// What `openat(2)` says.
    pub fn root_object(&self) -> Result<CipherDir> {
        let dir = self.root.open_dir(OsStr::new("."))?;
        Ok(CipherDir::new(dir, DirIv::ZERO, true))
    }

    fn with_iv(&self, dir: Dir, is_root: bool) -> Result<CipherDir> {
        let iv = self
            .read_iv(&dir)
            .or_else(|error| self.give_iv(&dir, error))?;
        Ok(CipherDir::new(dir, iv, is_root))
    }

    /// The name that a plain name has on disk in `dir`.
    ///
    /// # Errors
    /// `ENAMETOOLONG`, `EBADMSG` for what is no name, `EPERM` for a name that is not the user's,
    /// `ENOENT` for one that would stand for an undecryptable name and does not.
    pub fn encode(&self, dir: &CipherDir, name: &OsStr) -> Result<StoredName> {
        let plain = PlainName::new(name)?;
        if dir.is_root && self.names.hides(&plain, true) {
            return Err(Errno::PERM.into());
        }
        let stored = self.names.encode(&dir.iv, &plain)?;
        if self.bad_names.may_be(name) {
            return self.find_bad(dir, name, stored);
        }
        Ok(stored)
    }

    /// The attributes of an object in `dir`, with its plain size.
    ///
    /// # Errors
    /// What `fstatat(2)` says.
    pub fn stat(&self, dir: &CipherDir, name: &BackingName) -> Result<Stat> {
        let mut stat = dir.dir.stat_at(name.as_ref())?;
        if stat.is_file() {
            stat.size = self.plain_size(stat.size);
        } else if stat.is_symlink() {
            stat.size = self.target_size(dir, name, stat.size);
        }
        Ok(stat)
    }

    fn plain_size(&self, cipher_size: u64) -> u64 {
        let size = CipherOffset(cipher_size);
        self.content.layout().plain_size(size).0
    }

    /// The length of a symlink's target. It follows from the length of the stored text wherever
    /// possible, since reading the text would move the access time of the link.
    fn target_size(&self, dir: &CipherDir, name: &BackingName, stored: u64) -> u64 {
        target_size_from_len(&self.content, &self.names, stored).unwrap_or_else(|| {
            let stored = dir.dir.readlink(name.as_ref()).unwrap_or_default();
            target_size(&self.content, &self.names, stored.as_encoded_bytes())
        })
    }

    /// The target of the symlink `name`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the stored target does not authenticate.
    pub fn readlink(&self, dir: &CipherDir, name: &BackingName) -> Result<Vec<u8>> {
        let stored = dir.dir.readlink(name.as_ref())?;
        open_target(&self.content, &self.names, stored.as_encoded_bytes()).map_err(|what| {
            let ino = dir.dir.stat_at(name.as_ref()).map_or(0, |s| s.key.ino);
            Error::corrupt(ino, what)
        })
    }

    /// Opens the regular file `name`.
    ///
    /// # Errors
    /// What `openat(2)` says.
    pub fn open_file(
        &self,
        dir: &CipherDir,
        name: &BackingName,
        flags: OpenFlags,
    ) -> Result<(CipherFile, Stat)> {
        let file = dir.dir.open_file(name.as_ref(), flags)?;
        self.adopt(file)
    }

    /// Opens a file that its owner may write but not read: it is readable for a moment.
    ///
    /// # Errors
    /// `EACCES` unless lacking the owner's read permission is what is in the way.
    pub fn open_unreadable(
        &self,
        dir: &CipherDir,
        name: &BackingName,
        flags: OpenFlags,
    ) -> Result<(CipherFile, Stat)> {
        let write_only = flags.difference(OpenFlags::ACCMODE) | OpenFlags::WRONLY;
        let file = dir.dir.open_file(name.as_ref(), write_only)?;
        let mode = file.stat()?.mode & 0o7777;
        if mode & 0o400 != 0 {
            return Err(Errno::ACCESS.into());
        }
        file.chmod(mode | 0o400)?;
        let readable = file.reopen(flags);
        file.chmod(mode)?;
        self.adopt(readable?)
    }

    /// Opens the file of an open handle once more.
    ///
    /// # Errors
    /// What `open(2)` says.
    pub fn reopen(&self, file: &CipherFile, flags: OpenFlags) -> Result<CipherFile> {
        Ok(self.adopt(file.backing().reopen(flags)?)?.0)
    }

    /// Makes and opens the regular file `name`.
    ///
    /// # Errors
    /// `EEXIST` if there is such a name; what `openat(2)` says.
    pub fn create_file(
        &self,
        dir: &CipherDir,
        name: &StoredName,
        flags: OpenFlags,
        mode: u32,
        owner: Option<Owner>,
    ) -> Result<(CipherFile, Stat)> {
        let file = self.with_name_file(dir, name, owner, |disk| {
            dir.dir.create_file(disk, flags, mode)
        })?;
        let opened = self.adopt(file);
        if opened.is_err() {
            // Nobody learns of it.
            let _ = self.unlink(dir, name);
        }
        opened
    }

    fn adopt(&self, file: File) -> Result<(CipherFile, Stat)> {
        let mut stat = file.stat()?;
        let opened = self.attach(file, stat.key, stat.size);
        stat.size = self.plain_size(stat.size);
        Ok((opened, stat))
    }

    /// An open file of this vault over a backing file.
    fn attach(&self, backing: File, key: FileKey, size: u64) -> CipherFile {
        CipherFile {
            backing,
            registration: self.files.register(key, !self.shared_storage),
            codec: Arc::clone(&self.content),
            safety: self.safety,
            opened_size: size,
            spare: Arc::clone(&self.spare),
            reflinks: self.reflinks,
            read_only: self.read_only,
        }
    }
}
