//! Mending the entries of directories: names, `.name` files, IVs, and what belongs nowhere.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::Repair;
use crate::format::{DIRIV_NAME, DirIv, DiskName, PlainName, StoredName, name_file};
use crate::sys::{self, Backing, Dir, DirStream, Errno, Kind, OpenFlags, RenameFlags};
use crate::vault::{BackingName, CipherDir, Error};

type Result<T> = core::result::Result<T, Error>;

/// Permissions of helper files.
const HELPER_MODE: u32 = 0o444;
/// Where objects go whose name or place is lost, in the top directory.
const LOST_AND_FOUND: &str = "lost+found";
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

    /// Removes the object at `path`, which is no directory that holds anything of the user's.
    pub(super) fn remove(&self, path: &Path) -> Result<()> {
        let (dir, _) = self.parent(path)?;
        self.take_away(&dir, path)
    }

    /// As [`Repair::remove`], with the directory open.
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
                match self.take_away(&inner, &path.join(DIRIV_NAME)) {
                    Ok(()) | Err(Error::Os(Errno::NOENT)) => {}
                    Err(error) => return Err(error),
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

    /// Moves the file at `path` to where originals are saved.
    pub(super) fn move_out(&self, path: &Path) -> Result<()> {
        let (dir, _) = self.parent(path)?;
        self.take_away(&dir, path)?;
        self.remove_name_file(&dir, path)
    }

    /// Stores the object at `path` under another name on disk in its directory.
    pub(super) fn rename(&self, path: &Path, stored: &StoredName) -> Result<()> {
        let (dir, disk) = self.parent(path)?;
        rename_in(&dir, &disk, stored)?;
        self.remove_name_file(&dir, path)
    }

    /// Moves the object at `path` to `lost+found`, where it is called by its inode number.
    pub(super) fn move_to_lost_and_found(&self, path: &Path) -> Result<()> {
        let (dir, disk) = self.parent(path)?;
        self.lose(&dir, &disk)?;
        self.remove_name_file(&dir, path)
    }

    fn lose(&self, dir: &Dir, disk: &OsStr) -> Result<()> {
        let ino = dir.stat_at(disk)?.key.ino;
        let lost = self.lost_and_found()?;
        let numbered = (1_u32..).map(|number| format!("#{ino}.{number}"));
        for name in std::iter::once(format!("#{ino}")).chain(numbered) {
            let stored = self.vault.encode(lost, OsStr::new(&name))?;
            match rename_to_free(dir, disk, lost.dir(), stored.disk()) {
                Err(Errno::EXIST) => {}
                answer => return Ok(answer?),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// Names the entries of a directory whose IV is new, or moves them to `lost+found`.
    pub(super) fn move_entries(&self, path: &Path) -> Result<()> {
        let dir = self.open(path)?;
        let iv = self.vault.read_iv(&dir)?;
        let is_top = path == Path::new("");
        if is_top {
            self.lost_and_found()?;
        }
        for disk in entries(&dir)? {
            match self.vault.classify(&disk, is_top) {
                DiskName::Config | DiskName::DirIv | DiskName::NameFile => continue,
                DiskName::Long(_) | DiskName::Short(_) => {}
            }
            if self.stays(&disk, is_top)? {
                continue;
            }
            let object = path.join(&disk);
            match self.choices.names.of(&object).map(PlainName::new) {
                Some(Ok(plain)) => {
                    let stored = self.vault.names().encode(&iv, &plain)?;
                    rename_in(&dir, &disk, &stored)?;
                }
                _ => self.lose(&dir, &disk)?,
            }
            self.remove_name_file(&dir, &object)?;
        }
        Ok(dir.reopen()?.sync(false)?)
    }

    /// Whether an entry is in its place although its name does not decrypt, or was made by the
    /// repair.
    fn stays(&self, disk: &OsStr, is_top: bool) -> Result<bool> {
        if !is_top {
            return Ok(self.vault.is_leftover(disk));
        }
        let lost = self
            .vault
            .encode(&self.vault.root()?, OsStr::new(LOST_AND_FOUND))?;
        let is_conf = disk.as_encoded_bytes().starts_with(CONF_PREFIX.as_bytes());
        Ok(is_conf || lost.disk() == disk || self.vault.is_leftover(disk))
    }

    /// The plain directory `lost+found`, made if there is none.
    fn lost_and_found(&self) -> Result<&CipherDir> {
        if let Some(dir) = self.lost_and_found.get() {
            return Ok(dir);
        }
        let top = self.vault.root()?;
        let stored = self.vault.encode(&top, OsStr::new(LOST_AND_FOUND))?;
        match self.vault.mkdir(&top, &stored, 0o700, None) {
            Ok(()) | Err(Error::Os(Errno::EXIST)) => {}
            Err(error) => return Err(error),
        }
        let dir = self.vault.subdir(&top, &BackingName::from(&stored))?;
        Ok(self.lost_and_found.get_or_init(|| dir))
    }
}

/// Renames an entry within its directory, with the `.name` file that it needs.
fn rename_in(dir: &Dir, disk: &OsStr, stored: &StoredName) -> Result<()> {
    if let Some((hash, full)) = stored.long() {
        let file = hash.name_file();
        let text = full.as_os_str().as_encoded_bytes();
        match dir.write_new(&file, HELPER_MODE, text, true) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(rename_to_free(dir, disk, dir, stored.disk())?)
}

/// The names on disk of all entries of a directory.
fn entries(dir: &Dir) -> sys::Result<Vec<OsString>> {
    let mut stream = DirStream::open(dir)?;
    let mut names = Vec::new();
    while let Some(entry) = stream.next_entry() {
        let name = entry?.name;
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Renames to a name that must be free, also where the file system cannot promise that.
fn rename_to_free(from: &Dir, old: &OsStr, to: &Dir, new: &OsStr) -> sys::Result<()> {
    match from.rename(old, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => match to.stat_at(new) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => from.rename(old, to, new, RenameFlags::empty()),
        },
        answer => answer,
    }
}
