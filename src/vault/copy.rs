//! Copying between files of one vault: by cloning cipher blocks where they stay valid, by sealing
//! the bytes anew where they do not.
//!
//! Invariant: whatever fails, every block of the target authenticates under the ID in its header,
//! and bytes outside the range are as before.

use crate::format::PlainOffset;
use crate::sys::{Backing, Errno};
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;
use crate::vault::open::lock_pair;
use crate::vault::plan::{Adopt, Plan, Request, Shape, Targets, plan};

/// How much is sealed under one pair of locks, bytes: a few tens of milliseconds.
///
/// Sealing here beats an `EOPNOTSUPP`, upon which the kernel reads and writes 64 KiB at a time: on
/// ext4 and tmpfs 100 MiB take 110 to 140 ms, and 210 (source cached) to 350 ms in the kernel.
const SEAL_AT_ONCE: u64 = 16 << 20;
/// How much is sealed at a time, bytes.
const PIECE: usize = 1 << 20;
/// From this size of the source on, bytes, its blocks are cloned. A request that clones takes about
/// 70 us on btrfs and XFS, from 1 KiB to 1 GiB; one that seals 16 KiB takes as long, and below that
/// there is little to share (btrfs keeps up to 2 KiB inline, and storage is shared in whole 4 KiB).
const CLONE_FROM: u64 = 16 << 10;
/// As [`CLONE_FROM`], if the source has data that the backing file system has not placed on disk
/// yet. A clone waits for that, 100 us and more on a fast disk: with 64 KiB it takes longer than
/// sealing (200 and 180 us on btrfs, 134 and 85 on XFS), with 128 KiB it is the quicker way.
const CLONE_DIRTY_FROM: u64 = 128 << 10;

/// Whether copies may clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneRule {
    /// Clone where it pays.
    Auto,
    /// Never clone.
    Never,
    /// Clone or fail with `EINVAL`.
    Strict,
}

/// What a copy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Bytes copied; 0 only at the end of the source.
    pub bytes: u64,
    /// How many of them share their storage with the source.
    pub shared: u64,
}

/// Why whole blocks were not cloned.
pub(super) enum NotCloned {
    /// The files do not allow it; outside of the range the target reads as before.
    Impossible,
    /// It went wrong on the way.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotCloned {
    fn from(error: E) -> NotCloned {
        NotCloned::Failed(error.into())
    }
}

impl<B: Backing> CipherFile<B> {
    /// Copies up to `len` bytes from `source` at `source_at` to `target_at`. May copy less: the
    /// caller comes back for the rest.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the source does not authenticate where it must be read;
    /// `ENOSPC` and the like; `EINVAL` if cloning was demanded and is impossible, and if the ranges
    /// overlap in one file.
    pub fn copy_from(
        &self,
        source: &CipherFile<B>,
        source_at: PlainOffset,
        target_at: PlainOffset,
        len: u64,
        rule: CloneRule,
    ) -> Result<Copied> {
        let request = Request {
            source_at,
            target_at,
            len,
        };
        let mut locks = lock_pair(&source.registration, &self.registration);
        let mut plan = self.plan_copy(source, request, rule)?;
        if let Plan::Clone(clone) = &plan
            && clone.adopt != Adopt::IntoHollow
        {
            // A clone waits until the data of the source are on the disk (btrfs: all of them),
            // which can take seconds. Nobody else shall wait with it.
            drop(locks);
            let start = source.layout().cipher_start(clone.blocks.start);
            source.backing.place_data(start.0);
            locks = lock_pair(&source.registration, &self.registration);
            plan = self.plan_copy(source, request, rule)?;
        }
        let copied = match plan {
            Plan::Nothing => Ok(Copied::default()),
            Plan::Seal if rule == CloneRule::Strict => Err(Errno::INVAL.into()),
            Plan::Seal => self.seal_copy(source, request),
            Plan::Clone(clone) => match self.clone_blocks(source, &clone, rule) {
                Ok(copied) => Ok(copied),
                Err(NotCloned::Failed(error)) => Err(error),
                Err(NotCloned::Impossible) if rule == CloneRule::Strict => Err(Errno::INVAL.into()),
                Err(NotCloned::Impossible) => self.seal_copy(source, request),
            },
        };
        drop(locks);
        copied
    }

    fn plan_copy(&self, source: &CipherFile<B>, request: Request, rule: CloneRule) -> Result<Plan> {
        let source_shape = source.shape()?;
        let same_file = self.key() == source.key();
        if same_file && request.overlaps_itself(source_shape.size) {
            return Err(Errno::INVAL.into());
        }
        let targets = if self.content().is_cacheable() {
            Targets::Any
        } else {
            Targets::SameId
        };
        let planned = plan(source_shape, self.shape()?, targets, request);
        let wanted = !same_file
            && match rule {
                // As the backing file systems say to FICLONERANGE.
                CloneRule::Strict => planned.is_aligned(),
                CloneRule::Never => false,
                CloneRule::Auto => self.reflinks.possible && source.pays_to_clone(source_shape),
            };
        Ok(match planned {
            Plan::Clone(_) if !wanted => Plan::Seal,
            planned => planned,
        })
    }

    fn pays_to_clone(&self, shape: Shape) -> bool {
        match shape.size.0 {
            size if size < CLONE_FROM => false,
            size if size < CLONE_DIRTY_FROM => !self.backing.has_unplaced_data(),
            _ => true,
        }
    }

    /// What a plan has to know of this file. The caller holds the content lock.
    pub(super) fn shape(&self) -> Result<Shape> {
        Ok(Shape {
            size: self.plain_size()?,
            id: self.id()?,
        })
    }

    /// Seals the bytes of a range anew. The caller holds both locks.
    fn seal_copy(&self, source: &CipherFile<B>, request: Request) -> Result<Copied> {
        let available = source.plain_size()?.0.saturating_sub(request.source_at.0);
        let wanted = request.len.min(available).min(SEAL_AT_ONCE);
        let mut buf = Vec::new();
        let mut bytes = 0;
        while bytes < wanted {
            let piece = usize::try_from(wanted - bytes).unwrap_or(PIECE).min(PIECE);
            let from = PlainOffset(request.source_at.0 + bytes);
            let to = PlainOffset(request.target_at.0 + bytes);
            let done = source
                .read_locked(from, piece, &mut buf)
                .and_then(|data| self.write_locked(to, data).map(|_| data.len()));
            match done {
                Ok(0) => break,
                Ok(len) => bytes += len as u64,
                // What is there already is worth reporting.
                Err(_) if bytes > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Copied { bytes, shared: 0 })
    }
}
