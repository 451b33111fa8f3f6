//! Below the names: the vault as it is on disk, for those who check and mend it.

use std::ffi::{OsStr, OsString};

use crate::format::{
    ContentCodec, DIRIV_NAME, DirIv, DirIvDefect, DiskName, NAME_FILE_MAX, NameCodec, name_file,
};
use crate::sys::{Dir, Errno};
use crate::vault::Vault;
use crate::vault::error::{Error, Result};

impl Vault {
    /// The top of the encrypted directory.
    pub fn top(&self) -> &Dir {
        &self.root
    }

    /// How names are stored.
    pub fn names(&self) -> &NameCodec {
        &self.names
    }

    /// How content is stored.
    pub fn content(&self) -> &ContentCodec {
        &self.content
    }

    /// Whether each directory has an IV of its own.
    pub fn has_dir_ivs(&self) -> bool {
        self.dir_ivs
    }

    /// What an entry of a backing directory is, by its name alone.
    pub fn classify<'a>(&self, disk: &'a OsStr, is_top: bool) -> DiskName<'a> {
        self.names.classify(disk, is_top, self.dir_ivs)
    }

    /// The IV of the names in a directory.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if its `gocryptfs.diriv` is damaged or missing.
    pub fn read_iv(&self, dir: &Dir) -> Result<DirIv> {
        if !self.dir_ivs {
            return Ok(DirIv::ZERO);
        }
        let what = match dir.read_small(OsStr::new(DIRIV_NAME), size_of::<DirIv>()) {
            Ok(bytes) => match DirIv::parse(&bytes) {
                Ok(iv) => return Ok(iv),
                Err(what) => what,
            },
            Err(Errno::NOENT) => DirIvDefect::Missing.into(),
            Err(Errno::INVAL) => DirIvDefect::NotAFile.into(),
            Err(errno) => return Err(errno.into()),
        };
        let ino = dir.stat().map_or(0, |s| s.key.ino);
        Err(Error::corrupt(ino, what))
    }

    /// The plain name of the entry `disk` in a directory with the IV `iv`, if it can be told.
    pub fn plain_name(&self, dir: &Dir, iv: &DirIv, disk: &OsStr) -> Option<OsString> {
        let plain = match self.classify(disk, false) {
            DiskName::Long(hash) => {
                let text = dir.read_small(&name_file(hash), NAME_FILE_MAX).ok()?;
                self.names.decode_long(iv, &text)
            }
            DiskName::Short(text) => self.names.decode(iv, text),
            DiskName::Config | DiskName::DirIv | DiskName::NameFile => return None,
        };
        Some(plain.ok()?.as_os_str().to_owned())
    }

    /// The name on disk of the extended attribute `attr`.
    ///
    /// # Errors
    /// `EINVAL` for what is no name of an attribute.
    pub fn disk_attr(&self, attr: &OsStr) -> Result<OsString> {
        Ok(self.xattrs.encode_name(attr).map_err(|_| Errno::INVAL)?)
    }
}
