//! Deciding how a range is copied: which blocks can be cloned, which bytes are sealed anew.
//!
//! A cloned block stays valid only under the same file ID and the same block number, so the
//! offsets must be equal and the target must have, or be able to take, the ID of the source.
//! Pure: shapes in, plan out.

use std::ops::Range;

use crate::format::{BlockNo, FileId, PLAIN_BLOCK, PlainOffset};

const BLOCK: u64 = PLAIN_BLOCK as u64;

/// The most that one request clones, bytes. The kernel cannot interrupt a request, and if the data
/// have yet to be written to the disk it takes as long as that.
pub(super) const SLICE: u64 = 256 << 20;

/// What matters of a file. `id` is `None` while it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) size: PlainOffset,
    pub(super) id: Option<FileId>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) source_at: PlainOffset,
    pub(super) target_at: PlainOffset,
    pub(super) len: u64,
}

impl Request {
    /// Whether the ranges have bytes in common if both are in one file of `size` bytes.
    pub(super) fn overlaps_itself(self, size: PlainOffset) -> bool {
        let available = size.0.saturating_sub(self.source_at.0);
        self.source_at.0.abs_diff(self.target_at.0) < self.len.min(available)
    }
}

/// What the target may be turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Targets {
    /// Anything that stays readable.
    Any,
    /// Only files that have no ID yet or keep theirs: somebody else may have them open.
    SameId,
}

/// How the target comes to have the ID of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adopt {
    /// It has it already.
    Shared,
    /// It is empty and takes the header of the source.
    IntoEmpty,
    /// It has an ID of its own that no block depends on, if it turns out to be one hole.
    IntoHollow,
    /// All that it holds is replaced by cloned blocks.
    Replacing,
}

/// How a range is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The source has nothing there.
    Nothing,
    /// Every byte is sealed anew under the target's own ID.
    Seal,
    /// Whole blocks are cloned.
    Clone(ClonePlan),
}

impl Plan {
    /// Whether no byte is sealed anew.
    pub(super) fn is_aligned(&self) -> bool {
        matches!(self, Plan::Clone(clone) if clone.head.is_empty() && clone.tail.is_empty())
    }
}

/// A copy that clones: `head` and `tail` are parts of blocks and are sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClonePlan {
    pub(super) adopt: Adopt,
    pub(super) head: Range<PlainOffset>,
    pub(super) blocks: Range<BlockNo>,
    /// The last cloned block is the last of both files, so it may be a partial one.
    pub(super) to_end: bool,
    pub(super) tail: Range<PlainOffset>,
}

/// Plans a copy between two different files.
pub(super) fn plan(source: Shape, target: Shape, targets: Targets, request: Request) -> Plan {
    let start = request.source_at;
    let available = source.size.0.saturating_sub(start.0);
    let wanted = request.len.min(available);
    if wanted == 0 {
        return Plan::Nothing;
    }
    if request.target_at != start {
        return Plan::Seal;
    }
    let end = PlainOffset(start.0 + wanted);
    let Some(adopt) = adoption(source, target, targets, start, end) else {
        return Plan::Seal;
    };
    // A slice would cut off what an interrupted copy still wants to replace.
    let end = match adopt {
        Adopt::Replacing => end,
        _ => end.min(slice_end(start)),
    };
    let to_end = end == source.size && target.size <= end;
    let first = start.0.div_ceil(BLOCK);
    let last = if to_end {
        end.0.div_ceil(BLOCK)
    } else {
        end.0 / BLOCK
    };
    if first >= last {
        return Plan::Seal;
    }
    Plan::Clone(ClonePlan {
        adopt,
        head: start..PlainOffset(first * BLOCK),
        blocks: BlockNo(first)..BlockNo(last),
        to_end,
        tail: PlainOffset((last * BLOCK).min(end.0))..end,
    })
}

fn slice_end(start: PlainOffset) -> PlainOffset {
    PlainOffset(start.0.saturating_add(SLICE) / BLOCK * BLOCK)
}

/// How far blocks of the source can be cloned into a target that ends before `end`.
fn blocks_end(source: Shape, end: PlainOffset) -> PlainOffset {
    if end == source.size {
        end
    } else {
        PlainOffset(end.0 / BLOCK * BLOCK)
    }
}

fn adoption(
    source: Shape,
    target: Shape,
    targets: Targets,
    start: PlainOffset,
    end: PlainOffset,
) -> Option<Adopt> {
    if target.id.is_none() {
        return Some(Adopt::IntoEmpty);
    }
    match targets {
        _ if target.id == source.id => Some(Adopt::Shared),
        Targets::SameId => None,
        Targets::Any if start == PlainOffset(0) && target.size <= blocks_end(source, end) => {
            Some(Adopt::Replacing)
        }
        Targets::Any => Some(Adopt::IntoHollow),
    }
}

#[cfg(test)]
mod tests;
