//! An export to an archive. Its members have their sizes in front, so a file is only begun when
//! it is known that all of it can be read: large ones are read twice.

use super::header::{BLOCK, Headers, map, pad};
use super::watch::Watch;
use super::{Item, Refusal, Target, unusable};
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::paths;
use crate::reader::{Content, PIECE, Stop};
use crate::sys::{Dir, OpenFlags};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tar::EntryType;

/// Files up to this size, bytes, are read as a whole.
const SMALL: u64 = PIECE;

/// The archive that is being written.
pub(super) struct Archive {
    to: Box<dyn Write>,
    /// How the user calls it.
    shown: PathBuf,
}

/// Refuses to write an archive to a terminal.
pub(super) fn check_stdout() -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        let failure = Failure::usage("An archive is not for a terminal.");
        return Err(failure.advise("gocryptfs export CIPHERDIR - | tar -x -C DIR"));
    }
    Ok(())
}

impl Archive {
    /// Stdout.
    pub(super) fn stdout() -> Archive {
        Archive {
            to: Box::new(BufWriter::new(io::stdout().lock())),
            shown: PathBuf::from("stdout"),
        }
    }

    /// A new file.
    ///
    /// # Errors
    /// There is such a file already.
    pub(super) fn at(path: &Path) -> Result<Archive, Failure> {
        let shown = paths::absolute(path)?;
        let file = Dir::open_above(&shown).and_then(|(dir, name)| {
            let file = dir.create_file(&name, OpenFlags::WRONLY, 0o600)?;
            file.as_fd()
                .try_clone_to_owned()
                .map_err(|_| crate::sys::Errno::MFILE)
        });
        let file = file.map_err(|errno| unusable(&shown, errno))?;
        Ok(Archive {
            to: Box::new(BufWriter::new(std::fs::File::from(file))),
            shown,
        })
    }

    /// The result of a write. If nobody reads any more, there is nobody to be told.
    fn written<T>(&self, result: io::Result<T>) -> Result<T, Failure> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(ExitCode::Other, ""),
            _ => unusable(&self.shown, error),
        })
    }

    /// Writes an object without content.
    fn put(&mut self, headers: Headers<'_>) -> Result<(), Refusal> {
        let written = headers.write(&mut self.to);
        Ok(self.written(written)?)
    }

    fn begin_file(&mut self, item: &Item, data: &[Range<u64>], size: u64) -> Result<u64, Refusal> {
        let path = item.path.as_os_str().as_bytes();
        let stored: u64 = data.iter().map(|range| range.end - range.start).sum();
        if stored == size {
            let mut headers = Headers::new(item, EntryType::Regular, path);
            headers.set_size(size);
            self.put(headers)?;
            return Ok(stored);
        }
        let map = map(data, size);
        let mut headers = Headers::new(item, EntryType::Regular, b"GNUSparseFile.0/x");
        headers.set_sparse(path, size);
        headers.set_size(map.len() as u64 + stored);
        self.put(headers)?;
        let written = self.to.write_all(&map);
        self.written(written)?;
        Ok(stored)
    }

    fn end_file(&mut self, stored: u64) -> Result<(), Refusal> {
        let padded = pad(stored, &mut self.to);
        Ok(self.written(padded)?)
    }

    fn small_file(
        &mut self,
        item: &Item,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal> {
        let data = content.data();
        let mut bytes = Vec::new();
        for range in data.iter().cloned() {
            content.read(range, |_, piece| {
                bytes.extend_from_slice(piece);
                watch.add(piece.len())
            })?;
        }
        let stored = self.begin_file(item, &data, content.size())?;
        let written = self.to.write_all(&bytes);
        self.written(written)?;
        self.end_file(stored)
    }

    fn large_file(
        &mut self,
        item: &Item,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal> {
        let data = content.data();
        for range in data.iter().cloned() {
            content.read(range, |_, _| watch.look())?;
        }
        let stored = self.begin_file(item, &data, content.size())?;
        let mut left = stored;
        let mut copy = || {
            data.iter().cloned().try_for_each(|range| {
                content.read(range, |_, piece| {
                    let written = self.to.write_all(piece);
                    self.written(written)?;
                    left -= piece.len() as u64;
                    watch.add(piece.len())
                })
            })
        };
        let refusal = match copy() {
            Ok(()) => return self.end_file(stored),
            Err(Stop::Caller(failure)) => return Err(failure.into()),
            // Somebody has damaged it since it was looked at.
            Err(Stop::Cause(cause)) => {
                let reason = format!("{cause}; it ends in zeros in the archive");
                Refusal::Unkept("read all of", reason)
            }
        };
        let padding = io::copy(&mut io::Read::take(io::repeat(0), left), &mut self.to);
        self.written(padding)?;
        self.end_file(stored)?;
        Err(refusal)
    }
}

impl Target for Archive {
    fn enter(&mut self, item: &Item) -> Result<(), Refusal> {
        let mut path = item.path.as_os_str().as_bytes().to_vec();
        if path.is_empty() {
            path.push(b'.');
        }
        path.push(b'/');
        self.put(Headers::new(item, EntryType::Directory, &path))
    }

    fn leave(&mut self, _item: &Item) -> Result<(), Refusal> {
        Ok(())
    }

    fn link(&mut self, item: &Item, first: &Path) -> Result<(), Refusal> {
        let mut headers = Headers::new(item, EntryType::Link, item.path.as_os_str().as_bytes());
        headers.set_target(first.as_os_str().as_bytes());
        self.put(headers)
    }

    fn symlink(&mut self, item: &Item, target: &[u8]) -> Result<(), Refusal> {
        let path = item.path.as_os_str().as_bytes();
        let mut headers = Headers::new(item, EntryType::Symlink, path);
        headers.set_target(target);
        self.put(headers)
    }

    fn special(&mut self, item: &Item) -> Result<(), Refusal> {
        use crate::sys::Kind;
        let stat = &item.object.stat;
        let kind = match stat.kind() {
            Kind::Fifo => EntryType::Fifo,
            Kind::CharDevice => EntryType::Char,
            Kind::BlockDevice => EntryType::Block,
            _ => {
                let reason = "an archive holds no sockets".to_owned();
                return Err(Refusal::Unkept("export", reason));
            }
        };
        let mut headers = Headers::new(item, kind, item.path.as_os_str().as_bytes());
        let set = headers.set_device(stat.rdev);
        self.written(set)?;
        self.put(headers)
    }

    fn file(
        &mut self,
        item: &Item,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal> {
        if content.size() <= SMALL {
            self.small_file(item, content, watch)
        } else {
            self.large_file(item, content, watch)
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let end = [0; 2 * BLOCK];
        let ended = self.to.write_all(&end).and_then(|()| self.to.flush());
        self.written(ended)
    }
}
