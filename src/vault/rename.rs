//! Renaming: the `.name` files follow, and an empty directory that is replaced is not in the way.

use std::ffi::OsStr;

use crate::format::{DIRIV_NAME, NameCodec, StoredName};
use crate::sys::{self, Errno};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::error::Result;
use crate::vault::leftover::name_for_removing;
use crate::vault::remove::Accessible;

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

    /// Renames over a directory that holds nothing but its helper files. They are taken out first,
    /// so that one step moves the one and removes the other; without its IV, and empty, it is given
    /// another one by whoever comes upon it after a crash.
    ///
    /// The IV is moved away, not removed, since putting it back then needs no space.
    fn replace_dir(
        &self,
        (from, old): (&CipherDir, &StoredName),
        (to, new): (&CipherDir, &StoredName),
        flags: RenameFlags,
    ) -> sys::Result<()> {
        let target = to.dir.open_dir(new.disk())?;
        let _accessible = Accessible::new(&target)?;
        let _alone = self.bare_dirs.lock();
        let helpers = self.helper_files(&target)?.ok_or(Errno::NOTEMPTY)?;
        let iv = OsStr::new(DIRIV_NAME);
        for helper in helpers.iter().filter(|helper| *helper != iv) {
            self.sweep(&target, helper);
        }
        let away = name_for_removing();
        let moved = target.rename(iv, &to.dir, &away, RenameFlags::empty());
        let renamed = from.dir.rename(old.disk(), &to.dir, new.disk(), flags);
        match (&renamed, moved) {
            (_, Err(_)) => {}
            (Ok(()), Ok(())) => self.sweep(&to.dir, &away),
            (Err(_), Ok(())) => {
                let _ = to.dir.rename_to_free(&away, &target, iv);
            }
        }
        renamed
    }
}
