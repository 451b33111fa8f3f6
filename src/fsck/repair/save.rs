//! Copies of what a repair changes, under the paths that it has on disk.
//!
//! Invariant: a copy is durable before the original is changed, and nothing that is there already
//! is overwritten.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::sys::{self, Backing, Dir, Errno, File, OpenFlags, SetTime};

/// Bytes copied at once.
const PIECE: usize = 1 << 20;

/// A directory for copies, made when the first one comes.
pub struct Save {
    path: PathBuf,
    dir: OnceCell<Dir>,
    done: RefCell<HashSet<PathBuf>>,
}

impl Save {
    /// The directory at `path`, whose parent exists.
    pub fn new(path: &Path) -> Save {
        Save {
            path: path.to_owned(),
            dir: OnceCell::new(),
            done: RefCell::default(),
        }
    }

    /// The directory, if anything has been saved.
    pub fn path(&self) -> Option<&Path> {
        self.dir.get().map(|_| self.path.as_path())
    }

    /// Copies a regular file, once.
    pub(super) fn file(&self, path: &Path, file: &File) -> sys::Result<()> {
        if !self.done.borrow_mut().insert(path.to_owned()) {
            return Ok(());
        }
        let saved = self.copy(path, file);
        if saved.is_err() {
            self.done.borrow_mut().remove(path);
        }
        saved
    }

    fn copy(&self, path: &Path, file: &File) -> sys::Result<()> {
        let stat = file.stat()?;
        let (dir, name) = self.free_name(path)?;
        let copy = dir.create_file(&name, OpenFlags::RDWR, 0o600)?;
        if copy.clone_range(file, 0, 0, 0).is_err() {
            copy_data(file, &copy, stat.size)?;
        }
        for attr in file.list_xattr().unwrap_or_default() {
            // The copy may be on a file system without them.
            if let Ok(value) = file.get_xattr(&attr) {
                let _ = copy.set_xattr(&attr, &value, 0);
            }
        }
        copy.chmod(stat.mode & 0o7777)?;
        copy.set_times(SetTime::Keep, SetTime::At(stat.mtime))?;
        copy.sync(false)?;
        dir.reopen()?.sync(false)
    }

    /// Copies a symlink.
    pub(super) fn symlink(&self, path: &Path, target: &OsStr) -> sys::Result<()> {
        let (dir, name) = self.free_name(path)?;
        dir.symlink(target, &name)?;
        dir.reopen()?.sync(false)
    }

    /// Keeps an extended attribute in a text file that `setfattr --restore` understands.
    pub(super) fn xattr(&self, path: &Path, attr: &OsStr, value: &[u8]) -> sys::Result<()> {
        let mut text = format!("# file: {}\n{}=0x", path.display(), attr.display());
        for byte in value {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
        let mut file = path.as_os_str().to_owned();
        file.push(".xattr");
        let (dir, name) = self.free_name(Path::new(&file))?;
        dir.write_new(&name, 0o600, text.as_bytes(), true)?;
        dir.reopen()?.sync(false)
    }

    /// The directory for a copy of `path`, and a name in it that nothing has.
    fn free_name(&self, path: &Path) -> sys::Result<(Dir, OsString)> {
        let mut dir = self.top()?.open_dir(OsStr::new("."))?;
        for name in path.parent().unwrap_or(Path::new("")) {
            dir = make_dir(&dir, name)?;
        }
        let name = path.file_name().unwrap_or(OsStr::new("top"));
        let numbered = (1_u32..).map(|number| {
            let mut numbered = name.to_owned();
            numbered.push(format!(".{number}"));
            numbered
        });
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| dir.stat_at(name).is_err());
        Ok((dir, free.ok_or(Errno::EXIST)?))
    }

    fn top(&self) -> sys::Result<&Dir> {
        if let Some(dir) = self.dir.get() {
            return Ok(dir);
        }
        let name = self.path.file_name().ok_or(Errno::INVAL)?;
        let parent = self.path.parent().filter(|parent| *parent != Path::new(""));
        let dir = make_dir(&Dir::open(parent.unwrap_or(Path::new(".")))?, name)?;
        Ok(self.dir.get_or_init(|| dir))
    }
}

fn make_dir(parent: &Dir, name: &OsStr) -> sys::Result<Dir> {
    match parent.mkdir(name, 0o700) {
        Ok(()) | Err(Errno::EXIST) => parent.open_dir(name),
        Err(errno) => Err(errno),
    }
}

/// Copies what can be read; the rest is left as holes.
fn copy_data(from: &File, to: &File, size: u64) -> sys::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < size {
        at = match from.seek_data(at) {
            Ok(data) => data,
            Err(Errno::NXIO) => break,
            Err(_) => at,
        };
        // A sector that cannot be read must not keep the others from being saved.
        let got = match from.read_at(&mut piece, at) {
            Ok(0) => break,
            Ok(got) => got,
            Err(_) => copy_around(from, &mut piece, at),
        };
        let written = to.write_at(&piece[..got], at);
        written.map_err(|short| short.errno)?;
        at += got as u64;
    }
    to.set_len(size)
}

/// Reads a piece sector by sector, with zeros for those that cannot be read.
fn copy_around(from: &File, piece: &mut [u8], at: u64) -> usize {
    const SECTOR: usize = 512;
    let mut done = 0;
    for sector in piece.chunks_mut(SECTOR) {
        match from.read_at(sector, at + done as u64) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(_) => {
                sector.fill(0);
                done += SECTOR;
            }
        }
    }
    done.max(SECTOR)
}
