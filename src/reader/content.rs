//! The content of a file, in large pieces and without its holes.
//!
//! Large ranges are read and decrypted by a thread of their own while the caller deals with what
//! came before.

use std::ops::Range;
use std::sync::mpsc;
use std::thread;

use super::fault::Cause;
use super::object::Object;
use crate::format::PlainOffset;
use crate::sys::{Errno, OpenFlags};
use crate::vault::{CipherFile, Error, Vault};

/// Bytes that are read and decrypted at once: whole blocks.
pub const PIECE: u64 = 1 << 20;
/// From this length on, bytes, a thread is worth its start.
const LARGE: u64 = 4 * PIECE;
/// Pieces that wait for the caller at most.
const AHEAD: usize = 2;

/// A file that is open for reading.
pub struct Content {
    file: CipherFile,
    size: u64,
    is_sparse: bool,
}

/// Why a copy ended early.
#[derive(Debug)]
pub enum Stop<E> {
    /// The file cannot be read.
    Cause(Cause),
    /// The caller has had enough.
    Caller(E),
}

impl Content {
    /// Opens the regular file `object`, without moving its access time where that is allowed.
    ///
    /// # Errors
    /// What `openat(2)` says.
    pub fn open(vault: &Vault, object: &Object) -> Result<Content, Cause> {
        let parent = object.parent().ok_or(Errno::ISDIR)?;
        let open = |flags| vault.open_file(parent, object.name(), OpenFlags::RDONLY | flags);
        let (file, stat) = match open(OpenFlags::NOATIME) {
            Err(Error::Os(Errno::PERM)) => open(OpenFlags::empty()),
            opened => opened,
        }?;
        Ok(Content {
            file,
            size: stat.size,
            is_sparse: stat.may_have_holes(),
        })
    }

    /// Plain size, bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The ranges that hold data, in ascending order; between them are holes.
    pub fn data(&self) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < self.size {
            let Some(data) = self.next_data(at) else {
                break;
            };
            ranges.push(data.clone());
            at = data.end;
        }
        ranges
    }

    fn next_data(&self, at: u64) -> Option<Range<u64>> {
        let all = at..self.size;
        if !self.is_sparse {
            return Some(all);
        }
        let start = match self.file.seek_data(PlainOffset(at)) {
            Ok(PlainOffset(start)) => start,
            Err(Error::Os(Errno::NXIO)) => return None,
            // Not known there: then everything is data.
            Err(_) => return Some(all),
        };
        let end = self.file.seek_hole(PlainOffset(start));
        let end = end.map_or(self.size, |PlainOffset(end)| end.min(self.size));
        (start < end).then_some(start..end)
    }

    /// Reads a range and hands it to `take`, piece by piece, each with its position.
    ///
    /// # Errors
    /// The first piece that cannot be read, or what `take` says.
    pub fn read<E>(
        &self,
        range: Range<u64>,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        if range.end - range.start >= LARGE {
            return self.read_ahead(range, &mut take);
        }
        let (mut at, mut buf) = (range.start, Vec::new());
        while at < range.end {
            let piece = self.piece(at, range.end, &mut buf).map_err(Stop::Cause)?;
            take(at, &piece).map_err(Stop::Caller)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn read_ahead<E>(
        &self,
        range: Range<u64>,
        take: &mut impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let (pieces, next) = mpsc::sync_channel(AHEAD);
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut at, mut buf) = (range.start, Vec::new());
                while at < range.end {
                    let piece = self.piece(at, range.end, &mut buf);
                    let len = piece.as_ref().map_or(range.end, |piece| piece.len() as u64);
                    // It fails when the caller has had enough, or was told of an error.
                    if pieces.send((at, piece)).is_err() {
                        return;
                    }
                    at = at.saturating_add(len);
                }
            });
            for (at, piece) in next {
                take(at, &piece.map_err(Stop::Cause)?).map_err(Stop::Caller)?;
            }
            Ok(())
        })
    }

    /// Reads from `at` up to the end of the piece of the file that it is in, or to `end`.
    fn piece(&self, at: u64, end: u64, buf: &mut Vec<u8>) -> Result<Vec<u8>, Cause> {
        let len = (PIECE - at % PIECE).min(end - at);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let mut read = || {
            let piece = self.file.read(PlainOffset(at), len, buf);
            piece.map(<[u8]>::to_vec)
        };
        let piece = match read() {
            // Somebody may have been writing.
            Err(Error::Corrupt { .. }) => read()?,
            piece => piece?,
        };
        if piece.len() < len {
            return Err(Cause::Cut);
        }
        Ok(piece)
    }
}
