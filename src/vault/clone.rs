//! Cloning cipher blocks: the target shares the storage of the source.
//!
//! No block begins on a block of the backing file system, so both ends of a range lie inside one.
//! Where source and target hold the same bytes in the rest of such a block it is cloned as a
//! whole; otherwise the part of it that belongs to the range is copied as it is.

use crate::format::{BlockNo, CipherOffset, FileId, PlainOffset};
use crate::sys::{Backing, Errno};
use crate::vault::copy::{Copied, NotCloned};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::plan::{Adopt, ClonePlan};

/// A range of cipher bytes, and how long both files are.
struct Extent {
    start: u64,
    end: u64,
    source_len: u64,
    target_len: u64,
}

impl<B: Backing> CipherFile<B> {
    /// Carries out a plan. The caller holds both locks.
    pub(super) fn clone_blocks(
        &self,
        source: &CipherFile<B>,
        plan: &ClonePlan,
    ) -> core::result::Result<Copied, NotCloned> {
        let Some(id) = source.id()? else {
            return Err(NotCloned::Impossible);
        };
        let old = self.plain_size()?;
        self.adopt(id, plan)?;
        if let Err(error) = self.share(source, plan) {
            return Err(self.abandon(source, plan, old, error));
        }
        self.content().set_size(None);
        self.content().set_id(Some(id));
        if let Err(error) = self.seal_ends(source, plan) {
            return Err(NotCloned::Failed(error));
        }
        let blocks = plan.tail.start.0 - plan.head.end.0;
        Ok(Copied {
            bytes: plan.len(),
            shared: blocks,
        })
    }

    /// Makes the target ready to hold blocks of the file `id`.
    fn adopt(&self, id: FileId, plan: &ClonePlan) -> core::result::Result<(), NotCloned> {
        match plan.adopt {
            Adopt::Shared => self.pad_for(plan.head.start, self.plain_size()?)?,
            Adopt::Replacing => {}
            Adopt::IntoEmpty => {
                self.set_cipher_size(CipherOffset(0))?;
                // With block 0 the header comes along.
                if plan.blocks.start != BlockNo(0) {
                    self.put_header(id)?;
                }
            }
            Adopt::IntoHollow => {
                let size = self.plain_size()?;
                if !self.is_hollow(size)? {
                    return Err(NotCloned::Impossible);
                }
                self.become_hollow(id, size)?;
            }
        }
        Ok(())
    }

    /// Clones the whole blocks of a plan, and the bytes around them where necessary.
    fn share(&self, source: &CipherFile<B>, plan: &ClonePlan) -> Result<()> {
        let layout = self.layout();
        let with_header = plan.blocks.start == BlockNo(0);
        let source_len = source.cipher_size()?.0;
        let extent = Extent {
            start: if with_header && plan.adopt != Adopt::Shared {
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
        };
        let (from, copy_head) = self.start_of_clone(source, &extent)?;
        let (to, copy_tail) = self.end_of_clone(source, &extent)?;
        if from >= to {
            return self.copy_raw(source, extent.start, extent.end);
        }
        self.backing
            .clone_range(&source.backing, from, to - from, from)?;
        if extent.target_len <= extent.end && to > extent.end {
            self.backing.set_len(extent.end)?;
        }
        if copy_head {
            self.copy_raw(source, extent.start, from)?;
        }
        if copy_tail {
            self.copy_raw(source, to, extent.end)?;
        }
        Ok(())
    }

    /// Where the clone begins, and whether bytes before it must be copied.
    fn start_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<(u64, bool)> {
        let down = extent.start - extent.start % self.grain;
        if down == extent.start || self.same_bytes(source, down, extent.start)? {
            return Ok((down, false));
        }
        Ok((down + self.grain, true))
    }

    /// Where the clone ends, and whether bytes behind it must be copied.
    fn end_of_clone(&self, source: &CipherFile<B>, extent: &Extent) -> Result<(u64, bool)> {
        let end = extent.end;
        let down = end - end % self.grain;
        if down == end || (end == extent.source_len && extent.target_len <= end) {
            return Ok((end, false));
        }
        let up = (down + self.grain).min(extent.source_len);
        // A clone may end inside a block only where both files end.
        let possible = up.is_multiple_of(self.grain) || extent.target_len <= up;
        let whole = extent.target_len <= end || self.same_bytes(source, end, up)?;
        if possible && whole {
            return Ok((up, false));
        }
        Ok((down, true))
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
        old: PlainOffset,
        error: crate::vault::Error,
    ) -> NotCloned {
        self.content().set_size(None);
        self.content().set_id(None);
        let restored = match plan.adopt {
            Adopt::IntoEmpty => self.set_cipher_size(CipherOffset(0)),
            Adopt::Shared | Adopt::IntoHollow | Adopt::Replacing => self.heal(source, plan, old),
        };
        match (restored, error) {
            (Ok(()), crate::vault::Error::Os(errno)) if is_static(errno) => NotCloned::Impossible,
            (Ok(()), error) | (Err(error), _) => NotCloned::Failed(error),
        }
    }

    /// Rewrites the blocks that a clone left half done, from the source, which has them whole;
    /// cuts off what cannot be saved.
    fn heal(&self, source: &CipherFile<B>, plan: &ClonePlan, old: PlainOffset) -> Result<()> {
        let Some(id) = self.id()? else { return Ok(()) };
        let same_id = source.id()? == Some(id);
        let mut block = plan.blocks.start;
        while block < plan.blocks.end && self.layout().cipher_start(block) < self.cipher_size()? {
            if self.read_block(id, block).is_err() {
                let start = self.layout().cipher_start(block).0;
                let end = start + self.layout().cipher_block() as u64;
                if !same_id || self.copy_raw(source, start, end).is_err() {
                    return self.set_cipher_size(CipherOffset(start));
                }
            }
            block = block.next();
        }
        if self.plain_size()? > old && plan.adopt == Adopt::Shared {
            self.shrink(old)?;
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
