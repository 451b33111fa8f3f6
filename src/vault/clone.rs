//! Cloning cipher blocks: the target shares the storage of the source.
//!
//! No block begins on a block of the backing file system, so both ends of a range lie inside one.
//! Where source and target hold the same bytes in the rest of such a block it is cloned as a
//! whole; otherwise the blocks at that end are copied as they are.
//!
//! Invariant: a target that shall keep something gets the bytes at both ends before the clone, as
//! whole blocks, since that can run out of space; what can fail afterwards is the clone alone (see
//! `abandon`).

use std::ops::Range;

use crate::format::{BlockNo, CipherOffset, FileId, PlainOffset};
use crate::sys::Backing;
use crate::vault::abandon::Before;
use crate::vault::copy::{CloneRule, Copied, NotCloned};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::plan::{Adopt, ClonePlan};

/// How the backing file system lets files share their storage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reflinks {
    /// Whether it does at all.
    pub(super) possible: bool,
    /// The unit that is shared, bytes.
    pub(super) grain: u64,
    /// Whether a file can be cut inside a shared unit without space for a copy of it. Measured on
    /// full disks: btrfs does so, XFS answers `ENOSPC`.
    pub(super) cut_for_free: bool,
}

/// A range of cipher bytes, and the files around it.
struct Extent {
    start: u64,
    end: u64,
    source_len: u64,
    target_len: u64,
    /// The target may pass the end of the range for a moment: it ends before it, and can be cut
    /// there or is new.
    may_pass_end: bool,
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
        let before = self.before(plan)?;
        let copied = self
            .adopt(id, plan, &before)
            .and_then(|()| self.seal_part(source, id, &plan.head))
            .map_err(NotCloned::from)
            .and_then(|()| self.share(source, plan, rule));
        self.content().set_size(None);
        let copied = copied.map_err(|reason| self.abandon(source, plan, &before, reason))?;
        self.content().set_id(Some(id));
        // Who wants the tail too comes back for it, and learns then what is wrong with it.
        let tail = match self.seal_part(source, id, &plan.tail) {
            Ok(()) => plan.tail.end.0 - plan.tail.start.0,
            Err(_) => 0,
        };
        let blocks = plan.tail.start.0 - plan.head.end.0;
        Ok(Copied {
            bytes: plan.tail.start.0 + tail - plan.head.start.0,
            shared: blocks.saturating_sub(copied),
        })
    }

    /// Seals a part of a block anew, under the ID that the target has taken.
    fn seal_part(
        &self,
        source: &CipherFile<B>,
        id: FileId,
        part: &Range<PlainOffset>,
    ) -> Result<()> {
        let len = usize::try_from(part.end.0 - part.start.0).unwrap_or(0);
        let mut buf = Vec::new();
        let data = source.read_locked(part.start, len, &mut buf)?;
        if data.is_empty() {
            return Ok(());
        }
        let old = self.plain_size()?;
        let sealed = self.write_under(id, part.start, data);
        if sealed.is_err() {
            self.cut_back(old);
        }
        sealed
    }

    /// Makes the target ready to hold blocks of the file `id`.
    fn adopt(&self, id: FileId, plan: &ClonePlan, before: &Before<B>) -> Result<()> {
        let first = self.layout().plain_start(plan.blocks.start);
        match plan.adopt {
            Adopt::Replacing => Ok(()),
            Adopt::IntoEmpty => {
                if self.cipher_size()? > CipherOffset(0) {
                    self.set_cipher_size(CipherOffset(0))?;
                }
                // With block 0 the header comes along.
                if plan.blocks.start == BlockNo(0) {
                    return Ok(());
                }
                self.put_header(id)
            }
            Adopt::Shared => self.pad_for(first, before.shape.size),
            Adopt::IntoHollow => {
                self.become_hollow(id, before.shape.size, &before.zeros)?;
                self.pad_for(first, before.shape.size)
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
        if extent.may_pass_end && to > extent.end {
            self.spare.set_len(&self.backing, extent.end)?;
        }
        Ok(from.saturating_sub(extent.start) + extent.end.saturating_sub(to))
    }

    fn extent(&self, source: &CipherFile<B>, plan: &ClonePlan) -> Result<Extent> {
        let layout = self.layout();
        let source_len = source.cipher_size()?.0;
        let target_len = self.backing.len()?;
        let first = plan.blocks.start;
        let start = if first == BlockNo(0) && plan.adopt != Adopt::Shared {
            0
        } else {
            layout.cipher_start(first).0
        };
        let end = if plan.to_end {
            source_len
        } else {
            layout.cipher_start(plan.blocks.end).0
        };
        Ok(Extent {
            start,
            end,
            source_len,
            target_len,
            may_pass_end: target_len <= end && (target_len == 0 || self.reflinks.cut_for_free),
        })
    }

    /// Where the clone begins: if behind the beginning of the range, the bytes before it have to
    /// be copied.
    fn start_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<u64> {
        let down = extent.start - extent.start % self.reflinks.grain;
        if down == extent.start || self.same_bytes(source, down, extent.start)? {
            return Ok(down);
        }
        Ok(down + self.reflinks.grain)
    }

    /// Where the clone ends: if before the end of the range, the bytes behind it have to be
    /// copied.
    fn end_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<u64> {
        let end = extent.end;
        let down = end - end % self.reflinks.grain;
        if down == end || (end == extent.source_len && extent.target_len <= end) {
            return Ok(end);
        }
        let up = (down + self.reflinks.grain).min(extent.source_len);
        // A clone may end inside a block only where both files end.
        let possible = up.is_multiple_of(self.reflinks.grain) || extent.target_len <= up;
        let harmless =
            extent.may_pass_end || (extent.target_len >= up && self.same_bytes(source, end, up)?);
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
        let bytes = source.read_raw(start, end)?;
        let size = CipherOffset(self.backing.len()?);
        self.commit(size, CipherOffset(start), &bytes, None)
    }
}

#[cfg(test)]
mod tests;
