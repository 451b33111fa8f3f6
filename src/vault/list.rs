//! Reading a directory: helper files are left out, names are decrypted one by one.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use crate::format::{DiskName, NAME_FILE_MAX, NameDefect, PlainName, name_file};
use crate::sys::{self, DirStream, Errno, Kind};
use crate::vault::Vault;
use crate::vault::dir::{BackingName, CipherDir};
use crate::vault::error::Result;
use crate::vault::remove::has_no_object;

/// A directory that is being read.
pub struct Listing {
    dir: Arc<CipherDir>,
    stream: DirStream,
}

/// What one entry of a backing directory is to the user.
#[derive(Debug)]
pub enum Listed {
    /// An entry, or `.` or `..`, which have no backing name.
    Entry {
        /// The plain name.
        name: OsString,
        /// The name on disk.
        backing: Option<BackingName>,
        /// The backing inode number.
        ino: u64,
        /// What it is.
        kind: Kind,
        /// The cookie from which to go on behind it.
        next: u64,
    },
    /// An entry whose name cannot be decrypted.
    Bad {
        /// The name on disk.
        disk: OsString,
        /// What is wrong with it.
        defect: BadEntry,
    },
}

/// Why an entry has no plain name.
#[derive(Debug, thiserror::Error)]
pub enum BadEntry {
    /// Its name does not decrypt.
    #[error("could not decrypt: {0}")]
    Name(#[from] NameDefect),
    /// Its `.name` file cannot be read.
    #[error("Could not read .name: {0}")]
    NameFile(#[from] Errno),
}

impl Listing {
    /// The directory.
    pub fn dir(&self) -> &Arc<CipherDir> {
        &self.dir
    }

    /// Goes to the place that a `next` cookie stands for; 0 is the start.
    ///
    /// # Errors
    /// What `lseek(2)` says.
    pub fn seek(&mut self, cookie: u64) -> Result<()> {
        Ok(self.stream.seek(cookie)?)
    }

    /// Makes the entries durable.
    ///
    /// # Errors
    /// What `fsync(2)` says.
    pub fn sync(&self, data_only: bool) -> Result<()> {
        Ok(self.stream.sync(data_only)?)
    }
}

impl Vault {
    /// Starts to read a directory.
    ///
    /// # Errors
    /// What `openat(2)` says.
    pub fn list(&self, dir: Arc<CipherDir>) -> Result<Listing> {
        let stream = DirStream::open(&dir.dir)?;
        Ok(Listing { dir, stream })
    }

    /// The next entry that is not a helper file; `None` at the end.
    ///
    /// # Errors
    /// What `getdents64(2)` says.
    pub fn next_entry(&self, listing: &mut Listing) -> Option<Result<Listed>> {
        let Listing { dir, stream } = listing;
        loop {
            let entry = match stream.next_entry()? {
                Ok(entry) => entry,
                Err(errno) => return Some(Err(errno.into())),
            };
            let (ino, kind, next) = (entry.ino, entry.kind, entry.next);
            let listed = |name: OsString, backing| Listed::Entry {
                name,
                backing,
                ino,
                kind,
                next,
            };
            if entry.is_dots() {
                return Some(Ok(listed(entry.name.to_owned(), None)));
            }
            let what = self.names.classify(entry.name, dir.is_root, self.dir_ivs);
            let is_left_over = match what {
                // Looked at only where it may be tidied up.
                DiskName::NameFile => {
                    !(self.read_only || self.shared_storage)
                        && has_no_object(&dir.dir, entry.name) == Ok(true)
                }
                _ => self.is_leftover(entry.name),
            };
            if is_left_over {
                dir.note_leftover(entry.name);
                continue;
            }
            if !matches!(what, DiskName::Short(_) | DiskName::Long(_)) {
                continue;
            }
            return Some(Ok(match self.decode(dir, entry.name) {
                Ok(name) => listed(
                    name.as_os_str().to_owned(),
                    Some(BackingName::from_disk(entry.name)),
                ),
                Err(defect) => Listed::Bad {
                    disk: entry.name.to_owned(),
                    defect,
                },
            }));
        }
    }

    /// The plain name of the entry `disk`, or what it is shown as.
    ///
    /// # Errors
    /// What is wrong with it, or with the `.name` file beside it.
    pub fn decode(
        &self,
        dir: &CipherDir,
        disk: &OsStr,
    ) -> core::result::Result<PlainName, BadEntry> {
        let text = self.name_text(dir, disk)?;
        let decoded = match &text {
            Some(text) => self.names.decode_long(&dir.iv, text.as_bytes()),
            None => self.names.decode(&dir.iv, disk),
        };
        decoded.or_else(|defect| {
            let text = text.as_deref().unwrap_or(disk);
            self.shown_as(&dir.iv, text).ok_or(defect.into())
        })
    }

    /// The content of the `.name` file of the entry `disk`, if it is one that has such a file.
    pub(super) fn name_text(&self, dir: &CipherDir, disk: &OsStr) -> sys::Result<Option<OsString>> {
        match self.names.classify(disk, dir.is_root, self.dir_ivs) {
            DiskName::Long(hash) => {
                let text = dir.dir.read_small(&name_file(hash), NAME_FILE_MAX)?;
                Ok(Some(OsString::from_vec(text)))
            }
            _ => Ok(None),
        }
    }
}
