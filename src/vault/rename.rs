//! Renaming: the `.name` files follow, and an empty directory that is replaced is not in the way.

use crate::format::StoredName;
use crate::sys::{self, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;
use crate::vault::{make, remove};

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
        let any_long = old.long().is_some() || new.long().is_some();
        let _alone = any_long.then(|| self.long_names.lock());
        let fresh = match new.long() {
            Some((hash, full)) => make::write_name_file(to, hash, full)?,
            None => false,
        };
        let renamed = self.rename_object((from, old), (to, new), flags);
        match (&renamed, new.long(), old.long()) {
            (Err(_), Some((hash, _)), _) if fresh => remove::name_file(to, hash),
            // Something may be there still: the other half of an exchange, a whiteout, or a
            // second link of the same file, for which a rename does nothing.
            (Ok(()), _, Some((hash, _))) if from.dir.stat_at(old.disk()).is_err() => {
                remove::name_file(from, hash);
            }
            _ => {}
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
        match answer {
            Err(Errno::NOTEMPTY | Errno::EXIST) if replaces && self.dir_ivs => {
                self.replace_dir((from, old), (to, new), flags)
            }
            answer => answer,
        }
    }

    /// Renames over a directory that holds nothing but its IV: the two are exchanged, then the
    /// empty one is removed.
    fn replace_dir(
        &self,
        (from, old): (&CipherDir, &StoredName),
        (to, new): (&CipherDir, &StoredName),
        flags: RenameFlags,
    ) -> sys::Result<()> {
        if !self.is_empty_dir(to, new.disk())? {
            return Err(Errno::NOTEMPTY);
        }
        let exchange = || {
            from.dir
                .rename(old.disk(), &to.dir, new.disk(), RenameFlags::EXCHANGE)
        };
        match exchange() {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS) => {
                self.remove_dir(to, new.disk())?;
                return from.dir.rename(old.disk(), &to.dir, new.disk(), flags);
            }
            Err(errno) => return Err(errno),
        }
        let removed = self.remove_dir(from, old.disk());
        if removed.is_err() {
            let _ = exchange();
        }
        removed
    }
}
