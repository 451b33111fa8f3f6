//! A directory held open: the only way by which files are reached.
//!
//! Every method is one `*at()` call with one name. A symlink in the place of the name is never
//! followed, so nobody who can write to the directory leads us elsewhere.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, CWD, Mode};
use rustix::io::retry_on_intr;

use super::{Backing, Errno, File, FsStat, Inode, Kind, OpenFlags, Result, Stat, fd_path};

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

    /// Opens the directory that the last component of a path is in, following symlinks on the way,
    /// and returns that component. `EISDIR` if there is none.
    pub fn open_above(path: &Path) -> Result<(Dir, OsString)> {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let dir = Dir::open(parent.unwrap_or(Path::new(".")))?;
        Ok((dir, name.to_owned()))
    }

    /// Opens a subdirectory. `ENOTDIR` or `ELOOP` if the name is something else.
    pub fn open_dir(&self, name: &OsStr) -> Result<Dir> {
        self.open_raw(name, HANDLE, 0).map(Dir)
    }

    /// The same directory, readable: for `fsync` and for listing it. Unlike looking up `.` in it,
    /// this needs no right to search it.
    pub fn reopen(&self) -> Result<File> {
        let flags = OpenFlags::RDONLY | OpenFlags::DIRECTORY | OpenFlags::CLOEXEC;
        retry_on_intr(|| fs::open(fd_path(self), flags, Mode::empty())).map(File::from)
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

    /// A new file that never gets a name: it is gone when it is closed. `EOPNOTSUPP` where the
    /// filesystem has no such files.
    pub fn nameless(&self) -> Result<File> {
        let flags = OpenFlags::TMPFILE | OpenFlags::RDWR;
        self.open_raw(OsStr::new("."), flags, 0o600).map(File::from)
    }

    /// Whether files of this filesystem can share their storage. Tried out with two files that
    /// never get a name.
    pub fn can_clone(&self) -> bool {
        let (Ok(one), Ok(other)) = (self.nameless(), self.nameless()) else {
            return false;
        };
        one.clone_range(&other, 0, 0, 0).is_ok()
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
                let file = regular(File::from(self.open_raw(name, OpenFlags::PATH, 0)?))?;
                file.reopen(flags)
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
        let file = self.create_with(name, mode, content)?;
        let synced = if sync { file.sync(false) } else { Ok(()) };
        if synced.is_err() {
            // The first error is the one to tell.
            let _ = self.unlink(name);
        }
        synced
    }

    /// Creates a file with this content, open for writing, and removes it again if that fails.
    pub fn create_with(&self, name: &OsStr, mode: u32, content: &[u8]) -> Result<File> {
        let file = self.create_file(name, OpenFlags::WRONLY, mode)?;
        match file.write_at(content, 0) {
            Ok(()) => Ok(file),
            Err(short) => {
                let _ = self.unlink(name);
                Err(short.errno)
            }
        }
    }

    /// Makes all of the file system durable, see `syncfs(2)`.
    pub fn sync_fs(&self) -> Result<()> {
        // A handle that is only good for looking up names will not do.
        let opened = self.reopen()?;
        retry_on_intr(|| fs::syncfs(&opened))
    }

    /// Holds what a name leads to, symlinks followed, without opening it (`O_PATH`). For a name
    /// alone whose meaning is up to the owner of the directory; see [`File::reopen`].
    pub fn follow(&self, name: &OsStr) -> Result<File> {
        let name = component(name)?;
        let flags = OpenFlags::PATH | OpenFlags::CLOEXEC;
        retry_on_intr(|| fs::openat(self, name, flags, Mode::empty())).map(File::from)
    }

    /// Holds an entry of any type, itself if it is a symlink, without opening it.
    pub fn hold(&self, name: &OsStr) -> Result<Inode> {
        self.open_raw(name, OpenFlags::PATH, 0).map(Inode::from)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Scratch, is_root, name};
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_name_never_leads_elsewhere() {
        let scratch = Scratch::new();
        for bad in ["", "..", "/", "a/b", "a/", "/etc"] {
            let bad = name(bad);
            let dir = &scratch.dir;
            assert_eq!(dir.stat_at(bad).unwrap_err(), Errno::INVAL);
            assert_eq!(dir.open_dir(bad).unwrap_err(), Errno::INVAL);
            assert_eq!(dir.mkdir(bad, 0o700).unwrap_err(), Errno::INVAL);
            assert_eq!(dir.get_xattr(bad, name("user.x")), Err(Errno::INVAL));
        }
        assert_eq!(scratch.dir.stat_at(name("a\0b")).unwrap_err(), Errno::INVAL);
    }

    #[test]
    fn the_directory_above_is_the_working_directory_for_a_name_alone() {
        let scratch = Scratch::new();
        let (dir, last) = Dir::open_above(&scratch.path().join("x")).unwrap();
        assert_eq!(last, "x");
        let key = |dir: &Dir| dir.stat().unwrap().key;
        assert_eq!(key(&dir), key(&scratch.dir));
        let (dir, _) = Dir::open_above(Path::new("x")).unwrap();
        assert_eq!(key(&dir), key(&Dir::open(Path::new(".")).unwrap()));
        let nameless = Dir::open_above(Path::new("x/.."));
        assert_eq!(nameless.unwrap_err(), Errno::ISDIR);
    }

    #[test]
    fn a_symlink_is_never_followed() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.mkdir(name("d"), 0o700).unwrap();
        dir.write_new(name("f"), 0o600, b"x", false).unwrap();
        dir.symlink(name("d"), name("to_d")).unwrap();
        dir.symlink(name("f"), name("to_f")).unwrap();
        assert!(dir.stat_at(name("to_d")).unwrap().is_symlink());
        assert_eq!(dir.open_dir(name("to_d")).unwrap_err(), Errno::NOTDIR);
        for flags in [OpenFlags::RDONLY, OpenFlags::RDWR, OpenFlags::WRONLY] {
            assert_eq!(dir.open_file(name("to_f"), flags).unwrap_err(), Errno::LOOP);
        }
        let flags = OpenFlags::WRONLY;
        let created = dir.create_file(name("to_nothing"), flags, 0o600);
        assert!(created.is_ok());
        let taken = dir.create_file(name("to_f"), flags, 0o600);
        assert_eq!(taken.unwrap_err(), Errno::EXIST);
        assert_eq!(dir.read_small(name("to_f"), 10), Err(Errno::INVAL));
    }

    #[test]
    fn a_symlink_is_followed_on_request() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"text", false).unwrap();
        dir.symlink(name("f"), name("to_f")).unwrap();
        let held = dir.follow(name("to_f")).unwrap();
        let stat = held.stat().unwrap();
        assert_eq!(stat.key, dir.stat_at(name("f")).unwrap().key);
        let mut text = [0; 4];
        let file = held.reopen(OpenFlags::RDONLY).unwrap();
        assert_eq!(file.read_at(&mut text, 0), Ok(4));
        assert_eq!(dir.follow(name("nothing")).unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_without_waiting() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.mknod(name("pipe"), libc::S_IFIFO | 0o600, 0).unwrap();
        dir.mknod(name("socket"), libc::S_IFSOCK | 0o600, 0)
            .unwrap();
        dir.mkdir(name("dir"), 0o700).unwrap();
        if is_root() {
            let null = fs::makedev(1, 3);
            dir.mknod(name("device"), libc::S_IFCHR | 0o600, null)
                .unwrap();
            let opened = dir.open_file(name("device"), OpenFlags::RDONLY);
            assert!(matches!(opened.unwrap_err(), Errno::NXIO | Errno::ACCESS));
        }
        for flags in [OpenFlags::RDONLY, OpenFlags::RDWR, OpenFlags::WRONLY] {
            let errno = |file| dir.open_file(name(file), flags).unwrap_err();
            assert_eq!(errno("pipe"), Errno::NXIO);
            assert_eq!(errno("socket"), Errno::NXIO);
            assert_eq!(errno("dir"), Errno::ISDIR);
            assert_eq!(errno("nothing"), Errno::NOENT);
        }
        assert_eq!(dir.read_small(name("pipe"), 10), Err(Errno::INVAL));
        assert_eq!(dir.read_small(name("dir"), 10), Err(Errno::INVAL));
    }

    #[test]
    fn an_existing_file_is_opened_and_never_created() {
        let scratch = Scratch::new();
        let opened = scratch
            .dir
            .open_file(name("f"), OpenFlags::RDWR | OpenFlags::CREATE);
        assert_eq!(opened.unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn a_helper_file_that_is_too_long_shows_it() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o400, b"0123456789", true)
            .unwrap();
        assert_eq!(dir.read_small(name("f"), 4).unwrap(), b"01234");
        assert_eq!(dir.read_small(name("f"), 10).unwrap(), b"0123456789");
        let again = dir.write_new(name("f"), 0o400, b"x", false);
        assert_eq!(again, Err(Errno::EXIST));
        assert_eq!(dir.read_small(name("f"), 10).unwrap(), b"0123456789");
    }

    #[test]
    fn metadata_is_that_of_the_system() {
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o640, b"12345", false).unwrap();
        dir.link(name("f"), dir, name("g")).unwrap();
        let stat = dir.stat_at(name("g")).unwrap();
        let other = std::fs::symlink_metadata(scratch.path().join("f")).unwrap();
        assert_eq!((stat.key.dev, stat.key.ino), (other.dev(), other.ino()));
        assert_eq!((stat.mode, stat.nlink), (other.mode(), 2));
        assert_eq!((stat.uid, stat.gid), (other.uid(), other.gid()));
        assert_eq!((stat.size, stat.blocks), (5, other.blocks()));
        assert_eq!(u64::from(stat.blksize), other.blksize());
        assert_eq!(stat.mtime.secs, other.mtime());
        assert_eq!(i64::from(stat.mtime.nanos), other.mtime_nsec());
        assert!(stat.is_file() && dir.stat().unwrap().is_dir());
        assert!(dir.statfs().unwrap().blocks > 0);
    }

    /// Sets or takes back a lease on a file; `F_GETLEASE` answers what is left of it.
    #[allow(unsafe_code)]
    fn lease(file: &File, command: libc::c_int, kind: libc::c_int) -> libc::c_int {
        use std::os::fd::AsRawFd;
        // SAFETY: the lease commands of fcntl take numbers only.
        unsafe { libc::fcntl(file.as_fd().as_raw_fd(), command, kind) }
    }

    #[test]
    fn a_lease_of_somebody_else_is_waited_for() {
        // The holder of a lease is told to return it by SIGIO, which ends a process.
        // SAFETY: ignoring a signal installs no code.
        #[allow(unsafe_code)]
        unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN)
        };
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, b"x", false).unwrap();
        let holder = dir.open_file(name("f"), OpenFlags::RDONLY).unwrap();
        if lease(&holder, libc::F_SETLEASE, libc::F_RDLCK) != 0 {
            return eprintln!("skipped: no leases here");
        }
        std::thread::scope(|threads| {
            let opener = threads.spawn(|| dir.open_file(name("f"), OpenFlags::RDWR));
            while lease(&holder, libc::F_GETLEASE, 0) == libc::F_RDLCK {
                std::thread::yield_now();
            }
            assert_eq!(lease(&holder, libc::F_SETLEASE, libc::F_UNLCK), 0);
            assert!(opener.join().unwrap().is_ok());
        });
    }
}
