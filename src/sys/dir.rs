//! A directory held open: the only way by which files are reached.
//!
//! Every method is one `*at()` call with one name. A symlink in the place of the name is never
//! followed, so nobody who can write to the directory leads us elsewhere.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, CWD, Mode};
use rustix::io::retry_on_intr;

use super::{Backing, Errno, File, FsStat, Kind, OpenFlags, Result, Stat};

/// A directory, opened without the right to read or write it (`O_PATH`).
#[derive(Debug)]
pub struct Dir(OwnedFd);

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

const HANDLE: OpenFlags = OpenFlags::PATH
    .union(OpenFlags::DIRECTORY)
    .union(OpenFlags::CLOEXEC);

/// Passes a single name on; `EINVAL` for what would lead out of the directory or further down.
pub(super) fn component(name: &OsStr) -> Result<&Path> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b".." || bytes.contains(&b'/') {
        return Err(Errno::INVAL);
    }
    Ok(Path::new(name))
}

impl Dir {
    /// Opens a directory by its path, following symlinks: for the top of a tree only.
    pub fn open(path: &Path) -> Result<Dir> {
        retry_on_intr(|| fs::openat(CWD, path, HANDLE, Mode::empty())).map(Dir)
    }

    /// Opens a subdirectory. `ENOTDIR` or `ELOOP` if the name is something else.
    pub fn open_dir(&self, name: &OsStr) -> Result<Dir> {
        self.open_raw(name, HANDLE, 0).map(Dir)
    }

    /// The same directory, readable: for `fsync` and for listing it.
    pub fn reopen(&self) -> Result<File> {
        let flags = OpenFlags::RDONLY | OpenFlags::DIRECTORY;
        self.open_raw(OsStr::new("."), flags, 0).map(File::from)
    }

    /// Metadata of the directory itself.
    pub fn stat(&self) -> Result<Stat> {
        Stat::of_fd(self)
    }

    /// Metadata of an entry.
    pub fn stat_at(&self, name: &OsStr) -> Result<Stat> {
        Stat::of_name(self, component(name)?)
    }

    /// Capacity and type of the filesystem that the directory is on.
    pub fn statfs(&self) -> Result<FsStat> {
        FsStat::of_fd(self)
    }

    /// Opens an existing regular file and never waits: not for the other end of a pipe, not for a
    /// device.
    ///
    /// `ELOOP` for a symlink, `EISDIR` for a directory, `ENXIO` for a pipe, socket or device.
    pub fn open_file(&self, name: &OsStr, flags: OpenFlags) -> Result<File> {
        let flags = flags.difference(OpenFlags::CREATE | OpenFlags::EXCL);
        let patient = OpenFlags::NONBLOCK | OpenFlags::NOCTTY;
        match self.open_raw(name, flags | patient, 0) {
            Ok(fd) => regular(File::from(fd)),
            // Somebody, a file server mostly, holds a lease on the file and has been told to
            // return it. Having made sure that it is a file, waiting for that is safe.
            Err(Errno::AGAIN) => {
                regular(File::from(self.open_path(name)?)).and_then(|file| file.reopen(flags))
            }
            Err(errno) => Err(errno),
        }
    }

    /// Creates a regular file that must not exist. `mode` is subject to the umask.
    pub fn create_file(&self, name: &OsStr, flags: OpenFlags, mode: u32) -> Result<File> {
        let flags = flags | OpenFlags::CREATE | OpenFlags::EXCL;
        self.open_raw(name, flags, mode).map(File::from)
    }

    /// Reads a small regular file, at most `max + 1` bytes, so that the caller sees if it is too
    /// long. `EINVAL` if the name is not a regular file.
    pub fn read_small(&self, name: &OsStr, max: usize) -> Result<Vec<u8>> {
        let file = self
            .open_file(name, OpenFlags::RDONLY)
            .map_err(|errno| match errno {
                Errno::ISDIR | Errno::NXIO | Errno::LOOP => Errno::INVAL,
                other => other,
            })?;
        let mut content = vec![0; max.saturating_add(1)];
        let len = file.read_at(&mut content, 0)?;
        content.truncate(len);
        Ok(content)
    }

    /// Creates a file with this content, and removes it again if that fails. `sync` makes the
    /// content durable; the entry itself needs a sync of the directory.
    pub fn write_new(&self, name: &OsStr, mode: u32, content: &[u8], sync: bool) -> Result<()> {
        let file = self.create_file(name, OpenFlags::WRONLY, mode)?;
        let written = file
            .write_at(content, 0)
            .map_err(|short| short.errno)
            .and_then(|()| if sync { file.sync(false) } else { Ok(()) });
        if written.is_err() {
            // The first error is the one to tell.
            let _ = self.unlink(name);
        }
        written
    }

    /// Holds an entry of any type without opening it (`O_PATH`).
    pub(super) fn open_path(&self, name: &OsStr) -> Result<OwnedFd> {
        self.open_raw(name, OpenFlags::PATH, 0)
    }

    fn open_raw(&self, name: &OsStr, flags: OpenFlags, mode: u32) -> Result<OwnedFd> {
        let name = component(name)?;
        let flags = flags | OpenFlags::NOFOLLOW | OpenFlags::CLOEXEC;
        retry_on_intr(|| fs::openat(self, name, flags, Mode::from_raw_mode(mode)))
    }
}

/// Passes a regular file on.
fn regular(file: File) -> Result<File> {
    match file.stat()?.kind() {
        Kind::File => Ok(file),
        Kind::Symlink => Err(Errno::LOOP),
        Kind::Dir => Err(Errno::ISDIR),
        _ => Err(Errno::NXIO),
    }
}
