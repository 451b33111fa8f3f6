//! Files that are one hole: no block depends on the file ID, so another one can be adopted.
//!
//! Programs make them by growing an empty file to its final size before they copy into it.

use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;

impl<B: Backing> CipherFile<B> {
    /// Whether the file of `size` plain bytes is a hole, but for zeros in a last partial block.
    /// The caller holds the exclusive lock.
    pub(super) fn is_hollow(&self, size: PlainOffset) -> Result<bool> {
        let Some(id) = self.id()? else {
            return Ok(true);
        };
        // The header and the beginning of block 0 share a block of the backing file system.
        let mut start = vec![0; usize::try_from(self.grain).unwrap_or(PLAIN_BLOCK)];
        let got = self.backing.read_at(&mut start, 0)?;
        let last = self.layout().block_of(size);
        let partial = !size.0.is_multiple_of(PLAIN_BLOCK as u64);
        let in_hole = if partial && last == BlockNo(0) {
            HEADER_LEN
        } else {
            got
        };
        if start[HEADER_LEN..in_hole].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        if partial && self.read_block(id, last)?.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        let holes_end = self.layout().cipher_start(last).0;
        match self.backing.seek_data(self.grain) {
            Err(Errno::NXIO) => Ok(true),
            // The last partial block begins inside a block of the backing file system.
            Ok(data) => Ok(partial && data >= holes_end - holes_end % self.grain),
            Err(_) => Ok(false),
        }
    }

    /// Gives a hollow file the ID `id`. The caller holds the exclusive lock.
    pub(super) fn become_hollow(&self, id: FileId, size: PlainOffset) -> Result<()> {
        let whole = PlainOffset(size.0 / PLAIN_BLOCK as u64 * PLAIN_BLOCK as u64);
        self.set_cipher_size(match whole {
            PlainOffset(0) => CipherOffset(0),
            whole => self.layout().cipher_size(whole),
        })?;
        self.put_header(id)?;
        if size > whole {
            self.grow(whole, size)?;
        }
        Ok(())
    }

    /// Writes the header of the file `id`.
    pub(super) fn put_header(&self, id: FileId) -> Result<()> {
        let size = self.cipher_size()?;
        self.commit(size, CipherOffset(0), &id.to_header())?;
        self.content().set_id(Some(id));
        Ok(())
    }
}
