//! Cloning cipher blocks: the target shares the storage of the source.
//!
//! No block begins on a block of the backing file system, so both ends of a range lie inside one.
//! Where source and target hold the same bytes in the rest of such a block it is cloned as a
//! whole; otherwise the blocks at that end are copied as they are.
//!
//! Invariant: a target that shall keep something gets the bytes at both ends before the clone, as
//! whole blocks, since that can run out of space; what can fail afterwards is the clone alone.

use crate::format::{BlockNo, CipherOffset, FileId};
use crate::sys::{Backing, Errno};
use crate::vault::copy::{CloneRule, Copied, NotCloned};
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;
use crate::vault::plan::{Adopt, ClonePlan, Shape};

/// A range of cipher bytes, and the files around it.
struct Extent {
    start: u64,
    end: u64,
    source_len: u64,
    target_len: u64,
    /// The target has nothing to keep, and ends within the range.
    replacing: bool,
}

impl<B: Backing> CipherFile<B> {
    /// Carries out a plan. The caller holds both locks.
    pub(super) fn clone_blocks(
        &self,
        source: &CipherFile<B>,
        plan: &ClonePlan,
        rule: CloneRule,
    ) -> core::result::Result<Copied, NotCloned> {
        let Some(id) = source.id()? else {
            return Err(NotCloned::Impossible);
        };
        let before = self.shape()?;
        if plan.adopt == Adopt::IntoHollow && !self.is_hollow(before.size)? {
            return Err(NotCloned::Impossible);
        }
        let copied = self
            .adopt(id, plan, before)
            .map_err(NotCloned::from)
            .and_then(|()| self.share(source, plan, rule));
        self.content().set_size(None);
        let copied = copied.map_err(|reason| self.abandon(source, plan, before, reason))?;
        self.content().set_id(Some(id));
        self.seal_ends(source, plan)?;
        let blocks = plan.tail.start.0 - plan.head.end.0;
        Ok(Copied {
            bytes: plan.len(),
            shared: blocks.saturating_sub(copied),
        })
    }

    /// Makes the target ready to hold blocks of the file `id`.
    fn adopt(&self, id: FileId, plan: &ClonePlan, before: Shape) -> Result<()> {
        let first = self.layout().plain_start(plan.blocks.start);
        match plan.adopt {
            Adopt::Replacing => Ok(()),
            Adopt::IntoEmpty => {
                self.set_cipher_size(CipherOffset(0))?;
                // With block 0 the header comes along.
                if plan.blocks.start == BlockNo(0) {
                    return Ok(());
                }
                self.put_header(id)
            }
            Adopt::Shared => self.pad_for(first, before.size),
            Adopt::IntoHollow => {
                self.become_hollow(id, before.size)?;
                self.pad_for(first, before.size)
            }
        }
    }

    /// Clones the whole blocks of a plan; returns how many bytes were copied instead.
    fn share(
        &self,
        source: &CipherFile<B>,
        plan: &ClonePlan,
        rule: CloneRule,
    ) -> core::result::Result<u64, NotCloned> {
        let extent = self.extent(source, plan)?;
        let from = self.start_of_clone(source, &extent)?;
        let to = self.end_of_clone(source, &extent)?;
        if from >= to {
            if rule == CloneRule::Strict {
                return Err(NotCloned::Impossible);
            }
            self.copy_raw(source, extent.start, extent.end)?;
            return Ok(extent.end - extent.start);
        }
        let layout = self.layout();
        if extent.start < from {
            let next = layout.block_at(CipherOffset(from)).next();
            let end = layout.cipher_start(next).0.min(extent.end);
            self.copy_raw(source, extent.start, end)?;
        }
        if to < extent.end {
            let start = layout.cipher_start(layout.block_at(CipherOffset(to))).0;
            self.copy_raw(source, start, extent.end)?;
        }
        self.backing
            .clone_range(&source.backing, from, to - from, from)?;
        if extent.replacing && to > extent.end {
            self.backing.set_len(extent.end)?;
        }
        Ok(from.saturating_sub(extent.start) + extent.end.saturating_sub(to))
    }

    fn extent(&self, source: &CipherFile<B>, plan: &ClonePlan) -> Result<Extent> {
        let layout = self.layout();
        let source_len = source.cipher_size()?.0;
        let with_header = plan.blocks.start == BlockNo(0) && plan.adopt != Adopt::Shared;
        Ok(Extent {
            start: if with_header {
                0
            } else {
                layout.cipher_start(plan.blocks.start).0
            },
            end: if plan.to_end {
                source_len
            } else {
                layout.cipher_start(plan.blocks.end).0
            },
            source_len,
            target_len: self.backing.len()?,
            replacing: with_header && plan.adopt != Adopt::IntoHollow,
        })
    }

    /// Where the clone begins: if behind the beginning of the range, the bytes before it have to
    /// be copied.
    fn start_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<u64> {
        let down = extent.start - extent.start % self.grain;
        if down == extent.start || self.same_bytes(source, down, extent.start)? {
            return Ok(down);
        }
        Ok(down + self.grain)
    }

    /// Where the clone ends: if before the end of the range, the bytes behind it have to be
    /// copied.
    fn end_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<u64> {
        let end = extent.end;
        let down = end - end % self.grain;
        if down == end || (end == extent.source_len && extent.target_len <= end) {
            return Ok(end);
        }
        let up = (down + self.grain).min(extent.source_len);
        // A clone may end inside a block only where both files end.
        let possible = up.is_multiple_of(self.grain) || extent.target_len <= up;
        let harmless =
            extent.replacing || (extent.target_len >= up && self.same_bytes(source, end, up)?);
        Ok(if possible && harmless { up } else { down })
    }

    /// Whether both files hold the same cipher bytes in a range; behind the end they are zero.
    fn same_bytes(&self, source: &CipherFile<B>, start: u64, end: u64) -> Result<bool> {
        let len = usize::try_from(end - start).unwrap_or(usize::MAX);
        let (mut ours, mut theirs) = (vec![0; len], vec![0; len]);
        self.backing.read_at(&mut ours, start)?;
        source.backing.read_at(&mut theirs, start)?;
        Ok(ours == theirs)
    }

    /// Copies cipher bytes as they are: valid between files of one ID at the same place.
    fn copy_raw(&self, source: &CipherFile<B>, start: u64, end: u64) -> Result<()> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        let got = source.backing.read_at(&mut bytes, start)?;
        bytes.truncate(got);
        let size = CipherOffset(self.backing.len()?);
        self.commit(size, CipherOffset(start), &bytes)
    }

    /// Puts the target into a readable state after a clone failed; returns the reason.
    fn abandon(
        &self,
        source: &CipherFile<B>,
        plan: &ClonePlan,
        before: Shape,
        reason: NotCloned,
    ) -> NotCloned {
        self.content().set_id(None);
        let restored = match plan.adopt {
            Adopt::IntoEmpty => self.set_cipher_size(CipherOffset(0)),
            _ => self.restore(source, plan, before),
        };
        match (restored, reason) {
            (Err(error), _) => NotCloned::Failed(error),
            (Ok(()), NotCloned::Failed(Error::Os(errno))) if is_static(errno) => {
                NotCloned::Impossible
            }
            (Ok(()), reason) => reason,
        }
    }

    fn restore(&self, source: &CipherFile<B>, plan: &ClonePlan, before: Shape) -> Result<()> {
        let id = self.id()?;
        // Under another ID nothing has been cloned yet: the header comes first.
        if let (Some(id), true) = (id, id == source.id()?) {
            self.mend(source, plan, id)?;
        }
        if self.plain_size()? > before.size {
            self.shrink(before.size)?;
        }
        Ok(())
    }

    /// Makes the block whole in which a clone came to a stop, from the source; a hole or the end
    /// of the file if that is impossible.
    fn mend(&self, source: &CipherFile<B>, plan: &ClonePlan, id: FileId) -> Result<()> {
        let layout = self.layout();
        for block in (plan.blocks.start.0..plan.blocks.end.0).map(BlockNo) {
            let (start, end) = (
                layout.cipher_start(block),
                layout.cipher_start(block.next()),
            );
            let size = self.cipher_size()?;
            if start >= size {
                break;
            }
            let whole = self.read_block(id, block).is_ok();
            if whole || self.copy_raw(source, start.0, end.0).is_ok() {
                continue;
            }
            if end > size || self.backing.punch(start.0, end.0 - start.0).is_err() {
                return self.set_cipher_size(start);
            }
        }
        Ok(())
    }
}

/// Whether an error says that these files can never be cloned, as opposed to a lack of something.
fn is_static(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::NOTTY | Errno::TXTBSY
    )
}

#[cfg(test)]
mod tests;
