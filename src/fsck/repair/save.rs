//! Copies of what a repair changes, under the paths that it has on disk, and a list of what it
//! moves.
//!
//! Invariant: a copy is whole and durable before the original is changed, and nothing that is
//! there already is overwritten.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::sys::{self, Backing, Dir, Errno, File, OpenFlags, SetTime, Stat};

/// Bytes copied at once.
const PIECE: usize = 1 << 20;
/// The list of what was moved.
const MOVED: &str = "gocryptfs.moved";

/// A directory for copies, made when the first one comes.
pub struct Save {
    path: PathBuf,
    dir: OnceCell<Dir>,
    done: RefCell<HashSet<PathBuf>>,
    moved: OnceCell<File>,
}

impl Save {
    /// The directory at `path`, whose parent exists.
    pub fn new(path: &Path) -> Save {
        Save {
            path: path.to_owned(),
            dir: OnceCell::new(),
            done: RefCell::default(),
            moved: OnceCell::new(),
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
        let copied = fill(&copy, file, &stat).and_then(|()| dir.reopen()?.sync(false));
        if copied.is_err() {
            // The first error is the one to tell.
            let _ = dir.unlink(&name);
        }
        copied
    }

    /// Copies a symlink.
    pub(super) fn symlink(&self, path: &Path, target: &OsStr) -> sys::Result<()> {
        let (dir, name) = self.free_name(path)?;
        dir.symlink(target, &name)?;
        dir.reopen()?.sync(false)
    }

    /// Keeps an extended attribute in a text file that `setfattr --restore` understands.
    pub(super) fn xattr(&self, path: &Path, attr: &OsStr, value: &[u8]) -> sys::Result<()> {
        let mut file = path.as_os_str().to_owned();
        file.push(".xattr");
        let (dir, name) = self.free_name(Path::new(&file))?;
        dir.write_new(&name, 0o600, &attribute(path, attr, value), true)?;
        dir.reopen()?.sync(false)
    }

    /// Notes where objects were: a line each, with the path on disk, a tab and the inode number.
    pub(super) fn moved(&self, objects: &[(PathBuf, u64)]) -> sys::Result<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (path, ino) in objects {
            lines.extend(path.as_os_str().as_bytes());
            lines.extend(format!("\t{ino}\n").bytes());
        }
        let list = self.moved_list()?;
        let written = list.write_at(&lines, list.len()?);
        written.map_err(|short| short.errno)?;
        list.sync(true)
    }

    fn moved_list(&self) -> sys::Result<&File> {
        if let Some(list) = self.moved.get() {
            return Ok(list);
        }
        let (dir, name) = self.free_name(Path::new(MOVED))?;
        let list = dir.create_file(&name, OpenFlags::RDWR, 0o600)?;
        dir.reopen()?.sync(false)?;
        Ok(self.moved.get_or_init(|| list))
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
        let (parent, name) = Dir::open_above(&self.path)?;
        let dir = make_dir(&parent, &name)?;
        Ok(self.dir.get_or_init(|| dir))
    }
}

fn make_dir(parent: &Dir, name: &OsStr) -> sys::Result<Dir> {
    match parent.mkdir(name, 0o700) {
        Ok(()) => parent.reopen()?.sync(false)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    parent.open_dir(name)
}

/// Makes an empty file a copy of another, with all that belongs to it.
fn fill(copy: &File, file: &File, stat: &Stat) -> sys::Result<()> {
    if copy.clone_range(file, 0, 0, 0).is_err() {
        copy_data(file, copy, stat.size)?;
    }
    for attr in file.list_xattr().unwrap_or_default() {
        // The copy may be on a file system without them.
        if let Ok(value) = file.get_xattr(&attr) {
            let _ = copy.set_xattr(&attr, &value, 0);
        }
    }
    copy.chmod(stat.mode & 0o7777)?;
    copy.set_times(SetTime::Keep, SetTime::At(stat.mtime))?;
    copy.sync(false)
}

/// An extended attribute as `getfattr(1)` dumps it.
fn attribute(path: &Path, attr: &OsStr, value: &[u8]) -> Vec<u8> {
    let file = match path.as_os_str().as_bytes() {
        b"" => b".",
        path => path,
    };
    let mut text = b"# file: ".to_vec();
    quote(file, b"\\\n\r", &mut text);
    text.push(b'\n');
    quote(attr.as_bytes(), b"\\\n\r=", &mut text);
    text.extend(b"=0x");
    for byte in value {
        text.extend(format!("{byte:02x}").bytes());
    }
    text.push(b'\n');
    text
}

/// Writes bytes of `special` as a backslash and three octal digits.
fn quote(bytes: &[u8], special: &[u8], into: &mut Vec<u8>) {
    for byte in bytes {
        if special.contains(byte) {
            into.extend(format!("\\{byte:03o}").bytes());
        } else {
            into.push(*byte);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_dumped_with_special_characters_as_octal_numbers() {
        let text = attribute(Path::new("a\\b"), OsStr::new("user.x=y\n"), b"\x00\xff");
        assert_eq!(text, b"# file: a\\134b\nuser.x\\075y\\012=0x00ff\n");
        let text = attribute(Path::new(""), OsStr::new("user.x"), b"");
        assert_eq!(text, b"# file: .\nuser.x=0x\n");
    }
}
