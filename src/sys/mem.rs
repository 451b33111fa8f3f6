//! An image of a file in memory: the second [`Backing`], for crash tests.
//!
//! It records every change and fails or cuts short the one that a test chose, as a full disk or a
//! crash would. It clones as btrfs and XFS do, whole blocks only, and a block of zeros is a hole.

use parking_lot::Mutex;

use super::{Backing, Errno, Reserve, Result, ShortWrite};

/// The unit that is cloned, or a hole, bytes.
pub const GRAIN: u64 = 4096;

/// A change made to, or refused by, a [`MemFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `len` bytes written at `offset`; of a failed write, those that were written.
    Write {
        /// Position in bytes.
        offset: u64,
        /// Number of bytes.
        len: usize,
    },
    /// The size set.
    SetLen(u64),
    /// Space reserved.
    Reserve {
        /// Position in bytes.
        offset: u64,
        /// Number of bytes.
        len: u64,
        /// What was asked for.
        how: Reserve,
    },
    /// A range zeroed.
    Punch {
        /// Position in bytes.
        offset: u64,
        /// Number of bytes.
        len: u64,
    },
    /// A range taken over from another image.
    Clone {
        /// Position in the source in bytes.
        src_offset: u64,
        /// Number of bytes.
        len: u64,
        /// Position in this image in bytes.
        dst_offset: u64,
    },
    /// Made durable.
    Sync {
        /// Whether metadata was left out.
        data_only: bool,
    },
}

/// Which change fails, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Number of the change, counted from 0 when the fault is set.
    pub nth: usize,
    /// Bytes that are written or zeroed all the same; or cloned, in whole blocks.
    pub written: usize,
    /// The error.
    pub errno: Errno,
    /// What becomes of later changes.
    pub then: Then,
}

/// What comes after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Later changes succeed.
    Well,
    /// Whatever takes space fails too: writes, also to the same place, and reservations.
    Full,
    /// All changes fail without writing anything: the disk is gone.
    Gone,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Change>,
    fault: Option<Fault>,
    /// The fault that every change meets which takes space.
    full: Option<Fault>,
}

/// A file in memory.
#[derive(Debug, Default)]
pub struct MemFile(Mutex<State>);

impl MemFile {
    /// A file with this content.
    pub fn new(bytes: Vec<u8>) -> MemFile {
        MemFile(Mutex::new(State {
            bytes,
            ..State::default()
        }))
    }

    /// A copy of the content, as a crash would leave it now.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().bytes.clone()
    }

    /// The changes since the last call, the failed ones included.
    pub fn take_log(&self) -> Vec<Change> {
        std::mem::take(&mut self.0.lock().log)
    }

    /// As long as the guard lives, every access waits, as on a disk that is busy.
    pub fn stall(&self) -> impl Drop {
        self.0.lock()
    }

    /// Sets the fault to come, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.0.lock();
        state.fault = fault;
        state.full = None;
    }
}

impl State {
    /// Counts a change; the fault if it is this one's turn.
    fn strike(&mut self) -> Option<Fault> {
        let fault = self.fault.as_mut()?;
        if fault.nth > 0 {
            fault.nth -= 1;
            return None;
        }
        let now = *fault;
        fault.written = 0;
        match now.then {
            Then::Well => self.fault = None,
            Then::Full => self.full = self.fault.take(),
            Then::Gone => {}
        }
        Some(now)
    }

    /// As [`State::strike`], for a change that takes space.
    fn strike_growth(&mut self) -> Option<Fault> {
        self.full.or_else(|| self.strike())
    }

    /// Records a change; an error if it is to fail.
    fn record(&mut self, change: Change) -> Result<()> {
        self.log.push(change);
        self.strike().map_or(Ok(()), |fault| Err(fault.errno))
    }

    fn put(&mut self, buf: &[u8], offset: usize) {
        // A write of nothing does not extend a file.
        if buf.is_empty() {
            return;
        }
        let end = offset + buf.len();
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(buf);
    }

    /// The first place from `offset` on in a block that is, or is not, a hole.
    fn seek(&self, offset: u64, wanted: impl Fn(bool) -> bool) -> Result<Option<u64>> {
        let grain = index(GRAIN, 0)?;
        let offset = index(offset, 0)?;
        if offset >= self.bytes.len() {
            return Err(Errno::NXIO);
        }
        let mut blocks = self.bytes.chunks(grain).enumerate().skip(offset / grain);
        let found = blocks.find(|(_, block)| wanted(block.iter().all(|&byte| byte == 0)));
        Ok(found.map(|(number, _)| wide((number * grain).max(offset))))
    }

    /// The part of a range that lies within the content.
    fn within(&self, offset: u64, len: u64) -> std::ops::Range<usize> {
        let clip =
            |at: u64| usize::try_from(at).map_or(self.bytes.len(), |at| at.min(self.bytes.len()));
        clip(offset)..clip(offset.saturating_add(len))
    }
}

/// A position in memory; `EFBIG` if it has none.
fn index(offset: u64, len: usize) -> Result<usize> {
    /// Larger images are a mistake of the test.
    const LARGEST: usize = 1 << 32;
    usize::try_from(offset)
        .ok()
        .filter(|at| at.checked_add(len).is_some_and(|end| end <= LARGEST))
        .ok_or(Errno::FBIG)
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

impl Backing for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let state = self.0.lock();
        let range = state.within(offset, wide(buf.len()));
        buf[..range.len()].copy_from_slice(&state.bytes[range.clone()]);
        Ok(range.len())
    }

    fn read_vectored_at(&self, bufs: &mut [&mut [u8]], offset: u64) -> Result<usize> {
        let mut done = 0;
        for buf in bufs {
            done += self.read_at(buf, offset.saturating_add(wide(done)))?;
        }
        Ok(done)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> core::result::Result<(), ShortWrite> {
        let at = index(offset, buf.len()).map_err(|errno| ShortWrite { written: 0, errno })?;
        let mut state = self.0.lock();
        let fault = state.strike_growth();
        let written = fault.map_or(buf.len(), |fault| fault.written.min(buf.len()));
        state.log.push(Change::Write {
            offset,
            len: written,
        });
        state.put(&buf[..written], at);
        fault.map_or(Ok(()), |fault| {
            Err(ShortWrite {
                written,
                errno: fault.errno,
            })
        })
    }

    fn len(&self) -> Result<u64> {
        Ok(wide(self.0.lock().bytes.len()))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let size = index(len, 0)?;
        let mut state = self.0.lock();
        state.record(Change::SetLen(len))?;
        state.bytes.resize(size, 0);
        Ok(())
    }

    fn reserve(&self, offset: u64, len: u64, how: Reserve) -> Result<()> {
        let mut state = self.0.lock();
        state.log.push(Change::Reserve { offset, len, how });
        let fault = state.strike_growth();
        fault.map_or(Ok(()), |fault| Err(fault.errno))
    }

    fn punch(&self, offset: u64, len: u64) -> Result<()> {
        let mut state = self.0.lock();
        state.log.push(Change::Punch { offset, len });
        let fault = state.strike();
        let done = fault.map_or(len, |fault| wide(fault.written).min(len));
        let range = state.within(offset, done);
        state.bytes[range].fill(0);
        fault.map_or(Ok(()), |fault| Err(fault.errno))
    }

    fn seek_data(&self, offset: u64) -> Result<u64> {
        self.0.lock().seek(offset, |hole| !hole)?.ok_or(Errno::NXIO)
    }

    fn seek_hole(&self, offset: u64) -> Result<u64> {
        let state = self.0.lock();
        let end = wide(state.bytes.len());
        Ok(state.seek(offset, |hole| hole)?.unwrap_or(end))
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.0.lock().record(Change::Sync { data_only })
    }

    fn has_unplaced_data(&self) -> bool {
        false
    }

    fn clone_range(&self, src: &MemFile, src_offset: u64, len: u64, dst_offset: u64) -> Result<()> {
        let source = src.bytes();
        let source_len = wide(source.len());
        let len = match len {
            0 => source_len.saturating_sub(src_offset),
            len => len,
        };
        let (src_end, dst_end) = (src_offset.saturating_add(len), dst_offset + len);
        let mut state = self.0.lock();
        let to_both_ends = src_end == source_len && dst_end >= wide(state.bytes.len());
        let aligned = |at: u64| at.is_multiple_of(GRAIN);
        let ends_well = src_end <= source_len && (aligned(len) || to_both_ends);
        if !(aligned(src_offset) && aligned(dst_offset) && ends_well) {
            return Err(Errno::INVAL);
        }
        let (at, from) = (index(dst_offset, 0)?, index(src_offset, 0)?);
        let fault = state.strike();
        let len = match fault {
            Some(fault) => wide(fault.written).min(len) / GRAIN * GRAIN,
            None => len,
        };
        state.log.push(Change::Clone {
            src_offset,
            len,
            dst_offset,
        });
        state.put(&source[from..index(src_offset + len, 0)?], at);
        fault.map_or(Ok(()), |fault| Err(fault.errno))
    }
}

#[cfg(test)]
mod tests;
