//! Renaming: the `.name` files follow, and an empty directory that is replaced is not in the way.

use crate::format::{NameCodec, StoredName};
use crate::sys::{self, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;
use crate::vault::leftover::name_for_removing;

pub use crate::sys::RenameFlags;

impl Vault {
    /// Renames an object, as `renameat2(2)`.
    ///
    /// # Errors
    /// What `renameat2(2)` says. Everything is as before then.
    pub fn rename(
        &self,
        (from, old): (&CipherDir, &StoredName),
        (to, new): (&CipherDir, &StoredName),
        flags: RenameFlags,
    ) -> Result<()> {
        self.tidy(from);
        self.tidy(to);
        let any_long = old.long().is_some() || new.long().is_some();
        let _alone = any_long.then(|| self.long_names.lock());
        if let Some((hash, full)) = new.long() {
            self.ensure_name_file(to, hash, full)?;
        }
        let renamed = self.rename_object((from, old), (to, new), flags);
        // Whichever name has no object now. The old one may have: the other half of an exchange, a
        // whiteout, or a second link of the same file, for which a rename does nothing.
        match renamed {
            Ok(()) => self.drop_name_file(from, old),
            Err(_) => self.drop_name_file(to, new),
        }
        Ok(renamed?)
    }

    fn rename_object(
        &self,
        (from, old): (&CipherDir, &StoredName),
        (to, new): (&CipherDir, &StoredName),
        flags: RenameFlags,
    ) -> sys::Result<()> {
        let answer = from.dir.rename(old.disk(), &to.dir, new.disk(), flags);
        let replaces = !flags.intersects(RenameFlags::NOREPLACE | RenameFlags::EXCHANGE);
        let has_helpers = !matches!(self.names, NameCodec::Plain);
        match answer {
            Err(Errno::NOTEMPTY | Errno::EXIST) if replaces && has_helpers => {
                self.replace_dir((from, old), (to, new), flags)
            }
            answer => answer,
        }
    }

    /// Renames over a directory that holds nothing but its helper files: the two are exchanged,
    /// then the empty one is removed. Where that is impossible, the empty one is moved out of the
    /// way first.
    fn replace_dir(
        &self,
        (from, old): (&CipherDir, &StoredName),
        (to, new): (&CipherDir, &StoredName),
        flags: RenameFlags,
    ) -> sys::Result<()> {
        if !self.is_empty_dir(to, new.disk())? {
            return Err(Errno::NOTEMPTY);
        }
        let rename = |flags| from.dir.rename(old.disk(), &to.dir, new.disk(), flags);
        if !flags.contains(RenameFlags::WHITEOUT) {
            match rename(RenameFlags::EXCHANGE) {
                Ok(()) => {
                    let removed = self.remove_dir(from, old.disk());
                    if removed.is_err() {
                        let _ = rename(RenameFlags::EXCHANGE);
                    }
                    return removed;
                }
                Err(Errno::INVAL | Errno::NOSYS) => {}
                Err(errno) => return Err(errno),
            }
        }
        let away = name_for_removing();
        to.dir
            .rename(new.disk(), &to.dir, &away, RenameFlags::empty())?;
        let renamed = rename(flags);
        if renamed.is_ok() {
            let _ = self.remove_dir(to, &away);
        } else {
            let _ = to.dir.rename_to_free(&away, &to.dir, new.disk());
        }
        renamed
    }
}
