//! Writing: whole blocks are sealed anew, partial ones are read, merged and sealed.

use std::cell::RefCell;

use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::{CipherFile, LARGEST};
use crate::vault::spare::Slot;
use crate::vault::undo::{Undo, insure};

thread_local! {
    /// Where a request is sealed: one buffer a thread, reused.
    static SEALED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that grew beyond this is given back after use.
const KEEP_CAPACITY: usize = 2 * 1024 * 1024;

impl<B: Backing> CipherFile<B> {
    /// Writes all of `data` at `at`. Bytes between the old end and `at` read as zeros.
    ///
    /// # Errors
    /// `EFBIG` beyond what a file can hold; what the backing file says. The file reads as before
    /// then, except that of a long overwrite some blocks may have been replaced.
    pub fn write(&self, at: PlainOffset, data: &[u8]) -> Result<()> {
        let _exclusive = self.content().exclude();
        self.write_locked(at, data)
    }

    /// As [`CipherFile::write`]. The caller holds the exclusive lock.
    pub(super) fn write_locked(&self, at: PlainOffset, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        self.check_end(at.0.checked_add(data.len() as u64))?;
        let old = self.plain_size()?;
        self.pad_for(at, old)?;
        let written = self.write_span(at, data);
        if written.is_err() {
            self.cut_back(old);
        }
        written
    }

    /// Takes growth back after something failed; if that fails too, what is too much is zeros. The
    /// caller holds the exclusive lock.
    pub(super) fn cut_back(&self, size: PlainOffset) {
        if self.plain_size().is_ok_and(|now| now > size) {
            let _ = self.shrink(size);
        }
    }

    /// `EFBIG` if a file cannot end at `end`.
    pub(super) fn check_end(&self, end: Option<u64>) -> Result<()> {
        match end.map(|end| self.layout().cipher_size(PlainOffset(end))) {
            Some(CipherOffset(size)) if size <= LARGEST => Ok(()),
            _ => Err(Errno::FBIG.into()),
        }
    }

    /// Fills the last block with zeros if a write at `at` leaves it behind: only a whole block
    /// may be followed by a hole. The caller holds the exclusive lock.
    pub(super) fn pad_for(&self, at: PlainOffset, size: PlainOffset) -> Result<()> {
        let used = usize::try_from(size.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        if used == 0 || self.layout().block_of(at) <= self.layout().block_of(size) {
            return Ok(());
        }
        self.write_span(size, &[0; PLAIN_BLOCK][used..])
    }

    /// Writes a range without padding. The caller holds the exclusive lock.
    pub(super) fn write_span(&self, at: PlainOffset, data: &[u8]) -> Result<()> {
        let size = self.cipher_size()?;
        SEALED.with_borrow_mut(|sealed| {
            sealed.clear();
            let result = match self.id()? {
                Some(id) => self.write_blocks(id, size, at, data, sealed),
                None => self.write_first(size, at, data, sealed),
            };
            if sealed.capacity() > KEEP_CAPACITY {
                *sealed = Vec::new();
            }
            result
        })
    }

    /// Writes within one block of a file that has the ID `id`, even if that is all it has. The
    /// caller holds the exclusive lock.
    pub(super) fn write_under(&self, id: FileId, at: PlainOffset, data: &[u8]) -> Result<()> {
        self.write_blocks(id, self.cipher_size()?, at, data, &mut Vec::new())
    }

    /// The first write of an empty file brings the header with it.
    fn write_first(
        &self,
        size: CipherOffset,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<()> {
        let id = FileId::random();
        let first = self.layout().block_of(at);
        if first == BlockNo(0) {
            sealed.extend_from_slice(&id.to_header());
            self.seal(id, at, data, sealed)?;
            self.commit(size, CipherOffset(0), sealed)?;
        } else {
            self.commit(size, CipherOffset(0), &id.to_header())?;
            let header_only = CipherOffset(HEADER_LEN as u64);
            let written = self.write_blocks(id, header_only, at, data, sealed);
            if written.is_err() {
                let _ = self.set_cipher_size(CipherOffset(0));
                return written;
            }
        }
        self.content().set_id(Some(id));
        Ok(())
    }

    fn write_blocks(
        &self,
        id: FileId,
        size: CipherOffset,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<()> {
        self.seal(id, at, data, sealed)?;
        let start = self.layout().cipher_start(self.layout().block_of(at));
        self.commit(size, start, sealed)
    }

    /// Appends the sealed blocks that hold `data` at `at` to `sealed`.
    fn seal(&self, id: FileId, at: PlainOffset, data: &[u8], sealed: &mut Vec<u8>) -> Result<()> {
        let mut at = at;
        let mut data = data;
        let skip = usize::try_from(at.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        if skip != 0 {
            let (now, rest) = data.split_at(data.len().min(PLAIN_BLOCK - skip));
            self.seal_merged(id, at, now, sealed)?;
            at.0 += now.len() as u64;
            data = rest;
        }
        let (whole, tail) = data.split_at(data.len() / PLAIN_BLOCK * PLAIN_BLOCK);
        if !whole.is_empty() {
            let first = self.layout().block_of(at);
            self.codec.seal_run(id, first, whole, sealed);
            at.0 += whole.len() as u64;
        }
        if !tail.is_empty() {
            self.seal_merged(id, at, tail, sealed)?;
        }
        Ok(())
    }

    /// Seals one block: what it holds now, overlaid with `data` at `at`.
    fn seal_merged(
        &self,
        id: FileId,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<()> {
        let block = self.layout().block_of(at);
        let start = self.layout().cipher_start(block);
        let mut plain = if start < self.cipher_size()? {
            self.read_block(id, block)?
        } else {
            Vec::new()
        };
        let from = usize::try_from(at.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        let to = from + data.len();
        if plain.len() < to {
            plain.resize(to, 0);
        }
        plain[from..to].copy_from_slice(data);
        self.codec.seal_run(id, block, &plain, sealed);
        Ok(())
    }

    /// Puts space by for getting an overwrite of a range to its end, or back, whatever happens;
    /// `None` where that needs none.
    pub(super) fn insure(&self, at: u64, len: u64) -> Result<Option<Slot<'_, B>>> {
        Ok(insure(&self.backing, self.safety, &self.spare, at, len)?)
    }

    /// Puts sealed bytes into the backing file, or leaves it as it was.
    pub(super) fn commit(&self, size: CipherOffset, at: CipherOffset, bytes: &[u8]) -> Result<()> {
        let len = bytes.len() as u64;
        let undo = Undo::prepare(&self.backing, self.safety, &self.spare, size, at, len)?;
        match self.backing.write_at(bytes, at.0) {
            Ok(()) => {
                self.content()
                    .set_size(Some(size.max(CipherOffset(at.0 + len))));
                Ok(())
            }
            Err(failed) => {
                self.content().set_size(None);
                let stop = CipherOffset(at.0 + failed.written as u64);
                let layout = self.layout();
                let block = layout.cipher_start(layout.block_at(stop))..layout.block_end(stop);
                Err(undo.apply(&self.backing, bytes, failed, block).into())
            }
        }
    }
}
