//! Answers to those outside: whole paths, translated one component after the other on the way down
//! from the top, and figures.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::forward::Forward;
use crate::forward::lookup::in_no_directory;
use crate::sys::FileKey;
use crate::vault::{BackingName, BadEntry, CipherDir};
use crate::vfs::{CacheFigures, Error, Figures, NodeId, Paths, Result};

impl Paths for Forward {
    fn encrypt_path(&self, plain: &Path) -> Result<PathBuf> {
        self.translate(plain, |dir, name| {
            let stored = self.vault.encode(dir, name)?;
            Ok((stored.disk().to_owned(), BackingName::from(&stored)))
        })
    }

    fn decrypt_path(&self, encrypted: &Path) -> Result<PathBuf> {
        self.translate(encrypted, |dir, disk| {
            let name = self
                .vault
                .decode(dir, disk)
                .map_err(|bad| defect(dir, &bad))?;
            Ok((name.as_os_str().to_owned(), BackingName::from_disk(disk)))
        })
    }

    fn figures(&self) -> Figures {
        Figures {
            clones: self.clones.load(Ordering::Relaxed),
            bytes_cloned: self.bytes_cloned.load(Ordering::Relaxed),
            cache: CacheFigures {
                directories: self.dirs.hits_and_misses().into(),
                open_files: self.files.hits_and_misses().into(),
            },
            ..Figures::default()
        }
    }
}

impl Forward {
    /// The path on disk of the backing inode `ino`, if the kernel knows it and names are encrypted.
    pub(super) fn known_path(&self, ino: u64) -> Option<PathBuf> {
        if !self.vault.encrypts_names() {
            return None;
        }
        let key = FileKey {
            ino,
            ..self.nodes.key(NodeId::ROOT)?
        };
        let mut node = self.nodes.number(key);
        let mut names = Vec::new();
        while node != NodeId::ROOT {
            let place = self.nodes.place(node)?;
            names.push(place.name);
            node = place.parent;
            // Directories that were moved from outside may seem to contain each other.
            if names.len() > self.nodes.count() {
                return None;
            }
        }
        let names = names.iter().rev();
        Some(names.map(AsRef::<OsStr>::as_ref).collect())
    }

    /// Walks down `path`. `translate` gives the other side of a name, and what it is on disk.
    fn translate(
        &self,
        path: &Path,
        translate: impl Fn(&CipherDir, &OsStr) -> Result<(OsString, BackingName)>,
    ) -> Result<PathBuf> {
        if !self.vault.encrypts_names() {
            return Ok(path.to_owned());
        }
        let mut dir = self.dir(NodeId::ROOT)?;
        let mut translated = PathBuf::new();
        let mut names = path.iter().peekable();
        while let Some(name) = names.next() {
            let (other, disk) = translate(&dir, name)?;
            translated.push(other);
            if names.peek().is_some() {
                let inner = self.vault.subdir(&dir, &disk).map_err(Error::from);
                dir = Arc::new(inner.map_err(in_no_directory)?);
            }
        }
        Ok(translated)
    }
}

fn defect(dir: &CipherDir, bad: &BadEntry) -> Error {
    match *bad {
        BadEntry::NameFile(errno) => Error::Os(errno),
        BadEntry::Name(defect) => Error::Corrupt {
            ino: dir.stat().map_or(0, |stat| stat.key.ino),
            what: defect.into(),
        },
    }
}
