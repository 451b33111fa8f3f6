//! Holes on demand: a range becomes zeros and gives its space back.
//!
//! Whole blocks become a hole of the backing file. Of the blocks at both ends, and of a short last
//! one, only the part in the range may change: they are sealed anew, and come first, for only they
//! can fail for want of space. A hole is all or nothing for a block, so one in which the backing
//! file stopped half way is sealed as zeros.

use std::ops::Range;

use crate::format::{PLAIN_BLOCK, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::spare::Slot;
use crate::vault::undo::insist;

const BLOCK: u64 = PLAIN_BLOCK as u64;

impl<B: Backing> CipherFile<B> {
    /// Makes a range read as zeros and frees the space of the blocks that lie in it; the size
    /// stays.
    ///
    /// # Errors
    /// `EOPNOTSUPP` if the backing file system knows no holes. Every block is readable then and
    /// holds what it held, or zeros in place of it.
    pub fn punch(&self, at: PlainOffset, len: u64) -> Result<()> {
        let _exclusive = self.content().exclude();
        let end = at.0.saturating_add(len).min(self.plain_size()?.0);
        let inner = at.0.next_multiple_of(BLOCK).min(end);
        let tail = (end - end % BLOCK).max(inner);
        self.blank(at.0..inner)?;
        self.blank(tail..end)?;
        self.free(inner..tail)
    }

    /// Fills a part of a block with zeros, unless it holds nothing else.
    fn blank(&self, part: Range<u64>) -> Result<()> {
        let Some(id) = self.id()?.filter(|_| !part.is_empty()) else {
            return Ok(());
        };
        let len = usize::try_from(part.end - part.start).unwrap_or(PLAIN_BLOCK);
        let skip = usize::try_from(part.start % BLOCK).unwrap_or(0);
        let block = self.read_block(id, self.layout().block_of(PlainOffset(part.start)))?;
        if block.iter().skip(skip).take(len).all(|&byte| byte == 0) {
            return Ok(());
        }
        self.write_span(PlainOffset(part.start), &[0; PLAIN_BLOCK][..len])
            .map(drop)
    }

    /// Turns whole blocks into a hole.
    fn free(&self, blocks: Range<u64>) -> Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let [start, end] = [blocks.start, blocks.end].map(PlainOffset);
        let start = self.layout().cipher_start(self.layout().block_of(start));
        let len = self.layout().cipher_start(self.layout().block_of(end)).0 - start.0;
        // It must not fail for want of space put by: it makes space.
        let slot = self.insure(start.0, self.layout().cipher_block() as u64);
        match self.spare.punch(&self.backing, start.0, len) {
            Err(errno) if !matches!(errno, Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.finish(blocks, slot.ok().flatten())?;
                Err(errno.into())
            }
            done => Ok(done?),
        }
    }

    /// Seals those of some blocks as zeros that were left half a hole.
    fn finish(&self, blocks: Range<u64>, mut slot: Option<Slot<'_, B>>) -> Result<()> {
        let Some(id) = self.id()? else {
            return Ok(());
        };
        for at in blocks.step_by(PLAIN_BLOCK) {
            let block = self.layout().block_of(PlainOffset(at));
            if self.read_block(id, block).is_err() {
                let mut sealed = Vec::with_capacity(self.layout().cipher_block());
                self.codec
                    .seal_run(id, block, &[0; PLAIN_BLOCK], &mut sealed);
                let start = self.layout().cipher_start(block).0;
                insist(&self.backing, slot.take(), start, &sealed)?;
            }
        }
        Ok(())
    }
}
