//! The configuration file on disk: read without ever waiting, made without overwriting anything,
//! replaced in one step that a crash cannot tear.

use super::{Conf, ConfDefect};
use crate::sys::{Backing, Dir, Errno, RenameFlags};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Most bytes that a configuration file may have.
const SIZE_MAX: usize = 1 << 20;
/// Only the owner reads it, nobody changes it in place.
const MODE: u32 = 0o400;

/// Seconds after which nobody is still writing a temporary file, which takes a moment.
const ABANDONED: u64 = 60;

/// Where a configuration file is or will be: a directory and a name.
#[derive(Debug)]
pub struct ConfFile {
    dir: Dir,
    name: OsString,
    path: PathBuf,
}

/// Why a configuration file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The operating system says no.
    #[error("{0}")]
    Os(#[from] Errno),
    /// A directory, pipe or device.
    #[error("not a regular file")]
    NotRegular,
    /// Nobody writes that much into a configuration file.
    #[error("larger than {SIZE_MAX} bytes")]
    TooLarge,
    /// Not a byte in it.
    #[error("config file is empty")]
    Empty,
    /// No JSON, or of the wrong shape.
    #[error("{0}")]
    Syntax(String),
    /// Understood, and against the rules.
    #[error(transparent)]
    Defect(#[from] ConfDefect),
}

/// Why a configuration file could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file must not exist, and does.
    #[error("the file exists")]
    Exists,
    /// The file for the new content exists: another process is at work, or was interrupted a
    /// moment ago.
    #[error("the temporary file exists")]
    TemporaryExists,
    /// The operating system says no. What was there before is unchanged.
    #[error("{0}")]
    Os(#[from] Errno),
    /// All is written and in place, but may not survive a power failure.
    #[error("cannot make the change durable: {0}")]
    NotDurable(Errno),
}

impl ConfFile {
    /// The file at `path`, which need not exist; its directory must.
    ///
    /// # Errors
    /// The directory cannot be opened, or `path` has no last component.
    pub fn at(path: &Path) -> Result<Self, Errno> {
        let (dir, name) = Dir::open_above(path)?;
        Ok(Self {
            dir,
            name,
            path: path.to_owned(),
        })
    }

    /// The path, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is anything by this name.
    pub fn exists(&self) -> bool {
        self.dir.stat_at(&self.name).is_ok()
    }

    /// The path of the file for new content, which exists only while the file is replaced.
    pub fn temporary_path(&self) -> PathBuf {
        self.path.with_file_name(self.temporary())
    }

    /// The path of the copy that [`ConfFile::back_up`] makes.
    pub fn backup_path(&self) -> PathBuf {
        self.path.with_file_name(self.suffixed(".bak"))
    }

    /// Reads the file. It may be a symlink: the owner may keep it elsewhere.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&self) -> Result<Conf, ReadError> {
        let content = match self.dir.read_small(&self.name, SIZE_MAX) {
            Err(Errno::INVAL) => self.read_linked()?,
            content => content?,
        };
        if content.len() > SIZE_MAX {
            return Err(ReadError::TooLarge);
        }
        Conf::parse(&content)
    }

    fn read_linked(&self) -> Result<Vec<u8>, ReadError> {
        if !self.dir.stat_at(&self.name)?.is_symlink() {
            return Err(ReadError::NotRegular);
        }
        let target = std::fs::canonicalize(&self.path);
        let target = target.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let target = Self::at(&target)?;
        match target.dir.read_small(&target.name, SIZE_MAX) {
            Err(Errno::INVAL) => Err(ReadError::NotRegular),
            content => Ok(content?),
        }
    }

    /// Writes a file that must not exist.
    ///
    /// # Errors
    /// [`WriteError::Exists`] if it does, and what the operating system says.
    pub fn create(&self, conf: &Conf) -> Result<(), WriteError> {
        let written = self.dir.write_new(&self.name, MODE, &conf.to_json(), true);
        written.map_err(|errno| match errno {
            Errno::EXIST => WriteError::Exists,
            errno => errno.into(),
        })?;
        self.sync()
    }

    /// Replaces the file: readers see the old content or the new, also after a crash.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn replace(&self, conf: &Conf) -> Result<(), WriteError> {
        let temporary = self.temporary();
        if self.is_abandoned(&temporary) {
            self.dir.unlink(&temporary)?;
        }
        let written = self.dir.write_new(&temporary, MODE, &conf.to_json(), true);
        written.map_err(|errno| match errno {
            Errno::EXIST => WriteError::TemporaryExists,
            errno => errno.into(),
        })?;
        let flags = RenameFlags::empty();
        if let Err(errno) = self.dir.rename(&temporary, &self.dir, &self.name, flags) {
            // The first error is the one to tell.
            let _ = self.dir.unlink(&temporary);
            return Err(errno.into());
        }
        self.sync()
    }

    /// Keeps the present content reachable by a second name, which must not exist.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn back_up(&self) -> Result<(), Errno> {
        self.dir.link(&self.name, &self.dir, &self.suffixed(".bak"))
    }

    /// Whether a temporary file is so old that who made it was interrupted.
    fn is_abandoned(&self, temporary: &OsStr) -> bool {
        let Ok(stat) = self.dir.stat_at(temporary) else {
            return false;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        let then = u64::try_from(stat.mtime.secs).unwrap_or_default();
        stat.is_file() && now.saturating_sub(then) > ABANDONED
    }

    fn temporary(&self) -> OsString {
        self.suffixed(".tmp")
    }

    fn suffixed(&self, suffix: &str) -> OsString {
        let mut name = OsStr::to_os_string(&self.name);
        name.push(suffix);
        name
    }

    fn sync(&self) -> Result<(), WriteError> {
        let synced = self.dir.reopen().and_then(|dir| dir.sync(false));
        synced.map_err(WriteError::NotDurable)
    }
}

#[cfg(test)]
mod tests;
