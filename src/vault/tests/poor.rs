//! Backing files that lack something: no holes can be punched, or a place cannot be read.

use std::ops::Range;
use std::sync::Arc;

use super::{BLOCK, Kept, content, open, pattern};
use crate::crypto::ContentSuite;
use crate::format::{HEADER_LEN, PlainOffset};
use crate::sys::mem::{Fault, MemFile, Then};
use crate::sys::{Backing, Errno, Reserve, Result, ShortWrite};
use crate::vault::error::Error;
use crate::vault::file::CipherFile;
use crate::vault::spare::Spare;
use crate::vault::undo::Safety;

const KEPT: Kept = Kept(ContentSuite::AesGcm, Safety::Remember);

/// An image with a bad spot. It cannot punch holes.
struct Poor {
    image: MemFile,
    bad: Range<u64>,
}

impl Backing for Poor {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        if offset < self.bad.end && offset + buf.len() as u64 > self.bad.start {
            return Err(Errno::IO);
        }
        self.image.read_at(buf, offset)
    }

    fn read_vectored_at(&self, bufs: &mut [&mut [u8]], offset: u64) -> Result<usize> {
        self.image.read_vectored_at(bufs, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> core::result::Result<(), ShortWrite> {
        self.image.write_at(buf, offset)
    }

    fn len(&self) -> Result<u64> {
        self.image.len()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.image.set_len(len)
    }

    fn reserve(&self, _: u64, _: u64, _: Reserve) -> Result<()> {
        Err(Errno::OPNOTSUPP)
    }

    fn punch(&self, _: u64, _: u64) -> Result<()> {
        Err(Errno::OPNOTSUPP)
    }

    fn seek_data(&self, offset: u64) -> Result<u64> {
        self.image.seek_data(offset)
    }

    fn seek_hole(&self, offset: u64) -> Result<u64> {
        self.image.seek_hole(offset)
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        self.image.sync(data_only)
    }

    fn has_unplaced_data(&self) -> bool {
        false
    }

    fn clone_range(&self, _: &Poor, _: u64, _: u64, _: u64) -> Result<()> {
        Err(Errno::OPNOTSUPP)
    }
}

/// A file on such an image that `prepare` has filled.
fn poor(prepare: impl Fn(&CipherFile<MemFile>), bad: Range<u64>) -> CipherFile<Poor> {
    let file = open(MemFile::default(), KEPT);
    prepare(&file);
    CipherFile {
        backing: Poor {
            image: file.backing,
            bad,
        },
        registration: file.registration,
        codec: Arc::clone(&file.codec),
        safety: Safety::Reserve(Reserve::KeepSize),
        opened_size: 0,
        spare: Arc::new(Spare::new(4096, || Err(Errno::OPNOTSUPP))),
        reflinks: file.reflinks,
        read_only: false,
    }
}

fn full_after(written: usize) -> Fault {
    Fault {
        nth: 0,
        written,
        errno: Errno::NOSPC,
        then: Then::Well,
    }
}

#[test]
fn a_hole_becomes_whole_again_where_none_can_be_punched() {
    let size = PlainOffset(4 * BLOCK as u64);
    let file = poor(|file| file.truncate(size).unwrap(), 0..0);
    file.backing.image.set_fault(Some(full_after(5000)));
    let failed = file.write(PlainOffset(0), &pattern(3 * BLOCK, 1));
    assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))));
    let bytes = file.backing.image.bytes();
    assert!(bytes[HEADER_LEN..].iter().all(|&byte| byte == 0));
}

#[test]
fn where_no_space_can_be_reserved_long_overwrites_are_remembered() {
    let old = pattern(20 * BLOCK, 1);
    let file = poor(|file| file.write(PlainOffset(0), &old).unwrap(), 0..0);
    file.backing.image.set_fault(Some(full_after(33_333)));
    let failed = file.write(PlainOffset(100), &pattern(30 * BLOCK, 2));
    assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))));
    let left = open(MemFile::new(file.backing.image.bytes()), KEPT);
    assert_eq!(content(&left).unwrap(), old);
}

#[test]
fn small_writes_one_after_the_other_read_nothing_back() {
    let data = pattern(10_000, 1);
    let file = poor(|_| (), 0..u64::MAX);
    for (number, piece) in data.chunks(700).enumerate() {
        file.write(PlainOffset(number as u64 * 700), piece).unwrap();
    }
    let left = open(MemFile::new(file.backing.image.bytes()), KEPT);
    assert_eq!(content(&left).unwrap(), data);
}

#[test]
fn what_cannot_be_read_is_not_touched() {
    let data = pattern(3 * BLOCK, 1);
    let bad = 4200..4201;
    let file = poor(|file| file.write(PlainOffset(0), &data).unwrap(), bad);
    let before = file.backing.image.bytes();
    let at = PlainOffset(BLOCK as u64 + 7);
    let is_refused = |done| matches!(done, Err(Error::Os(Errno::IO)));
    assert!(is_refused(file.write(at, &[1])));
    assert!(is_refused(file.truncate(at)));
    assert!(is_refused(file.read(at, 1, &mut Vec::new()).map(|_| ())));
    assert_eq!(file.backing.image.bytes(), before);
    let mut buf = Vec::new();
    let first = file.read(PlainOffset(0), BLOCK - 1, &mut buf).unwrap();
    assert_eq!(first, &data[..BLOCK - 1], "other blocks still read");
}

#[test]
fn positions_that_no_file_has_are_refused() {
    let file = open(MemFile::default(), KEPT);
    file.write(PlainOffset(0), b"x").unwrap();
    let is_too_big = |done| matches!(done, Err(Error::Os(Errno::FBIG | Errno::INVAL)));
    for at in [1 << 62, u64::MAX / 2, u64::MAX - 1, u64::MAX].map(PlainOffset) {
        assert!(is_too_big(file.write(at, b"yy")));
        assert!(is_too_big(file.truncate(at)));
        assert!(is_too_big(file.reserve_and_grow(at, 5000)));
        let mut buf = Vec::new();
        assert_eq!(file.read(at, 1 << 20, &mut buf).unwrap(), b"");
        assert!(file.seek_data(at).is_err() && file.seek_hole(at).is_err());
    }
    assert_eq!(content(&file).unwrap(), b"x");
}
