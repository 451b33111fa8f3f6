//! Growing, shrinking, reserving and seeking: everything about the shape of a file.

use crate::format::{CipherOffset, FileId, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno, Reserve};
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;
use crate::vault::spare::Slot;
use crate::vault::undo::insist;

impl<B: Backing> CipherFile<B> {
    /// Sets the plain size: cuts off what is behind it, or grows the file with a hole.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the block that would be cut in two does not authenticate. After other
    /// errors the blocks behind that one may be gone.
    pub fn truncate(&self, size: PlainOffset) -> Result<()> {
        let _exclusive = self.content().exclude();
        self.mending(|| self.truncate_locked(size))
    }

    fn truncate_locked(&self, size: PlainOffset) -> Result<()> {
        let old = self.plain_size()?;
        if size < old {
            self.shrink(size)
        } else if size > old {
            self.grow(old, size)
        } else if size == PlainOffset(0) {
            // A header without content is an empty file: take the rest away as well.
            self.set_cipher_size(CipherOffset(0))
        } else {
            Ok(())
        }
    }

    /// Reserves space for a range, without changing what can be read.
    ///
    /// # Errors
    /// What `fallocate(2)` says.
    pub fn reserve(&self, at: PlainOffset, len: u64) -> Result<()> {
        let _exclusive = self.content().exclude();
        self.reserve_locked(at, len)
    }

    /// Reserves space for a range and grows the file to its end.
    ///
    /// # Errors
    /// What `fallocate(2)` says.
    pub fn reserve_and_grow(&self, at: PlainOffset, len: u64) -> Result<()> {
        let _exclusive = self.content().exclude();
        self.reserve_locked(at, len)?;
        let old = self.plain_size()?;
        let end = PlainOffset(at.0.saturating_add(len));
        if end > old {
            self.grow(old, end)?;
        }
        Ok(())
    }

    /// The next data at or after `at`, as far as the backing file system knows.
    ///
    /// # Errors
    /// `ENXIO` at the end of the file and where only a hole follows.
    pub fn seek_data(&self, at: PlainOffset) -> Result<PlainOffset> {
        let _shared = self.content().share();
        let size = self.plain_size()?;
        if at >= size {
            return Err(Errno::NXIO.into());
        }
        let start = self.block_start(at);
        let found = CipherOffset(self.backing.seek_data(start.0)?);
        match self.next_block_at(at, start, found) {
            position if position >= size => Err(Errno::NXIO.into()),
            position => Ok(position),
        }
    }

    /// The next hole at or after `at`; the end of the file counts as one.
    ///
    /// # Errors
    /// `ENXIO` at the end of the file.
    pub fn seek_hole(&self, at: PlainOffset) -> Result<PlainOffset> {
        let _shared = self.content().share();
        let size = self.plain_size()?;
        if at >= size {
            return Err(Errno::NXIO.into());
        }
        let start = self.block_start(at);
        let found = CipherOffset(self.backing.seek_hole(start.0)?);
        Ok(self.next_block_at(at, start, found).min(size))
    }

    fn block_start(&self, at: PlainOffset) -> CipherOffset {
        self.layout().cipher_start(self.layout().block_of(at))
    }

    /// Translates an answer of the backing file: data and holes of the backing file begin in the
    /// middle of blocks, and what counts is the next block that begins behind.
    fn next_block_at(
        &self,
        at: PlainOffset,
        start: CipherOffset,
        found: CipherOffset,
    ) -> PlainOffset {
        if found <= start {
            return at;
        }
        let block = self.layout().block_at(found);
        if self.layout().cipher_start(block) == found {
            return self.layout().plain_start(block);
        }
        PlainOffset(
            self.layout()
                .plain_start(block)
                .0
                .saturating_add(PLAIN_BLOCK as u64),
        )
    }

    /// Cuts the file off at `size`, which is below the old size. The caller holds the exclusive
    /// lock.
    ///
    /// The blocks behind are cut off first, so that the block that is cut in two is the last one
    /// when it is sealed anew in place: a crash before the file is cut to its new end leaves a state
    /// that is mended (see `cut`).
    pub(super) fn shrink(&self, size: PlainOffset) -> Result<()> {
        let layout = self.layout();
        let keep = usize::try_from(size.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        if keep == 0 {
            return self.set_cipher_size(layout.cipher_size(size));
        }
        let Some(id) = self.id()? else {
            return Err(Errno::IO.into());
        };
        let block = layout.block_of(size);
        let start = layout.cipher_start(block);
        let stored = self.read_raw_block(block)?;
        let mut plain = self.open_block(id, block, stored.clone())?;
        plain.truncate(keep);
        let mut sealed = Vec::with_capacity(layout.cipher_block());
        self.codec.seal_run(id, block, &plain, &mut sealed);
        let end = CipherOffset(start.0 + stored.len() as u64);
        if self.cipher_size()? > end {
            self.set_cipher_size(end)?;
        }
        // Cutting must not fail for want of it: it makes space.
        let mut slot = self.insure(start.0, sealed.len() as u64).ok().flatten();
        self.commit(end, start, &sealed, None)
            .or_else(|error| self.press_in(error, start, &sealed, slot.take()))?;
        let cut = self.set_cipher_size(layout.cipher_size(size));
        if cut.is_err() {
            let old = &stored[..sealed.len()];
            let _ = insist(&self.backing, slot, start.0, old);
        }
        cut
    }

    /// Puts a sealed block in place after all if there was no space for it, with what was put by.
    fn press_in(
        &self,
        error: Error,
        start: CipherOffset,
        sealed: &[u8],
        slot: Option<Slot<'_, B>>,
    ) -> Result<()> {
        match (&error, slot) {
            (Error::Os(Errno::NOSPC | Errno::DQUOT), Some(slot)) => {
                slot.put(&self.backing, start.0, sealed).map_err(|_| error)
            }
            _ => Err(error),
        }
    }

    /// Grows the file from `old` to `size` bytes of plain size. The caller holds the exclusive
    /// lock.
    pub(super) fn grow(&self, old: PlainOffset, size: PlainOffset) -> Result<()> {
        self.check_end(Some(size.0))?;
        let layout = self.layout();
        let last = PlainOffset(size.0 - 1);
        let same_block =
            old.0 > 0 && layout.block_of(PlainOffset(old.0 - 1)) == layout.block_of(last);
        if same_block {
            return self.write_span(last, &[0]).map(drop);
        }
        self.pad_for(last, old)?;
        let grown = if size.0.is_multiple_of(PLAIN_BLOCK as u64) {
            self.ensure_header()
                .and_then(|()| self.set_cipher_size(layout.cipher_size(size)))
        } else {
            self.write_span(last, &[0]).map(drop)
        };
        if grown.is_err() && old == PlainOffset(0) {
            let _ = self.set_cipher_size(CipherOffset(0));
        } else if grown.is_err() {
            self.cut_back(old);
        }
        grown
    }

    /// Writes a header into an empty file, which is about to become a hole.
    fn ensure_header(&self) -> Result<()> {
        if self.id()?.is_some() {
            return Ok(());
        }
        self.put_header(FileId::random())
    }

    fn reserve_locked(&self, at: PlainOffset, len: u64) -> Result<()> {
        if len == 0 {
            return Err(Errno::INVAL.into());
        }
        let start = self.block_start(at);
        let end = self
            .layout()
            .cipher_size(PlainOffset(at.0.saturating_add(len)));
        let bytes = end.0.saturating_sub(start.0);
        Ok(self.backing.reserve(start.0, bytes, Reserve::KeepSize)?)
    }

    /// Sets the size of the backing file. The caller holds the exclusive lock.
    pub(super) fn set_cipher_size(&self, size: CipherOffset) -> Result<()> {
        self.content().set_size(None);
        self.spare.set_len(&self.backing, size.0)?;
        self.content().set_size(Some(size));
        if size == CipherOffset(0) {
            self.content().set_id(None);
        }
        Ok(())
    }
}
