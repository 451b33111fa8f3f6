//! Every change that an operation makes fails, at every interesting length, once or for good.
//!
//! A fault for good is a crash as well: nothing reaches the image any more.

use std::cell::Cell;

use super::{BLOCK, Kept, content, open, pattern, put, reopened};
use crate::crypto::ContentSuite;
use crate::format::PlainOffset;
use crate::sys::mem::{Change, Fault, MemFile, Then};
use crate::sys::{Errno, Reserve};
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::undo::Safety;

/// More than this is reserved, not remembered, so that a part of it may stay.
const LONG: usize = 16 * 1024 - 2 * BLOCK;

#[derive(Clone, Copy, Debug)]
enum Op {
    Write { at: usize, len: usize },
    Truncate(usize),
    Reserve { at: usize, len: usize },
    Grow { at: usize, len: usize },
    Punch { at: usize, len: usize },
}

impl Op {
    fn on(self, file: &CipherFile<MemFile>) -> Result<()> {
        let at = |at: usize| PlainOffset(at as u64);
        match self {
            Op::Write { at: from, len } => file.write(at(from), &pattern(len, 77)),
            Op::Truncate(size) => file.truncate(at(size)),
            Op::Reserve { at: from, len } => file.reserve(at(from), len as u64),
            Op::Grow { at: from, len } => file.reserve_and_grow(at(from), len as u64),
            Op::Punch { at: from, len } => file.punch(at(from), len as u64),
        }
    }

    fn on_plain(self, plain: &mut Vec<u8>) {
        match self {
            Op::Write { at, len } => put(plain, at, &pattern(len, 77)),
            Op::Truncate(size) => plain.resize(size, 0),
            Op::Reserve { .. } => {}
            Op::Grow { at, len } => plain.resize(plain.len().max(at + len), 0),
            Op::Punch { at, len } => {
                let size = plain.len();
                plain[at.min(size)..(at + len).min(size)].fill(0);
            }
        }
    }

    fn may_be_done_in_part(self, kept: Kept) -> bool {
        match self {
            Op::Write { len, .. } => kept.1 != Safety::Remember && len > LONG,
            Op::Punch { .. } => true,
            _ => false,
        }
    }

    /// What such an operation frees may be what it needs.
    fn frees_space(self) -> bool {
        matches!(self, Op::Truncate(_) | Op::Punch { .. })
    }

    fn all() -> Vec<Op> {
        let positions = [0, 50, 4000, 5000, 8192, 30_000];
        let mut all: Vec<_> = [0, 1, 50, 4095, 4096, 5000, 12_288, 30_000]
            .map(Op::Truncate)
            .into();
        for at in positions {
            for len in [1, 4096, 9000, 25_000] {
                all.push(Op::Write { at, len });
            }
            for len in [1, 4096, 9000, 25_000] {
                all.push(Op::Punch { at, len });
            }
            all.push(Op::Reserve { at, len: 5000 });
            all.push(Op::Grow { at, len: 5000 });
            all.push(Op::Grow { at, len: 8192 });
        }
        all
    }
}

/// Images to begin with, and what they hold.
fn states(kept: Kept) -> Vec<(Vec<u8>, Vec<u8>)> {
    let of = |plain: &[u8], size: usize| {
        let file = open(MemFile::default(), kept);
        file.write(PlainOffset(0), plain).unwrap();
        file.truncate(PlainOffset(size as u64)).unwrap();
        (file.backing.bytes(), content(&file).unwrap())
    };
    let mut states: Vec<_> = [0, 1, 100, 4095, 4096, 4097, 10_000, 40_000]
        .map(|size| of(&pattern(size, 5), size))
        .into();
    states.push(of(&pattern(100, 5), 30_000));
    states.push(of(&[], 8192));
    // What a crash may leave in place of a header.
    states.push((vec![0], Vec::new()));
    states.push((states[1].0[..18].to_vec(), Vec::new()));
    states
}

/// How far a write or a punch may come before it fails.
fn lengths(change: &Change) -> Vec<usize> {
    let len = match *change {
        Change::Write { len, .. } => len,
        Change::Punch { len, .. } => usize::try_from(len).unwrap(),
        _ => return vec![0],
    };
    let edges = [1, 17, 18, 19, 34, 50, 100, 4096, 4128, 4146, 4147, 8274];
    let mut lengths = vec![0, len / 2, len - 1];
    lengths.extend(edges.into_iter().filter(|edge| edge < &len));
    lengths
}

/// Runs `check` for each fault that can hit an operation: with what was there before, what shall
/// be there after it, the operation, and the fault.
fn each(kept: Kept, then: Then, check: impl Fn(&Vec<u8>, &Vec<u8>, Op, Fault, MemFile)) {
    for (image, before) in states(kept) {
        for op in Op::all() {
            let mut after = before.clone();
            op.on_plain(&mut after);
            let file = open(MemFile::new(image.clone()), kept);
            op.on(&file).unwrap();
            assert_eq!(content(&file).unwrap(), after, "{op:?}");
            for (nth, change) in file.backing.take_log().iter().enumerate() {
                for written in lengths(change) {
                    let errnos = match then {
                        Then::Well => &[Errno::NOSPC, Errno::IO][..],
                        Then::Full => &[Errno::NOSPC],
                        Then::Gone => &[Errno::IO],
                    };
                    for &errno in errnos {
                        let fault = Fault {
                            nth,
                            written,
                            errno,
                            then,
                        };
                        let file = MemFile::new(image.clone());
                        check(&before, &after, op, fault, file);
                    }
                }
            }
        }
    }
}

/// Whether each byte is that of one of the two, or a zero of growth.
fn is_mixed(left: &[u8], before: &[u8], after: &[u8]) -> bool {
    let at = |plain: &[u8], at| plain.get(at).copied().unwrap_or(0);
    let mut bytes = left.iter().enumerate();
    bytes.all(|(i, &byte)| byte == at(before, i) || byte == at(after, i))
}

/// Does an operation that meets a fault; returns what came of it, and the file with what it holds.
fn meet(
    kept: Kept,
    op: Op,
    fault: Fault,
    image: MemFile,
    told: &str,
) -> (Result<()>, CipherFile<MemFile>, Vec<u8>) {
    let file = open(image, kept);
    file.backing.set_fault(Some(fault));
    let done = op.on(&file);
    file.backing.set_fault(None);
    let left = content(&file).unwrap_or_else(|error| panic!("{told}: {error}"));
    let file = reopened(file, kept);
    assert_eq!(content(&file).unwrap(), left, "what was known: {told}");
    (done, file, left)
}

fn survives_one_fault(kept: Kept) {
    each(kept, Then::Well, |before, after, op, fault, image| {
        let told = format!("{op:?} on {} bytes, {fault:?}, {kept:?}", before.len());
        let (done, file, left) = meet(kept, op, fault, image, &told);
        match done {
            Ok(()) => assert_eq!(&left, after, "{told}"),
            Err(_) if op.may_be_done_in_part(kept) => {
                assert!(is_mixed(&left, before, after), "{told}");
                assert_eq!(left.len(), before.len(), "{told}");
            }
            // What is behind the block that is cut in two goes first.
            Err(_) if op.frees_space() => {
                assert!(before.starts_with(&left), "{told}");
                assert!(left.len() >= before.len().min(after.len()), "{told}");
            }
            Err(_) => assert_eq!(&left, before, "{told}"),
        }
        op.on(&file)
            .unwrap_or_else(|error| panic!("{told}: {error}"));
        assert_eq!(&content(&file).unwrap(), after, "again: {told}");
    });
}

/// A disk that stays full: not even old bytes can be written once more.
fn survives_a_full_disk(kept: Kept) {
    each(kept, Then::Full, |before, after, op, fault, image| {
        let told = format!("{op:?} on {} bytes, {fault:?}, {kept:?}", before.len());
        let (done, _, left) = meet(kept, op, fault, image, &told);
        let sizes = before.len().min(after.len())..=before.len().max(after.len());
        assert!(sizes.contains(&left.len()), "{told}");
        match done {
            Ok(()) => assert_eq!(&left, after, "{told}"),
            Err(_) if op.may_be_done_in_part(kept) || op.frees_space() => {
                assert!(is_mixed(&left, before, after), "{told}");
            }
            // Growth may stay.
            Err(_) => assert!(left.starts_with(before), "{told}"),
        }
    });
}

/// What the image shows after a crash: each block on its own. Only a write that was torn itself may
/// leave a block that does not open.
fn survives_a_crash(kept: Kept) {
    let (cuts, torn) = (Cell::new(0), Cell::new(0));
    each(kept, Then::Gone, |before, after, op, fault, image| {
        let told = || format!("{op:?} on {} bytes, {fault:?}, {kept:?}", before.len());
        let file = open(image, kept);
        file.backing.set_fault(Some(fault));
        let _ = op.on(&file);
        file.backing.set_fault(None);
        let file = reopened(file, kept);
        let size = usize::try_from(file.plain_size().unwrap().0).unwrap();
        let mut bad = 0;
        for start in (0..size).step_by(BLOCK) {
            let mut buf = Vec::new();
            let from = |plain: &Vec<u8>| plain.get(start..).unwrap_or_default().to_vec();
            match file.read(PlainOffset(start as u64), BLOCK, &mut buf) {
                Ok(block) => assert!(
                    is_mixed(block, &from(before), &from(after)),
                    "block at {start}: {}",
                    told()
                ),
                Err(_) => bad += 1,
            }
        }
        let left = usize::try_from(file.plain_size().unwrap().0).unwrap();
        assert!(left >= before.len().min(after.len()), "{left}: {}", told());
        assert!(
            bad <= usize::from(fault.written > 0),
            "{bad} are bad: {}",
            told()
        );
        cuts.set(cuts.get() + 1);
        torn.set(torn.get() + bad);
    });
    println!("{kept:?}: {} cuts, {} torn writes", cuts.get(), torn.get());
}

const REMEMBERED: Kept = Kept(ContentSuite::AesGcm, Safety::Remember);
const RESERVED: Kept = Kept(ContentSuite::AesGcm, Safety::Reserve(Reserve::KeepSize));

const INSURED: Kept = Kept(ContentSuite::AesGcm, Safety::Insure);

#[test]
fn one_fault_leaves_an_insured_file_readable() {
    survives_one_fault(INSURED);
}

#[test]
fn a_full_disk_leaves_an_insured_file_readable() {
    survives_a_full_disk(INSURED);
}

#[test]
fn a_crash_loses_at_most_the_block_being_written_of_an_insured_file() {
    survives_a_crash(INSURED);
}

#[test]
fn one_fault_leaves_a_remembered_file_as_before_or_as_asked() {
    survives_one_fault(REMEMBERED);
}

#[test]
fn one_fault_leaves_a_reserved_file_readable() {
    survives_one_fault(RESERVED);
}

#[test]
fn a_crash_loses_at_most_the_block_being_written_of_a_remembered_file() {
    survives_a_crash(REMEMBERED);
}

#[test]
fn a_crash_loses_at_most_the_block_being_written_of_a_reserved_file() {
    survives_a_crash(RESERVED);
}
