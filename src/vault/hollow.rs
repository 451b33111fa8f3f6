//! Files that hold nothing but zeros: no block need depend on the file ID, so another one can be
//! adopted.
//!
//! Programs make them by growing an empty file to its final size before they copy into it; some,
//! qemu-img among them, write a block of zeros at the beginning first.

use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::undo::insist;

/// So many blocks of a file are looked at, and so many of them may be zeros that are no hole. The
/// blocks of the backing file system at both ends of the file are none anyhow, whatever they hold.
const LOOKS: usize = 64;
const ZEROS: usize = 4;

impl<B: Backing> CipherFile<B> {
    /// The whole blocks that are zeros and no hole, if the file of `size` plain bytes holds nothing
    /// else; `None` if it does. The caller holds the exclusive lock.
    pub(super) fn zero_blocks(&self, size: PlainOffset) -> Result<Option<Vec<BlockNo>>> {
        let Some(id) = self.id()? else {
            return Ok(Some(Vec::new()));
        };
        let last = self.layout().block_of(size);
        let is_zero = |bytes: &[u8]| bytes.iter().all(|&byte| byte == 0);
        let partial = !size.0.is_multiple_of(PLAIN_BLOCK as u64);
        if partial && !self.read_block(id, last).is_ok_and(|plain| is_zero(&plain)) {
            return Ok(None);
        }
        let mut zeros = Vec::new();
        let mut next = BlockNo(0);
        for _ in 0..LOOKS {
            let start = self.layout().cipher_start(next).0;
            let block = match self.backing.seek_data(start) {
                Ok(data) => self.layout().block_at(CipherOffset(data)),
                Err(Errno::NXIO) => last,
                Err(_) => return Ok(None),
            };
            if block >= last {
                return Ok(Some(zeros));
            }
            let stored = self.read_raw_block(block)?;
            if !is_zero(&stored) {
                let plain = self.open_block(id, block, stored);
                if zeros.len() == ZEROS || !plain.is_ok_and(|plain| is_zero(&plain)) {
                    return Ok(None);
                }
                zeros.push(block);
            }
            next = block.next();
        }
        Ok(None)
    }

    /// Gives a file of `size` plain bytes, all of them zeros, the ID `id`; in place of its blocks
    /// `zeros` it gets holes. The caller holds the exclusive lock.
    ///
    /// # Errors
    /// After an error the file has the ID that it had.
    pub(super) fn become_hollow(
        &self,
        id: FileId,
        size: PlainOffset,
        zeros: &[BlockNo],
    ) -> Result<()> {
        let old = self.id()?;
        let hole = vec![0; self.layout().cipher_block()];
        for &block in zeros {
            let start = self.layout().cipher_start(block);
            self.commit(self.cipher_size()?, start, &hole, None)?;
        }
        let slot = self.insure(0, HEADER_LEN as u64)?;
        self.put_header(id)?;
        let sealed = self.seal_last_zeros(id, size);
        let cipher_size = self.cipher_size()?;
        let at = self.layout().cipher_start(self.layout().block_of(size));
        let done = self.commit(cipher_size, at, &sealed, None);
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
        self.commit(size, CipherOffset(0), &id.to_header(), None)?;
        self.content().set_id(Some(id));
        Ok(())
    }
}
