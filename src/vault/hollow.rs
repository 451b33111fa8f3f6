//! Files that are one hole: no block depends on the file ID, so another one can be adopted.
//!
//! Programs make them by growing an empty file to its final size before they copy into it.

use crate::format::{CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::undo::insist;

impl<B: Backing> CipherFile<B> {
    /// Whether the file of `size` plain bytes is a hole, but for zeros in a last partial block.
    /// The caller holds the exclusive lock.
    pub(super) fn is_hollow(&self, size: PlainOffset) -> Result<bool> {
        let Some(id) = self.id()? else {
            return Ok(true);
        };
        let last = self.layout().block_of(size);
        let partial = !size.0.is_multiple_of(PLAIN_BLOCK as u64);
        let zeros = |plain: Vec<u8>| plain.iter().all(|&byte| byte == 0);
        if partial && !self.read_block(id, last).is_ok_and(zeros) {
            return Ok(false);
        }
        // The header shares its block of the backing file system with what follows, and so may
        // the last partial block with what precedes it.
        let end = self.layout().cipher_start(last).0;
        let seen = end - end % self.reflinks.grain;
        let in_between = match self.backing.seek_data(self.reflinks.grain) {
            Err(Errno::NXIO) => false,
            found => found? < seen,
        };
        let header = HEADER_LEN as u64;
        Ok(!in_between
            && self.is_zero(header, end.min(self.reflinks.grain))?
            && self.is_zero(seen.max(header), end)?)
    }

    /// Whether a short range of the backing file is all zeros.
    fn is_zero(&self, start: u64, end: u64) -> Result<bool> {
        let len = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len];
        let got = self.backing.read_at(&mut bytes, start)?;
        Ok(bytes[..got].iter().all(|&byte| byte == 0))
    }

    /// Gives a hollow file of `size` plain bytes the ID `id`. The caller holds the exclusive lock.
    ///
    /// # Errors
    /// After an error the file has the ID that it had.
    pub(super) fn become_hollow(&self, id: FileId, size: PlainOffset) -> Result<()> {
        let old = self.id()?;
        let slot = self.insure(0, HEADER_LEN as u64)?;
        self.put_header(id)?;
        let sealed = self.seal_last_zeros(id, size);
        let cipher_size = self.cipher_size()?;
        let at = self.layout().cipher_start(self.layout().block_of(size));
        let done = self.commit(cipher_size, at, &sealed);
        if let (Err(_), Some(old)) = (&done, old) {
            self.content().set_id(None);
            insist(&self.backing, slot, 0, &old.to_header())?;
        }
        done
    }

    /// The last partial block of a hollow file, which is empty if there is none.
    fn seal_last_zeros(&self, id: FileId, size: PlainOffset) -> Vec<u8> {
        let zeros = usize::try_from(size.0 % PLAIN_BLOCK as u64).unwrap_or(0);
        let mut sealed = Vec::new();
        if zeros > 0 {
            let last = self.layout().block_of(size);
            self.codec.seal_run(id, last, &vec![0; zeros], &mut sealed);
        }
        sealed
    }

    /// Writes the header of the file `id`.
    pub(super) fn put_header(&self, id: FileId) -> Result<()> {
        let size = self.cipher_size()?;
        self.commit(size, CipherOffset(0), &id.to_header())?;
        self.content().set_id(Some(id));
        Ok(())
    }
}
