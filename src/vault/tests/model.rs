//! Random operations on a file against the same on plain bytes. `OPS` sets how many, `SEED`
//! replays.

use super::{BLOCK, Kept, content, open, pattern, put, reopened};
use crate::crypto::ContentSuite;
use crate::format::PlainOffset;
use crate::sys::mem::MemFile;
use crate::sys::testing::Rng;
use crate::sys::{Errno, Reserve};
use crate::vault::error::Error;
use crate::vault::file::CipherFile;
use crate::vault::undo::Safety;

const DEFAULT_OPS: u64 = 4000;

/// The file, and what it shall hold.
struct Pair {
    file: CipherFile<MemFile>,
    plain: Vec<u8>,
    chance: Rng,
    /// Where the last write ended.
    end: usize,
}

impl Pair {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.chance.below(end as u64)).unwrap()
    }

    /// A position, mostly at or beside the boundary of a block.
    fn position(&mut self) -> usize {
        let beside = [0, 0, 1, 2047, 4095][self.below(5)];
        self.below(14) * BLOCK + beside
    }

    fn length(&mut self) -> usize {
        match self.below(4) {
            0 => 1 + self.below(BLOCK),
            _ => 1 + self.position(),
        }
    }

    fn step(&mut self) {
        let at = self.position();
        let offset = PlainOffset(at as u64);
        match self.below(11) {
            0..3 => self.read(at),
            3..6 => {
                let len = match self.below(3) {
                    0 => 1 + self.below(700),
                    _ => self.length(),
                };
                // often where the last write has ended
                let at = if self.below(3) == 0 { self.end } else { at };
                let offset = PlainOffset(at as u64);
                self.end = (at + len) % (14 * BLOCK);
                let data = pattern(len, self.below(256));
                self.file.write(offset, &data).unwrap();
                put(&mut self.plain, at, &data);
            }
            6 => {
                self.file.truncate(offset).unwrap();
                self.plain.resize(at, 0);
            }
            7 => {
                let len = self.length();
                if self.below(2) == 0 {
                    self.file.reserve(offset, len as u64).unwrap();
                } else {
                    self.file.reserve_and_grow(offset, len as u64).unwrap();
                    self.plain.resize(self.plain.len().max(at + len), 0);
                }
            }
            8 => self.read_segments(),
            9 => {
                let len = self.length();
                self.file.punch(offset, len as u64).unwrap();
                let size = self.plain.len();
                self.plain[at.min(size)..(at + len).min(size)].fill(0);
            }
            _ => {
                self.file.truncate(PlainOffset(0)).unwrap();
                self.plain.clear();
            }
        }
    }

    fn read(&mut self, at: usize) {
        let len = self.length();
        let mut buf = Vec::new();
        let found = self.file.read(PlainOffset(at as u64), len, &mut buf);
        let end = (at + len).min(self.plain.len());
        assert_eq!(found.unwrap(), &self.plain[at.min(end)..end]);
    }

    /// What lies between two segments of data must be zeros.
    fn read_segments(&mut self) {
        let size = PlainOffset(self.plain.len() as u64);
        let (mut found, mut at) = (vec![0; self.plain.len()], PlainOffset(0));
        while let Ok(start) = self.file.seek_data(at) {
            let end = self.file.seek_hole(start).unwrap();
            assert!(at <= start && start < end && end <= size);
            let (from, to) = (index(start), index(end));
            let mut buf = Vec::new();
            let data = self.file.read(start, to - from, &mut buf).unwrap();
            found[from..to].copy_from_slice(data);
            at = end;
        }
        assert_eq!(found, self.plain);
        for at in [size, PlainOffset(size.0 + 5000)] {
            for answer in [self.file.seek_data(at), self.file.seek_hole(at)] {
                assert!(matches!(answer, Err(Error::Os(Errno::NXIO))));
            }
        }
    }
}

fn index(at: PlainOffset) -> usize {
    usize::try_from(at.0).unwrap()
}

fn run(kept: Kept) {
    let ops = std::env::var("OPS").map_or(DEFAULT_OPS, |ops| ops.parse().unwrap());
    let mut pair = Pair {
        file: open(MemFile::default(), kept),
        plain: Vec::new(),
        chance: Rng::new(Rng::seed()),
        end: 0,
    };
    for number in 1..=ops {
        pair.step();
        if number % 50 == 0 {
            pair.file = reopened(pair.file, kept);
        }
        if number % 10 == 0 {
            assert_eq!(content(&pair.file).unwrap(), pair.plain, "step {number}");
        }
    }
}

#[test]
fn an_aes_gcm_file_behaves_as_plain_bytes() {
    run(Kept(ContentSuite::AesGcm, Safety::Remember));
}

#[test]
fn an_aessiv_file_behaves_as_plain_bytes() {
    run(Kept(
        ContentSuite::AesSiv,
        Safety::Reserve(Reserve::KeepSize),
    ));
}

#[test]
fn an_xchacha_file_behaves_as_plain_bytes() {
    let unshare = Safety::Reserve(Reserve::KeepSizeUnshare);
    run(Kept(ContentSuite::XChaCha, unshare));
}
