//! Putting a target right after a clone into it failed.
//!
//! A clone stops between two blocks of the backing file system, so inside one of ours: that one is
//! finished. A target that was about to take another ID gets all of its own blocks back, from a
//! clone made beforehand. Invariant: unless the backing file system refuses all that, every block
//! authenticates under the ID in the header.

use crate::format::{BlockNo, CipherOffset, FileId};
use crate::sys::{Backing, Errno};
use crate::vault::copy::NotCloned;
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;
use crate::vault::plan::{Adopt, ClonePlan, Shape};
use crate::vault::undo::insist;

/// What a target is before it is cloned into.
pub(super) struct Before<B> {
    pub(super) shape: Shape,
    /// Whole blocks of zeros that are no hole, if it holds nothing else and takes another ID.
    pub(super) zeros: Vec<BlockNo>,
    /// All that it holds, if no block of it would stay valid.
    kept: Option<B>,
}

impl<B: Backing> CipherFile<B> {
    /// Looks at what there is, and notes what may be needed again. The caller holds the exclusive
    /// lock.
    ///
    /// # Errors
    /// It holds what must stay and cannot, or cannot be kept: nothing has changed yet.
    pub(super) fn before(&self, plan: &ClonePlan) -> core::result::Result<Before<B>, NotCloned> {
        let mut before = Before {
            shape: self.shape()?,
            zeros: Vec::new(),
            kept: None,
        };
        match plan.adopt {
            Adopt::Shared | Adopt::IntoEmpty => {}
            Adopt::IntoHollow => {
                let zeros = self.zero_blocks(before.shape.size)?;
                before.zeros = zeros.ok_or(NotCloned::Impossible)?;
            }
            Adopt::Replacing => before.kept = Some(self.keep()?),
        }
        Ok(before)
    }

    /// All of the file, as a clone without a name.
    fn keep(&self) -> core::result::Result<B, NotCloned> {
        let kept = self.spare.make_file().and_then(|kept| {
            kept.clone_range(&self.backing, 0, 0, 0)?;
            Ok(kept)
        });
        kept.map_err(|errno| match errno {
            Errno::NOSPC | Errno::DQUOT => NotCloned::from(errno),
            _ => NotCloned::Impossible,
        })
    }

    /// Puts the target into a readable state after a clone failed; returns the reason.
    pub(super) fn abandon(
        &self,
        source: &CipherFile<B>,
        plan: &ClonePlan,
        before: &Before<B>,
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

    fn restore(&self, source: &CipherFile<B>, plan: &ClonePlan, before: &Before<B>) -> Result<()> {
        if let Some(kept) = &before.kept
            && self.become_again(kept).is_ok()
        {
            return Ok(());
        }
        let id = self.id()?;
        // Under another ID nothing has been cloned yet: the header comes first.
        if let (Some(id), true) = (id, id == source.id()?) {
            self.mend(source, plan, id)?;
        }
        if self.plain_size()? > before.shape.size {
            self.shrink(before.shape.size)?;
        }
        Ok(())
    }

    fn become_again(&self, kept: &B) -> Result<()> {
        self.set_cipher_size(CipherOffset(kept.len()?))?;
        Ok(self.backing.clone_range(kept, 0, 0, 0)?)
    }

    /// Makes the block whole in which a clone came to a stop, from the source; a hole or the end
    /// of the file if that is impossible.
    fn mend(&self, source: &CipherFile<B>, plan: &ClonePlan, id: FileId) -> Result<()> {
        let layout = self.layout();
        // Only the first such block can be torn, and without space put by it still may succeed.
        let start = layout.cipher_start(plan.blocks.start).0;
        let mut slot = self
            .insure(start, layout.cipher_block() as u64)
            .ok()
            .flatten();
        for block in (plan.blocks.start.0..plan.blocks.end.0).map(BlockNo) {
            let (start, end) = (
                layout.cipher_start(block),
                layout.cipher_start(block.next()),
            );
            let size = self.cipher_size()?;
            if start >= size {
                break;
            }
            if self.read_block(id, block).is_ok() {
                continue;
            }
            let bytes = source.read_raw(start.0, end.0)?;
            if insist(&self.backing, slot.take(), start.0, &bytes).is_ok() {
                self.content().set_size(None);
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
