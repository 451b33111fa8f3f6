//! Where a file's data lies on the device: `FS_IOC_FIEMAP` of `ioctl(2)`, described in the kernel's
//! `filesystems/fiemap.rst`.

use std::ops::Range;
use std::os::fd::AsFd;

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

use super::{File, Result};

/// Extents asked for at a time.
const AT_ONCE: u32 = 64;
const LAST: u32 = 0x1;
const DELAYED: u32 = 0x4;
const SHARED: u32 = 0x2000;

/// A run of bytes that lies in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where it is in the file, bytes.
    pub start: u64,
    /// Its length, bytes.
    pub len: u64,
    /// Other files lead to the same place.
    pub shared: bool,
    /// It has no place yet.
    pub unplaced: bool,
}

/// `struct fiemap_extent`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct RawExtent {
    logical: u64,
    physical: u64,
    length: u64,
    reserved64: [u64; 2],
    flags: u32,
    reserved: [u32; 3],
}

/// `struct fiemap` without its extents.
#[repr(C)]
struct Head {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    count: u32,
    reserved: u32,
}

/// `struct fiemap` with room for some extents.
#[repr(C)]
struct Request {
    head: Head,
    extents: [RawExtent; AT_ONCE as usize],
}

const FIEMAP: Opcode = opcode::read_write::<Head>(b'f', 11);

impl File {
    /// The extents of the file. `EOPNOTSUPP` where the filesystem does not tell.
    pub fn extents(&self) -> Result<Vec<Extent>> {
        self.extents_in(0..u64::MAX)
    }

    /// The extents that a range of the file touches.
    pub(super) fn extents_in(&self, range: Range<u64>) -> Result<Vec<Extent>> {
        let mut extents = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let request = extents_at(self, start..range.end)?;
            let found = &request.extents[..request.head.mapped.min(AT_ONCE) as usize];
            extents.extend(found.iter().map(Extent::from));
            match found.last() {
                Some(last) if last.flags & LAST == 0 => {
                    start = last.logical.saturating_add(last.length);
                }
                _ => break,
            }
        }
        Ok(extents)
    }
}

impl From<&RawExtent> for Extent {
    fn from(raw: &RawExtent) -> Extent {
        Extent {
            start: raw.logical,
            len: raw.length,
            shared: raw.flags & SHARED != 0,
            unplaced: raw.flags & DELAYED != 0,
        }
    }
}

fn extents_at(file: impl AsFd, range: Range<u64>) -> Result<Request> {
    let mut request = Request {
        head: Head {
            start: range.start,
            length: range.end.saturating_sub(range.start),
            flags: 0,
            mapped: 0,
            count: AT_ONCE,
            reserved: 0,
        },
        extents: [RawExtent::default(); AT_ONCE as usize],
    };
    // SAFETY: the operation reads and writes one `struct fiemap` followed by as many extents as
    // its count says, which is the layout of `Request`.
    #[allow(unsafe_code)]
    unsafe {
        ioctl(file, Updater::<FIEMAP, Request>::new(&mut request))?;
    }
    Ok(request)
}
