//! Putting a backing file back as it was when a write went wrong half way.
//!
//! What is appended is cut off again. What is overwritten is remembered and written back, or, where
//! reading it first would cost too much, has its space reserved beforehand; if it fails even so,
//! the block in which it stopped is finished. Where either would take new space, that is put by
//! beforehand (see `spare`).
//!
//! Invariant: unless the backing file refuses all that, no block is left torn.

use std::ops::Range;

use crate::format::CipherOffset;
use crate::sys::{self, Backing, Errno, Reserve, ShortWrite};
use crate::vault::spare::{Slot, Spare};

/// The longest overwrite that is remembered where space can be reserved, bytes. The blocks of the
/// backing file at both ends have to be read anyhow, and with these few nearly all of it.
pub(super) const REMEMBER_MAX: u64 = 16 * 1024;

/// How an overwrite is kept from tearing a block when space runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Reserve the range first if it is long. For file systems that overwrite in place.
    Reserve(Reserve),
    /// Remember the old bytes and write them back.
    Remember,
    /// Remember the old bytes of a short range, finish a long one; with space put by. For file
    /// systems that never overwrite in place and can clone.
    Insure,
}

/// What is needed to take one write back.
pub(super) struct Undo<'a, B> {
    old_size: u64,
    at: u64,
    how: How,
    spare: &'a Spare<B>,
    slot: Option<Slot<'a, B>>,
}

enum How {
    /// Nothing is overwritten.
    Cut,
    /// The bytes that are.
    PutBack(Vec<u8>),
    /// There is space for all of it.
    Finish,
}

impl<'a, B: Backing> Undo<'a, B> {
    /// Prepares for a write of `len` bytes at `at` into a file of `old_size` bytes. What is
    /// overwritten is `old`, if the caller knows.
    ///
    /// # Errors
    /// No space, or the old bytes cannot be read: nothing has changed yet.
    pub(super) fn prepare(
        (backing, safety, spare): (&B, Safety, &'a Spare<B>),
        old_size: CipherOffset,
        at: CipherOffset,
        len: u64,
        old: Option<Vec<u8>>,
    ) -> sys::Result<Undo<'a, B>> {
        let end = at.0.saturating_add(len).min(old_size.0);
        let overlap = end.saturating_sub(at.0);
        let slot = insure(backing, safety, spare, at.0, overlap)?;
        let is_long = overlap > REMEMBER_MAX;
        let how = match safety {
            _ if overlap == 0 => How::Cut,
            Safety::Reserve(how) if is_long => match backing.reserve(at.0, len, how) {
                Ok(()) => How::Finish,
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => remember(backing, at.0, overlap)?,
                Err(errno) => return Err(errno),
            },
            Safety::Insure if is_long && slot.is_some() => How::Finish,
            _ if old.as_ref().is_some_and(|old| old.len() as u64 == overlap) => {
                How::PutBack(old.unwrap_or_default())
            }
            _ => remember(backing, at.0, overlap)?,
        };
        Ok(Undo {
            old_size: old_size.0,
            at: at.0,
            how,
            spare,
            slot,
        })
    }

    /// Takes the write of `bytes` back, or finishes `block`, in which it stopped. Returns the error
    /// that the caller reports.
    pub(super) fn apply(
        self,
        backing: &B,
        bytes: &[u8],
        failed: ShortWrite,
        block: Range<CipherOffset>,
    ) -> Errno {
        let stop = self.at.saturating_add(failed.written as u64);
        let mut size = self.old_size;
        match self.how {
            How::Cut => {}
            How::PutBack(old) => {
                let old = &old[..failed.written.min(old.len())];
                put_back(backing, self.slot, self.at, old);
            }
            How::Finish if block.start.0 >= size => size = block.start.0,
            How::Finish => {
                let rest = bytes.get(failed.written..).unwrap_or_default();
                let len = usize::try_from(block.end.0.saturating_sub(stop)).unwrap_or(rest.len());
                let rest = &rest[..len.min(rest.len())];
                if insist(backing, self.slot, stop, rest).is_ok() {
                    size = size.max(stop.saturating_add(rest.len() as u64));
                }
            }
        }
        if backing.len() != Ok(size) {
            let _ = self.spare.set_len(backing, size);
        }
        failed.errno
    }
}

/// Puts space by for a write over a range, which is empty if it only appends; `None` if it needs no
/// slot or there can be none.
///
/// # Errors
/// No space.
pub(super) fn insure<'a, B: Backing>(
    backing: &B,
    safety: Safety,
    spare: &'a Spare<B>,
    at: u64,
    len: u64,
) -> sys::Result<Option<Slot<'a, B>>> {
    if safety != Safety::Insure {
        return Ok(None);
    }
    let held = match len {
        0 => spare.hold_ballast().map(|()| None),
        _ => spare.hold().map(Some),
    };
    match held {
        Ok(slot) => Ok(slot),
        Err(errno @ (Errno::NOSPC | Errno::DQUOT)) if !backing.is_overwritten_in_place(at, len) => {
            Err(errno)
        }
        Err(_) => Ok(None),
    }
}

/// Writes a few bytes, if need be with the space that was put by.
///
/// # Errors
/// What the backing file says.
pub(super) fn insist<B: Backing>(
    backing: &B,
    slot: Option<Slot<'_, B>>,
    at: u64,
    bytes: &[u8],
) -> sys::Result<()> {
    match (backing.write_at(bytes, at), slot) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(slot)) => slot.put(backing, at, bytes),
        (Err(short), None) => Err(short.errno),
    }
}

fn remember<B: Backing>(backing: &B, at: u64, len: u64) -> sys::Result<How> {
    let mut old = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let got = backing.read_at(&mut old, at)?;
    old.truncate(got);
    Ok(How::PutBack(old))
}

fn put_back<B: Backing>(backing: &B, slot: Option<Slot<'_, B>>, at: u64, old: &[u8]) {
    // A hole needs no space to become a hole again.
    let is_hole = old.iter().all(|&byte| byte == 0);
    if old.is_empty() || is_hole && backing.punch(at, old.len() as u64).is_ok() {
        return;
    }
    let _ = insist(backing, slot, at, old);
}
