//! Mending the entries of directories: names, `.name` files, IVs, and what belongs nowhere.

use std::ffi::OsStr;
use std::path::Path;

use super::{LOST_AND_FOUND, Repair};
use crate::format::{DIRIV_NAME, DirIv, DiskName, PlainName, StoredName, name_file};
use crate::sys::{Backing, Dir, Errno, Kind, OpenFlags};
use crate::vault::{BackingName, CipherDir, Error};

type Result<T> = core::result::Result<T, Error>;

/// Permissions of helper files.
const HELPER_MODE: u32 = 0o444;
/// What the configuration file and its copies begin with.
const CONF_PREFIX: &str = "gocryptfs.conf";

impl Repair<'_> {
    /// Gives a directory an IV.
    pub(super) fn write_iv(&self, path: &Path, iv: &DirIv) -> Result<()> {
        let dir = self.open(path)?;
        self.replace(&dir, &path.join(DIRIV_NAME), &iv.0)
    }

    /// Writes the `.name` file of the entry at `path`.
    pub(super) fn restore_name(&self, path: &Path, text: &OsStr) -> Result<()> {
        let (dir, disk) = self.parent(path)?;
        let file = path.with_file_name(name_file(&disk));
        self.replace(&dir, &file, text.as_encoded_bytes())
    }

    /// Writes a helper file anew.
    fn replace(&self, dir: &Dir, path: &Path, content: &[u8]) -> Result<()> {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        match self.take_away(dir, path) {
            Ok(()) | Err(Error::Os(Errno::NOENT)) => {}
            Err(error) => return Err(error),
        }
        dir.write_new(name, HELPER_MODE, content, true)?;
        Ok(dir.reopen()?.sync(false)?)
    }

    /// Removes the object at `path` and the `.name` file that it may have; they have been saved
    /// then.
    pub(super) fn remove(&self, path: &Path) -> Result<()> {
        let (dir, _) = self.parent(path)?;
        self.take_away(&dir, path)?;
        self.remove_name_file(&dir, path)
    }

    /// Saves and removes an object. `ENOTEMPTY` for a directory that holds anything of the user's.
    fn take_away(&self, dir: &Dir, path: &Path) -> Result<()> {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        match dir.stat_at(name)?.kind() {
            Kind::File => {
                let file = dir.open_file(name, OpenFlags::RDONLY)?;
                self.save.file(path, &file)?;
                dir.unlink(name)?;
            }
            Kind::Symlink => {
                self.save.symlink(path, &dir.readlink(name)?)?;
                dir.unlink(name)?;
            }
            Kind::Dir => {
                let inner = dir.open_dir(name)?;
                let helpers = self.vault.helper_files(&inner)?;
                for helper in helpers.ok_or(Errno::NOTEMPTY)? {
                    self.take_away(&inner, &path.join(helper))?;
                }
                dir.rmdir(name)?;
            }
            _ => dir.unlink(name)?,
        }
        Ok(())
    }

    /// Removes the `.name` file of an entry that has gone.
    fn remove_name_file(&self, dir: &Dir, path: &Path) -> Result<()> {
        let disk = path.file_name().ok_or(Errno::ISDIR)?;
        if !matches!(self.vault.classify(disk, false), DiskName::Long(_)) {
            return Ok(());
        }
        let file = path.with_file_name(name_file(disk));
        match self.take_away(dir, &file) {
            Err(Error::Os(Errno::NOENT)) => Ok(()),
            answer => answer,
        }
    }

    /// Stores the object at `path` under another name on disk in its directory.
    pub(super) fn rename(&self, path: &Path, stored: &StoredName) -> Result<()> {
        let (dir, _) = self.parent(path)?;
        self.rename_in(&dir, path, stored)
    }

    /// As [`Repair::rename`], with the directory open.
    fn rename_in(&self, dir: &Dir, path: &Path, stored: &StoredName) -> Result<()> {
        if dir.stat_at(stored.disk()).is_ok() {
            return Err(Errno::EXIST.into());
        }
        if let Some((hash, full)) = stored.long() {
            let file = path.with_file_name(hash.name_file());
            self.replace(dir, &file, full.as_os_str().as_encoded_bytes())?;
        }
        let disk = path.file_name().ok_or(Errno::ISDIR)?;
        dir.rename_to_free(disk, dir, stored.disk())?;
        self.remove_name_file(dir, path)
    }

    /// Moves the object at `path` to `lost+found`, where it is called by its inode number.
    pub(super) fn move_to_lost_and_found(&self, path: &Path) -> Result<()> {
        let (dir, disk) = self.parent(path)?;
        let ino = dir.stat_at(&disk)?.key.ino;
        self.save.moved(&[(path.to_owned(), ino)])?;
        self.lose(&dir, path)
    }

    fn lose(&self, dir: &Dir, path: &Path) -> Result<()> {
        let disk = path.file_name().ok_or(Errno::ISDIR)?;
        let ino = dir.stat_at(disk)?.key.ino;
        let lost = self.lost_and_found()?;
        let numbered = (1_u32..).map(|number| format!("#{ino}.{number}"));
        for name in std::iter::once(format!("#{ino}")).chain(numbered) {
            let stored = self.vault.encode(lost, OsStr::new(&name))?;
            match dir.rename_to_free(disk, lost.dir(), stored.disk()) {
                Err(Errno::EXIST) => {}
                answer => {
                    answer?;
                    break;
                }
            }
        }
        self.remove_name_file(dir, path)
    }

    /// Names the entries of a directory whose IV is new, or moves them to `lost+found`. What
    /// happens to one does not keep the others from it.
    pub(super) fn move_entries(&self, path: &Path) -> Result<()> {
        let dir = self.open(path)?;
        let iv = self.vault.read_iv(&dir)?;
        if path == Path::new("") {
            self.lost_and_found()?;
        }
        let mut objects = Vec::new();
        for disk in dir.names()? {
            let object = path.join(&disk);
            if !self.stays(&object)? {
                objects.push((object, dir.stat_at(&disk)?.key.ino));
            }
        }
        self.save.moved(&objects)?;
        let mut failed = None;
        for (object, _) in &objects {
            let named = match self.known_name(&iv, object) {
                Some(stored) => self.rename_in(&dir, object, &stored),
                None => Err(Errno::NOENT.into()),
            };
            if let Err(error) = named.or_else(|_| self.lose(&dir, object)) {
                failed = Some(error);
            }
        }
        dir.reopen()?.sync(false)?;
        failed.map_or(Ok(()), Err)
    }

    /// How the object at `path` is to be stored in a directory with the IV `iv`, if its name is in
    /// the list.
    fn known_name(&self, iv: &DirIv, path: &Path) -> Option<StoredName> {
        let plain = PlainName::new(self.choices.names.of(path)?).ok()?;
        self.vault.names().encode(iv, &plain).ok()
    }

    /// Whether the entry at `path` is in its place although its name does not decrypt, or was made
    /// by the repair.
    fn stays(&self, path: &Path) -> Result<bool> {
        let disk = path.file_name().ok_or(Errno::ISDIR)?;
        let is_top = path.parent() == Some(Path::new(""));
        match self.vault.classify(disk, is_top) {
            DiskName::Config | DiskName::DirIv | DiskName::NameFile => return Ok(true),
            DiskName::Long(_) => return Ok(false),
            DiskName::Short(_) if self.vault.is_leftover(disk) => return Ok(true),
            DiskName::Short(_) if !is_top => return Ok(false),
            DiskName::Short(_) => {}
        }
        let lost = OsStr::new(LOST_AND_FOUND);
        let is_conf = disk.as_encoded_bytes().starts_with(CONF_PREFIX.as_bytes());
        let is_lost = self.vault.encode(&self.vault.root()?, lost)?.disk() == disk;
        Ok(is_conf || is_lost || self.is_of_the_file_system(path))
    }

    /// The plain directory `lost+found`, made for the owner of the volume if there is none.
    fn lost_and_found(&self) -> Result<&CipherDir> {
        if let Some(dir) = self.lost_and_found.get() {
            return Ok(dir);
        }
        let top = self.vault.root()?;
        let stored = self.vault.encode(&top, OsStr::new(LOST_AND_FOUND))?;
        match self.vault.mkdir(&top, &stored, 0o700, None) {
            Ok(()) => {
                let owner = top.dir().stat()?;
                // Who is not root made it for himself.
                let _ = top
                    .dir()
                    .chown(stored.disk(), Some(owner.uid), Some(owner.gid));
            }
            Err(Error::Os(Errno::EXIST)) => {}
            Err(error) => return Err(error),
        }
        let dir = self.vault.subdir(&top, &BackingName::from(&stored))?;
        Ok(self.lost_and_found.get_or_init(|| dir))
    }
}
