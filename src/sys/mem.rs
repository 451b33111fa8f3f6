//! An image of a file in memory: the second [`Backing`], for crash tests.
//!
//! It records every change and fails or cuts short the one that a test chose, as a full disk or a
//! crash would. Ranges are all data: it knows no holes but the one at its end.

use parking_lot::Mutex;

use super::{Backing, Errno, Reserve, Result, ShortWrite};

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
    /// Bytes that are written all the same, if the change is a write.
    pub written: usize,
    /// The error.
    pub errno: Errno,
    /// Whether all later changes fail too, without writing anything: the disk is gone.
    pub lasting: bool,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Change>,
    fault: Option<Fault>,
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

    /// Sets the fault to come, or none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.0.lock().fault = fault;
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
        if !now.lasting {
            self.fault = None;
        }
        Some(now)
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
        let fault = state.strike();
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
        self.0.lock().record(Change::Reserve { offset, len, how })
    }

    fn punch(&self, offset: u64, len: u64) -> Result<()> {
        let mut state = self.0.lock();
        state.record(Change::Punch { offset, len })?;
        let range = state.within(offset, len);
        state.bytes[range].fill(0);
        Ok(())
    }

    fn seek_data(&self, offset: u64) -> Result<u64> {
        if offset < self.len()? {
            Ok(offset)
        } else {
            Err(Errno::NXIO)
        }
    }

    fn seek_hole(&self, offset: u64) -> Result<u64> {
        let len = self.len()?;
        if offset < len {
            Ok(len)
        } else {
            Err(Errno::NXIO)
        }
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.0.lock().record(Change::Sync { data_only })
    }

    fn has_unplaced_data(&self) -> bool {
        false
    }

    fn clone_range(&self, src: &MemFile, src_offset: u64, len: u64, dst_offset: u64) -> Result<()> {
        let copied = {
            let source = src.0.lock();
            let len = if len == 0 { u64::MAX } else { len };
            source.bytes[source.within(src_offset, len)].to_vec()
        };
        let at = index(dst_offset, copied.len())?;
        let mut state = self.0.lock();
        state.record(Change::Clone {
            src_offset,
            len: wide(copied.len()),
            dst_offset,
        })?;
        state.put(&copied, at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Rng, Scratch, name};
    use crate::sys::{File, OpenFlags};

    /// One random operation; what can be seen of it is returned.
    fn step(backing: &impl Backing, rng: &mut Rng) -> (usize, Vec<u8>, Result<u64>) {
        const SPACE: u64 = 10_000;
        let (offset, len) = (rng.below(SPACE), rng.below(3000));
        let mut buf = vec![0; usize::try_from(len).unwrap()];
        let count = match rng.below(6) {
            0 => backing.read_at(&mut buf, offset).unwrap(),
            1 => {
                let (left, right) = buf.split_at_mut(usize::try_from(rng.below(len + 1)).unwrap());
                let bufs = &mut [left, right][..];
                backing.read_vectored_at(bufs, offset).unwrap()
            }
            2 => {
                backing.set_len(offset).unwrap();
                0
            }
            3 => {
                backing.punch(offset, len + 1).unwrap();
                0
            }
            4 => {
                backing.reserve(offset, len + 1, Reserve::KeepSize).unwrap();
                0
            }
            _ => {
                buf.fill(u8::try_from(rng.below(256)).unwrap());
                backing.write_at(&buf, offset).unwrap();
                0
            }
        };
        (count, buf, backing.len())
    }

    #[test]
    fn an_image_behaves_as_a_file() {
        let seed = Rng::seed();
        let (mut for_image, mut for_file) = (Rng::new(seed), Rng::new(seed));
        let scratch = Scratch::new();
        let file: File = scratch
            .dir
            .create_file(name("f"), OpenFlags::RDWR, 0o600)
            .unwrap();
        let image = MemFile::default();
        for _ in 0..2000 {
            assert_eq!(step(&image, &mut for_image), step(&file, &mut for_file));
        }
        let mut content = vec![0; 20_000];
        let len = file.read_at(&mut content, 0).unwrap();
        assert_eq!(image.bytes(), content[..len]);
    }

    #[test]
    fn the_chosen_write_is_cut_short_and_later_ones_pass() {
        let image = MemFile::new(vec![1; 4]);
        image.set_fault(Some(Fault {
            nth: 1,
            written: 2,
            errno: Errno::NOSPC,
            lasting: false,
        }));
        assert_eq!(image.set_len(8), Ok(()));
        assert_eq!(
            image.write_at(&[9; 4], 6),
            Err(ShortWrite {
                written: 2,
                errno: Errno::NOSPC
            })
        );
        assert_eq!(image.write_at(&[7], 0), Ok(()));
        assert_eq!(image.bytes(), [7, 1, 1, 1, 0, 0, 9, 9]);
        assert_eq!(
            image.take_log(),
            [
                Change::SetLen(8),
                Change::Write { offset: 6, len: 2 },
                Change::Write { offset: 0, len: 1 }
            ]
        );
    }

    #[test]
    fn after_a_lasting_fault_nothing_changes_any_more() {
        let image = MemFile::new(vec![1; 4]);
        image.set_fault(Some(Fault {
            nth: 0,
            written: 1,
            errno: Errno::IO,
            lasting: true,
        }));
        assert!(image.write_at(&[5; 3], 0).is_err());
        assert!(image.write_at(&[6; 3], 0).is_err());
        assert_eq!(image.set_len(0), Err(Errno::IO));
        assert_eq!(image.sync(false), Err(Errno::IO));
        assert_eq!(image.bytes(), [5, 1, 1, 1]);
    }

    #[test]
    fn a_clone_to_the_end_copies_the_tail() {
        let (src, dst) = (MemFile::new(vec![1, 2, 3, 4]), MemFile::default());
        dst.clone_range(&src, 1, 0, 2).unwrap();
        assert_eq!(dst.bytes(), [0, 0, 2, 3, 4]);
    }
}
