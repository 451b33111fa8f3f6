//! Putting a backing file back as it was when a write went wrong half way.
//!
//! What is appended is cut off again. What is overwritten is either reserved beforehand, so that
//! it cannot run out of space, or remembered: on copy-on-write file systems and wherever
//! `fallocate(2)` does not help.

use crate::format::CipherOffset;
use crate::sys::{Backing, Errno, Reserve, ShortWrite};
use crate::vault::error::Result;

/// How an overwrite is kept from tearing a block when space runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Reserve the range first. For file systems that overwrite in place.
    Reserve(Reserve),
    /// Remember the old bytes and write them back.
    Remember,
}

/// What is needed to take one write back.
pub(super) struct Undo {
    old_size: u64,
    at: u64,
    overwritten: Option<Vec<u8>>,
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
        len: usize,
    ) -> Result<Undo> {
        let end = at.0.saturating_add(len as u64).min(old_size.0);
        let overlap = end.saturating_sub(at.0);
        let mut undo = Undo {
            old_size: old_size.0,
            at: at.0,
            overwritten: None,
        };
        if overlap == 0 {
            return Ok(undo);
        }
        if let Safety::Reserve(how) = safety {
            // All of it: the block that holds the old end may grow beyond it.
            match backing.reserve(at.0, len as u64, how) {
                Ok(()) => return Ok(undo),
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let mut old = vec![0; usize::try_from(overlap).unwrap_or(usize::MAX)];
        let got = backing.read_at(&mut old, at.0)?;
        old.truncate(got);
        undo.overwritten = Some(old);
        Ok(undo)
    }

    /// Takes the write back; returns the error that the caller reports.
    pub(super) fn apply<B: Backing>(self, backing: &B, failed: ShortWrite) -> Errno {
        if let Some(old) = &self.overwritten {
            let touched = &old[..failed.written.min(old.len())];
            // A hole needs no space to become a hole again.
            if touched.iter().all(|&byte| byte == 0) {
                let _ = backing.punch(self.at, touched.len() as u64);
            } else {
                let _ = backing.write_at(touched, self.at);
            }
        }
        if self.at.saturating_add(failed.written as u64) > self.old_size {
            let _ = backing.set_len(self.old_size);
        }
        failed.errno
    }
}
