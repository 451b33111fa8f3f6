//! Putting a backing file back as it was when a write went wrong half way.
//!
//! What is appended is cut off again. What is overwritten is remembered and written back, or, where
//! reading it first would cost too much, has its space reserved beforehand; if it fails even so,
//! the block in which it stopped is finished. Invariant: unless the backing file refuses that too,
//! no block is left torn.

use crate::format::CipherOffset;
use crate::sys::{Backing, Errno, Reserve, ShortWrite};
use crate::vault::error::Result;

/// The longest overwrite that is remembered where space can be reserved, bytes. The blocks of the
/// backing file at both ends have to be read anyhow, and with these few nearly all of it.
const REMEMBER_MAX: u64 = 16 * 1024;

/// How an overwrite is kept from tearing a block when space runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Reserve the range first if it is long. For file systems that overwrite in place.
    Reserve(Reserve),
    /// Remember the old bytes and write them back.
    Remember,
}

/// What is needed to take one write back.
pub(super) struct Undo {
    old_size: u64,
    at: u64,
    how: How,
}

enum How {
    /// Nothing is overwritten.
    Cut,
    /// The bytes that are.
    PutBack(Vec<u8>),
    /// There is space for all of it.
    Finish,
}

impl Undo {
    /// Prepares for a write of `len` bytes at `at` into a file of `old_size` bytes.
    ///
    /// # Errors
    /// No space, or the old bytes cannot be read: nothing has changed yet.
    pub(super) fn prepare<B: Backing>(
        backing: &B,
        safety: Safety,
        old_size: CipherOffset,
        at: CipherOffset,
        len: u64,
    ) -> Result<Undo> {
        let end = at.0.saturating_add(len).min(old_size.0);
        let overlap = end.saturating_sub(at.0);
        Ok(Undo {
            old_size: old_size.0,
            at: at.0,
            how: match safety {
                _ if overlap == 0 => How::Cut,
                Safety::Reserve(how) if overlap > REMEMBER_MAX => {
                    match backing.reserve(at.0, len, how) {
                        Ok(()) => How::Finish,
                        Err(Errno::OPNOTSUPP | Errno::NOSYS) => remember(backing, at.0, overlap)?,
                        Err(errno) => return Err(errno.into()),
                    }
                }
                _ => remember(backing, at.0, overlap)?,
            },
        })
    }

    /// Takes the write of `bytes` back, or finishes the block in which it stopped, which ends at
    /// `block_end`. Returns the error that the caller reports.
    pub(super) fn apply<B: Backing>(
        self,
        backing: &B,
        bytes: &[u8],
        failed: ShortWrite,
        block_end: CipherOffset,
    ) -> Errno {
        let stop = self.at.saturating_add(failed.written as u64);
        let mut size = self.old_size;
        match self.how {
            How::Cut => {}
            How::PutBack(old) => put_back(backing, self.at, &old[..failed.written.min(old.len())]),
            How::Finish => {
                let rest = bytes.get(failed.written..).unwrap_or_default();
                let len = usize::try_from(block_end.0.saturating_sub(stop)).unwrap_or(rest.len());
                let rest = &rest[..len.min(rest.len())];
                if backing.write_at(rest, stop).is_ok() {
                    size = size.max(stop.saturating_add(rest.len() as u64));
                }
            }
        }
        if backing.len() != Ok(size) {
            let _ = backing.set_len(size);
        }
        failed.errno
    }
}

fn remember<B: Backing>(backing: &B, at: u64, len: u64) -> Result<How> {
    let mut old = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let got = backing.read_at(&mut old, at)?;
    old.truncate(got);
    Ok(How::PutBack(old))
}

fn put_back<B: Backing>(backing: &B, at: u64, old: &[u8]) {
    // A hole needs no space to become a hole again.
    let is_hole = old.iter().all(|&byte| byte == 0);
    if old.is_empty() || is_hole && backing.punch(at, old.len() as u64).is_ok() {
        return;
    }
    let _ = backing.write_at(old, at);
}
