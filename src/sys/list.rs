//! Reading a directory: a stream of entries that can be continued at any of its cookies.
//!
//! A cookie is the position that the filesystem itself gave (`d_off`), so it stays good for as long
//! as the directory is open, whatever is created or removed meanwhile.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, RawDir, SeekFrom};
use rustix::io::retry_on_intr;

use super::{Backing, Dir, Errno, File, Kind, Result, Stat};

/// Bytes asked for by one `getdents64(2)`.
const CHUNK: usize = 64 * 1024;

/// One entry of a directory, `.` and `..` included.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name.
    pub name: &'a OsStr,
    /// Inode number.
    pub ino: u64,
    /// Type, if the filesystem tells.
    pub kind: Kind,
    /// The cookie to continue after this entry.
    pub next: u64,
}

impl Entry<'_> {
    /// Whether this is `.` or `..`.
    pub fn is_dots(&self) -> bool {
        self.name == "." || self.name == ".."
    }
}

impl Dir {
    /// The names of all entries but `.` and `..`.
    pub fn names(&self) -> Result<Vec<OsString>> {
        let mut stream = DirStream::open(self)?;
        let mut names = Vec::new();
        while let Some(entry) = stream.next_entry() {
            let entry = entry?;
            if !entry.is_dots() {
                names.push(entry.name.to_owned());
            }
        }
        Ok(names)
    }

    /// Whether there are no entries but `.` and `..`.
    pub fn is_empty(&self) -> Result<bool> {
        let mut stream = DirStream::open(self)?;
        while let Some(entry) = stream.next_entry() {
            if !entry?.is_dots() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// An entry read ahead; `name` is its place in [`DirStream::names`].
struct Pending {
    name: Range<usize>,
    ino: u64,
    kind: Kind,
    next: u64,
}

/// An open directory that is being read.
pub struct DirStream {
    file: File,
    names: Vec<u8>,
    pending: Vec<Pending>,
    /// How many of `pending` have been handed out.
    taken: usize,
}

impl DirStream {
    /// Opens a directory for reading. `EACCES` if it is not readable.
    pub fn open(dir: &Dir) -> Result<DirStream> {
        Ok(DirStream {
            file: dir.reopen()?,
            names: Vec::new(),
            pending: Vec::new(),
            taken: 0,
        })
    }

    /// The next entry, `None` at the end. After an error the next call tries again.
    pub fn next_entry(&mut self) -> Option<Result<Entry<'_>>> {
        if self.taken == self.pending.len()
            && let Err(errno) = self.fill()
        {
            return Some(Err(errno));
        }
        let entry = self.pending.get(self.taken)?;
        self.taken += 1;
        Some(Ok(Entry {
            name: OsStr::from_bytes(&self.names[entry.name.clone()]),
            ino: entry.ino,
            kind: entry.kind,
            next: entry.next,
        }))
    }

    /// Continues at a cookie; 0 starts again and shows what has changed.
    pub fn seek(&mut self, cookie: u64) -> Result<()> {
        // The usual caller had no room for the last entries and comes back for them.
        let read_ahead = self.pending[..self.taken]
            .iter()
            .rposition(|entry| entry.next == cookie);
        if let Some(last) = read_ahead {
            self.taken = last + 1;
            return Ok(());
        }
        self.forget();
        retry_on_intr(|| fs::seek(&self.file, SeekFrom::Start(cookie))).map(|_| ())
    }

    /// Metadata of the directory.
    pub fn stat(&self) -> Result<Stat> {
        self.file.stat()
    }

    /// Makes the entries durable.
    pub fn sync(&self, data_only: bool) -> Result<()> {
        self.file.sync(data_only)
    }

    fn forget(&mut self) {
        self.names.clear();
        self.pending.clear();
        self.taken = 0;
    }

    /// Reads the next chunk; nothing is pending afterwards at the end of the directory.
    fn fill(&mut self) -> Result<()> {
        self.forget();
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut raw = RawDir::new(&self.file, chunk.spare_capacity_mut());
        loop {
            match raw.next() {
                Some(Ok(entry)) => {
                    let start = self.names.len();
                    self.names.extend_from_slice(entry.file_name().to_bytes());
                    self.pending.push(Pending {
                        name: start..self.names.len(),
                        ino: entry.ino(),
                        kind: entry.file_type().into(),
                        next: entry.next_entry_cookie(),
                    });
                }
                Some(Err(Errno::INTR)) => continue,
                // A directory that has been removed while open has no entries any more.
                None | Some(Err(Errno::NOENT)) => return Ok(()),
                Some(Err(errno)) => return Err(errno),
            }
            if raw.is_buffer_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Scratch, name};

    /// Names and cookies from here to the end.
    fn rest(stream: &mut DirStream) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        while let Some(entry) = stream.next_entry() {
            let entry = entry.unwrap();
            all.push((entry.name.to_str().unwrap().to_owned(), entry.next));
        }
        all
    }

    /// More than one chunk of entries.
    fn crowded() -> Scratch {
        let scratch = Scratch::new();
        for n in 0..3000 {
            let entry = format!("{n}-{}", "x".repeat(100));
            scratch.dir.mknod(name(&entry), libc::S_IFIFO, 0).unwrap();
        }
        scratch
    }

    #[test]
    fn every_entry_is_listed_once() {
        let scratch = crowded();
        let mut stream = DirStream::open(&scratch.dir).unwrap();
        let mut names: Vec<_> = rest(&mut stream)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert!(stream.next_entry().is_none());
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 3002);
        assert_eq!(names[..2], [".", ".."]);
    }

    #[test]
    fn the_stream_continues_after_any_entry() {
        let scratch = crowded();
        let mut stream = DirStream::open(&scratch.dir).unwrap();
        let all = rest(&mut stream);
        for at in [0, 1, 700, 1500, 2999, 3000, 3001] {
            stream.seek(all[at].1).unwrap();
            assert_eq!(rest(&mut stream), all[at + 1..]);
        }
    }

    #[test]
    fn what_was_read_ahead_is_handed_out_again() {
        let scratch = crowded();
        let mut stream = DirStream::open(&scratch.dir).unwrap();
        let first = stream.next_entry().unwrap().unwrap().next;
        let second = stream.next_entry().unwrap().unwrap().ino;
        stream.next_entry();
        stream.seek(first).unwrap();
        assert_eq!(stream.next_entry().unwrap().unwrap().ino, second);
    }

    #[test]
    fn a_rewound_stream_shows_what_is_new() {
        let scratch = Scratch::new();
        let mut stream = DirStream::open(&scratch.dir).unwrap();
        assert_eq!(rest(&mut stream).len(), 2);
        scratch.dir.mkdir(name("new"), 0o700).unwrap();
        stream.seek(0).unwrap();
        assert_eq!(rest(&mut stream).len(), 3);
    }

    #[test]
    fn a_removed_directory_has_no_entries() {
        let scratch = Scratch::new();
        scratch.dir.mkdir(name("d"), 0o700).unwrap();
        let dir = scratch.dir.open_dir(name("d")).unwrap();
        let mut stream = DirStream::open(&dir).unwrap();
        scratch.dir.rmdir(name("d")).unwrap();
        assert!(stream.next_entry().is_none());
        assert_eq!(stream.stat().unwrap().nlink, 0);
        stream.sync(false).unwrap();
    }

    #[test]
    fn the_type_of_an_entry_is_told() {
        let scratch = Scratch::new();
        scratch.dir.symlink(name("x"), name("link")).unwrap();
        let mut stream = DirStream::open(&scratch.dir).unwrap();
        while let Some(entry) = stream.next_entry() {
            let entry = entry.unwrap();
            let expected = if entry.name == "link" {
                Kind::Symlink
            } else {
                Kind::Dir
            };
            assert!(entry.kind == expected || entry.kind == Kind::Unknown);
        }
    }
}
