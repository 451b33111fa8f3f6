//! Space put by for the moment when an overwrite runs out of space half way.
//!
//! A file system that never overwrites in place takes new space even for putting the old bytes
//! back, and there is none then: measured on full disks, btrfs refused each of 300 such attempts.
//! So whoever overwrites first takes a slot of a nameless file that has its space already: writing
//! there takes none, and nor does cloning the slot over the torn place. Both take a little for
//! metadata, though, and so does cutting a file; a quota that is used up leaves nothing for that.
//! Then the ballast is thrown off.
//!
//! Invariant: a slot has one holder, its space is its own until it is put somewhere, and while one
//! is held there is ballast, unless another one has just needed it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::sys::{self, Backing, Errno, Reserve};
use crate::vault::undo::REMEMBER_MAX;

/// The size of the ballast, bytes. On a quota that was used up half of it was enough.
const BALLAST: u64 = 128 << 10;

/// Makes a nameless file.
type Make<B> = Box<dyn Fn() -> sys::Result<B> + Send + Sync>;

/// Slots in a nameless file, as many as there ever were holders at a time. Made when first needed.
pub(super) struct Spare<B> {
    make: Make<B>,
    grain: u64,
    pool: Mutex<Pool<B>>,
}

struct Pool<B> {
    file: Option<Arc<B>>,
    ballast: Option<B>,
    /// Where the slots begin that nobody holds; those in `spent` have no space any more.
    ready: Vec<u64>,
    spent: Vec<u64>,
    count: u64,
}

/// A slot that is held.
pub(super) struct Slot<'a, B> {
    spare: &'a Spare<B>,
    file: Arc<B>,
    at: u64,
    is_spent: bool,
}

impl<B: Backing> Spare<B> {
    /// Slots in a file made by `make`, in a file system that shares storage in units of `grain`
    /// bytes.
    pub(super) fn new(
        grain: u64,
        make: impl Fn() -> sys::Result<B> + Send + Sync + 'static,
    ) -> Spare<B> {
        Spare {
            make: Box::new(make),
            grain,
            pool: Mutex::new(Pool {
                file: None,
                ballast: None,
                ready: Vec::new(),
                spent: Vec::new(),
                count: 0,
            }),
        }
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// `ENOSPC` and `EDQUOT` if there is no space to put by; others if the file cannot be made.
    pub(super) fn hold(&self) -> sys::Result<Slot<'_, B>> {
        let mut pool = self.pool.lock();
        self.load(&mut pool)?;
        let file = match &pool.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(pool.file.insert(Arc::new((self.make)()?))),
        };
        let at = match pool.ready.pop() {
            Some(at) => at,
            None => pool.provide(&*file, self.slot_len())?,
        };
        Ok(Slot {
            spare: self,
            file,
            at,
            is_spent: false,
        })
    }

    /// Makes sure that there is ballast.
    ///
    /// # Errors
    /// As [`Spare::hold`].
    pub(super) fn hold_ballast(&self) -> sys::Result<()> {
        self.load(&mut self.pool.lock())
    }

    fn load(&self, pool: &mut Pool<B>) -> sys::Result<()> {
        if pool.ballast.is_none() {
            let ballast = (self.make)()?;
            ballast.reserve(0, BALLAST, Reserve::KeepSize)?;
            pool.ballast = Some(ballast);
        }
        Ok(())
    }

    /// Does what takes a little space, again without the ballast if there was none.
    fn press<T>(&self, what: impl Fn() -> sys::Result<T>) -> sys::Result<T> {
        match what() {
            Err(Errno::NOSPC | Errno::DQUOT) if self.pool.lock().ballast.take().is_some() => what(),
            done => done,
        }
    }

    /// Sets the size of a file.
    ///
    /// # Errors
    /// What `ftruncate(2)` says.
    pub(super) fn set_len(&self, file: &B, size: u64) -> sys::Result<()> {
        self.press(|| file.set_len(size))
    }

    /// Makes a range of a file a hole.
    ///
    /// # Errors
    /// What `fallocate(2)` says.
    pub(super) fn punch(&self, file: &B, at: u64, len: u64) -> sys::Result<()> {
        self.press(|| file.punch(at, len))
    }

    /// Makes another nameless file.
    ///
    /// # Errors
    /// What making it says.
    pub(super) fn make_file(&self) -> sys::Result<B> {
        (self.make)()
    }

    /// As many units as [`REMEMBER_MAX`] bytes can touch.
    fn slot_len(&self) -> u64 {
        (REMEMBER_MAX / self.grain + 2) * self.grain
    }
}

impl<B: Backing> Pool<B> {
    /// Gives a spent slot new space, or adds one.
    fn provide(&mut self, file: &B, len: u64) -> sys::Result<u64> {
        let Some(&at) = self.spent.last() else {
            let at = self.count * len;
            file.reserve(at, len, Reserve::KeepSize)?;
            self.count += 1;
            return Ok(at);
        };
        file.punch(at, len)?;
        file.reserve(at, len, Reserve::KeepSize)?;
        self.spent.pop();
        Ok(at)
    }
}

impl<B: Backing> Slot<'_, B> {
    /// Puts at most [`REMEMBER_MAX`] bytes into a file; those around them in the same units stay.
    ///
    /// # Errors
    /// `EINVAL` if the file can share nothing with the spare one; what the backing files say.
    pub(super) fn put(mut self, target: &B, at: u64, bytes: &[u8]) -> sys::Result<()> {
        let grain = self.spare.grain;
        let start = at - at % grain;
        let before = usize::try_from(at - start).unwrap_or(usize::MAX);
        let mut units = vec![0; (before + bytes.len()).next_multiple_of(unit(grain))];
        let len = units.len() as u64;
        if len > self.spare.slot_len() {
            return Err(Errno::NOSPC);
        }
        let size = target.len()?.max(at + bytes.len() as u64);
        target.read_at(&mut units, start)?;
        units[before..before + bytes.len()].copy_from_slice(bytes);
        self.is_spent = true;
        self.spare.press(|| {
            let written = self.file.write_at(&units, self.at);
            written.map_err(|short| short.errno)?;
            target.clone_range(&self.file, self.at, len, start)
        })?;
        if start + len > size {
            self.spare.set_len(target, size)?;
        }
        Ok(())
    }
}

fn unit(grain: u64) -> usize {
    usize::try_from(grain).unwrap_or(usize::MAX)
}

impl<B> Drop for Slot<'_, B> {
    fn drop(&mut self) {
        let mut pool = self.spare.pool.lock();
        if self.is_spent {
            pool.spent.push(self.at);
        } else {
            pool.ready.push(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mem::{Fault, GRAIN, MemFile, Then};

    fn spare() -> Spare<MemFile> {
        Spare::new(GRAIN, || Ok(MemFile::default()))
    }

    fn full_disk() -> Fault {
        Fault {
            nth: 0,
            written: 0,
            errno: Errno::NOSPC,
            then: Then::Full,
        }
    }

    #[test]
    fn holders_have_slots_of_their_own() {
        let spare = spare();
        let (one, other) = (spare.hold().unwrap(), spare.hold().unwrap());
        assert!(one.at.abs_diff(other.at) >= spare.slot_len());
        let given_back = one.at;
        drop(one);
        assert_eq!(spare.hold().unwrap().at, given_back);
    }

    #[test]
    fn bytes_are_put_among_those_that_are_there() {
        for (at, len) in [(0, 1), (4095, 2), (100, 16_384), (9990, 10), (9990, 30)] {
            let spare = spare();
            let target = MemFile::new(vec![1; 10_000]);
            target.set_fault(Some(full_disk()));
            assert!(target.write_at(&[7], 0).is_err());
            spare
                .hold()
                .unwrap()
                .put(&target, at, &vec![7; len])
                .unwrap();
            let mut wanted = vec![1; 10_000];
            let start = usize::try_from(at).unwrap();
            wanted.resize(wanted.len().max(start + len), 0);
            wanted[start..start + len].fill(7);
            assert!(target.bytes() == wanted, "{len} at {at}");
        }
    }

    #[test]
    fn without_space_there_are_only_the_slots_that_have_some() {
        let spare = spare();
        let slot = spare.hold().unwrap();
        slot.file.set_fault(Some(full_disk()));
        assert_eq!(slot.file.write_at(&[1], 0).unwrap_err().errno, Errno::NOSPC);
        assert_eq!(spare.hold().err(), Some(Errno::NOSPC));
        drop(slot);
        assert!(spare.hold().is_ok());
        let slot = spare.hold().unwrap();
        let file = Arc::clone(&slot.file);
        assert_eq!(slot.put(&MemFile::default(), 0, &[1]), Err(Errno::NOSPC));
        assert_eq!(spare.hold().err(), Some(Errno::NOSPC), "it is spent");
        file.set_fault(None);
        assert!(spare.hold().is_ok(), "and gets new space");
    }
}
