//! Writing: whole blocks are sealed anew, partial ones are read, merged and sealed.

use std::cell::RefCell;

use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::{CipherFile, LARGEST};
use crate::vault::open::Written;
use crate::vault::spare::Slot;
use crate::vault::undo::{Undo, insure};

thread_local! {
    /// Where a request is sealed: one buffer a thread, reused.
    static SEALED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that grew beyond this is given back after use.
const KEEP_CAPACITY: usize = 2 * 1024 * 1024;

/// A block in which a write begins or ends.
struct Merged {
    no: BlockNo,
    /// Its plain bytes now.
    plain: Vec<u8>,
    /// How it was stored before, if it was.
    old: Option<Vec<u8>>,
}

impl<B: Backing> CipherFile<B> {
    /// Writes all of `data` at `at`. Bytes between the old end and `at` read as zeros.
    ///
    /// # Errors
    /// `EFBIG` beyond what a file can hold; what the backing file says. The file reads as before
    /// then, except that of a long overwrite some blocks may have been replaced.
    pub fn write(&self, at: PlainOffset, data: &[u8]) -> Result<()> {
        let _exclusive = self.content().exclude_to_write();
        let written = self.mending(|| self.write_locked(at, data))?;
        self.content().set_written(written);
        Ok(())
    }

    /// As [`CipherFile::write`]. The caller holds the exclusive lock.
    pub(super) fn write_locked(&self, at: PlainOffset, data: &[u8]) -> Result<Option<Written>> {
        if data.is_empty() {
            return Ok(None);
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
        self.write_span(size, &[0; PLAIN_BLOCK][used..]).map(drop)
    }

    /// Writes a range without padding. Returns the last block that it touches if it begins or ends
    /// within that. The caller holds the exclusive lock.
    pub(super) fn write_span(&self, at: PlainOffset, data: &[u8]) -> Result<Option<Written>> {
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
        let size = self.cipher_size()?;
        self.write_blocks(id, size, at, data, &mut Vec::new())
            .map(drop)
    }

    /// The first write of an empty file brings the header with it.
    fn write_first(
        &self,
        size: CipherOffset,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<Option<Written>> {
        let id = FileId::random();
        let first = self.layout().block_of(at);
        let written = if first == BlockNo(0) {
            sealed.extend_from_slice(&id.to_header());
            let (_, last) = self.seal(id, at, data, sealed)?;
            self.commit(size, CipherOffset(0), sealed, None)?;
            last.map(|last| self.written(last, sealed))
        } else {
            self.commit(size, CipherOffset(0), &id.to_header(), None)?;
            let header_only = CipherOffset(HEADER_LEN as u64);
            let written = self.write_blocks(id, header_only, at, data, sealed);
            if written.is_err() {
                let _ = self.set_cipher_size(CipherOffset(0));
            }
            written?
        };
        self.content().set_id(Some(id));
        Ok(written)
    }

    fn write_blocks(
        &self,
        id: FileId,
        size: CipherOffset,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<Option<Written>> {
        let (old, last) = self.seal(id, at, data, sealed)?;
        let start = self.layout().cipher_start(self.layout().block_of(at));
        self.commit(size, start, sealed, old)?;
        Ok(last.map(|last| self.written(last, sealed)))
    }

    /// A block as it is now: the last one of `sealed`.
    fn written(&self, block: Merged, sealed: &[u8]) -> Written {
        let len = block.plain.len() + self.layout().overhead();
        Written {
            no: block.no,
            plain: block.plain,
            stored: sealed[sealed.len() - len..].to_vec(),
        }
    }

    /// Appends the sealed blocks that hold `data` at `at` to `sealed`. Returns how the first one
    /// was stored before, and the last one, where `data` begins or ends within them.
    fn seal(
        &self,
        id: FileId,
        at: PlainOffset,
        data: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(Option<Vec<u8>>, Option<Merged>)> {
        let mut at = at;
        let mut data = data;
        let (mut old, mut last) = (None, None);
        let mut known = self.content().take_written();
        let skip = usize::try_from(at.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        if skip != 0 {
            let (now, rest) = data.split_at(data.len().min(PLAIN_BLOCK - skip));
            let mut first = self.seal_merged(id, at, now, known.take(), sealed)?;
            old = first.old.take();
            last = Some(first);
            at.0 += now.len() as u64;
            data = rest;
        }
        let (whole, tail) = data.split_at(data.len() / PLAIN_BLOCK * PLAIN_BLOCK);
        if !whole.is_empty() {
            let first = self.layout().block_of(at);
            self.codec.seal_run(id, first, whole, sealed);
            at.0 += whole.len() as u64;
            last = None;
        }
        if !tail.is_empty() {
            let mut end = self.seal_merged(id, at, tail, known.take(), sealed)?;
            if skip == 0 && whole.is_empty() {
                old = end.old.take();
            }
            last = Some(end);
        }
        Ok((old, last))
    }

    /// Seals one block: what it holds now, which may be known, overlaid with `data` at `at`.
    fn seal_merged(
        &self,
        id: FileId,
        at: PlainOffset,
        data: &[u8],
        known: Option<Written>,
        sealed: &mut Vec<u8>,
    ) -> Result<Merged> {
        let no = self.layout().block_of(at);
        let (mut plain, old) = match known.filter(|known| known.no == no) {
            Some(known) => (known.plain, Some(known.stored)),
            None => self.block_before(id, no)?,
        };
        let from = usize::try_from(at.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        let to = from + data.len();
        if plain.len() < to {
            plain.resize(to, 0);
        }
        plain[from..to].copy_from_slice(data);
        self.codec.seal_run(id, no, &plain, sealed);
        Ok(Merged { no, plain, old })
    }

    /// A block that is about to be overwritten: its plain bytes, and how it is stored if it is.
    fn block_before(&self, id: FileId, no: BlockNo) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
        if self.layout().cipher_start(no) >= self.cipher_size()? {
            return Ok((Vec::new(), None));
        }
        let stored = self.read_raw_block(no)?;
        Ok((self.open_block(id, no, stored.clone())?, Some(stored)))
    }

    /// Puts space by for getting an overwrite of a range to its end, or back, whatever happens;
    /// `None` where that needs none.
    pub(super) fn insure(&self, at: u64, len: u64) -> Result<Option<Slot<'_, B>>> {
        Ok(insure(&self.backing, self.safety, &self.spare, at, len)?)
    }

    /// Puts sealed bytes into the backing file, or leaves it as it was. What they overwrite is
    /// `old`, or is looked up where that is not known.
    pub(super) fn commit(
        &self,
        size: CipherOffset,
        at: CipherOffset,
        bytes: &[u8],
        old: Option<Vec<u8>>,
    ) -> Result<()> {
        let len = bytes.len() as u64;
        let target = (&self.backing, self.safety, &*self.spare);
        let undo = Undo::prepare(target, size, at, len, old)?;
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
