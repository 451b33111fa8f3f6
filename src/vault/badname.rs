//! Entries whose names do not decrypt, shown to those who ask for it.
//!
//! Such a name has no plaintext from which to compute what it is on disk, so the directory is
//! searched for the entry that is shown under it.

use std::ffi::OsStr;

use crate::format::{BadNames, DirIv, DiskName, PlainName, StoredName};
use crate::sys::{DirStream, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;

impl Vault {
    /// Shows these undecryptable names too.
    #[must_use]
    pub fn showing(mut self, bad_names: BadNames) -> Vault {
        self.bad_names = bad_names;
        self
    }

    /// What the undecryptable encrypted name `text` is shown as, if it is.
    pub fn shown_as(&self, iv: &DirIv, text: &OsStr) -> Option<PlainName> {
        self.bad_names.show(&self.names, iv, text)
    }

    /// What is called `name`, which bears the mark of a name that does not decrypt: `stored` if
    /// there is such an entry, else the only one that is shown like this.
    pub(super) fn find_bad(
        &self,
        dir: &CipherDir,
        name: &OsStr,
        stored: StoredName,
    ) -> Result<StoredName> {
        if dir.dir.stat_at(stored.disk()).is_ok() {
            return Ok(stored);
        }
        let mut found = None;
        let mut stream = DirStream::open(&dir.dir)?;
        while let Some(entry) = stream.next_entry() {
            let disk = entry?.name;
            let may_be = match self.names.classify(disk, dir.is_root, self.dir_ivs) {
                DiskName::Short(disk) => BadNames::ends_alike(name, disk),
                DiskName::Long(_) => true,
                DiskName::Config | DiskName::DirIv | DiskName::NameFile => false,
            };
            let is_it = may_be
                && self
                    .decode(dir, disk)
                    .is_ok_and(|shown| shown.as_os_str() == name);
            if is_it && found.replace(disk.to_owned()).is_some() {
                return Err(Errno::NOENT.into());
            }
        }
        let disk = found.ok_or(Errno::NOENT)?;
        let text = self.name_text(dir, &disk)?;
        Ok(StoredName::found(&disk, text.as_deref()))
    }
}
