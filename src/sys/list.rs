//! Reading a directory: a stream of entries that can be continued at any of its cookies.
//!
//! A cookie is the position that the filesystem itself gave (`d_off`), so it stays good for as long
//! as the directory is open, whatever is created or removed meanwhile.

use std::ffi::OsStr;
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
