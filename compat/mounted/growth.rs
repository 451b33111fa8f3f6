//! How files grow and shrink on disk: which blocks are data, which are holes.

use super::Session;
use crate::support::tree::pattern;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

const HEADER: usize = 18;
const CIPHER_BLOCK: usize = 4128;

/// The encrypted file block by block: `D` for data, `0` for a hole, `pN` for N bytes at the end.
fn map(session: &Session) -> String {
    let stored = fs::read(session.the_encrypted()).unwrap();
    let body = stored.get(HEADER..).unwrap_or_default();
    let block = |block: &[u8]| match block.len() {
        CIPHER_BLOCK if block.iter().all(|byte| *byte == 0) => "0".to_owned(),
        CIPHER_BLOCK => "D".to_owned(),
        len => format!("p{len}"),
    };
    let blocks: Vec<_> = body.chunks(CIPHER_BLOCK).map(block).collect();
    blocks.join(" ")
}

/// Does `change` to a file of `len` bytes; returns its map. The content must come out as zeros
/// where nothing was written.
fn grow(len: usize, change: impl Fn(&File)) -> String {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, pattern(len)).unwrap();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    change(&file);
    let found = fs::read(&path).unwrap();
    let kept = len.min(found.len());
    assert!(
        found[..kept] == pattern(len)[..kept],
        "the start has changed"
    );
    let is_empty = |byte: &u8| *byte == 0 || *byte == b'x';
    assert!(found[kept..].iter().all(is_empty), "the rest is not empty");
    map(&session)
}

fn resized(from: usize, to: u64) -> String {
    grow(from, |file| file.set_len(to).unwrap())
}

fn written(from: usize, at: u64) -> String {
    grow(from, |file| file.write_all_at(b"x", at).unwrap())
}

#[test]
fn growing_an_empty_file_leaves_holes() {
    assert_eq!(resized(0, 4096), "0");
    assert_eq!(resized(0, 100), "p132");
    assert_eq!(resized(0, 4097), "0 p33");
    assert_eq!(resized(0, 10_000), "0 0 p1840");
}

#[test]
fn growing_pads_the_old_last_block() {
    assert_eq!(resized(100, 200), "p232");
    assert_eq!(resized(100, 12_288), "D 0 0");
    assert_eq!(resized(100, 12_289), "D 0 0 p33");
    assert_eq!(resized(100, 100), "p132");
}

#[test]
fn writing_past_the_end_pads_the_old_last_block() {
    assert_eq!(written(100, 5000), "D p937");
    assert_eq!(written(100, 8193), "D 0 p34");
    assert_eq!(written(100, 20_000), "D 0 0 0 p3649");
    assert_eq!(written(0, 20_000), "0 0 0 0 p3649");
    assert_eq!(written(4096, 8192), "D 0 p33");
}

#[test]
fn writing_into_a_hole_makes_one_block_data() {
    let map = grow(0, |file| {
        file.set_len(16_384).unwrap();
        file.write_all_at(b"x", 5000).unwrap();
    });
    assert_eq!(map, "0 D 0 0");
}

#[test]
fn shrinking_keeps_the_start() {
    assert_eq!(resized(12_000, 8192), "D D");
    assert_eq!(resized(12_000, 5000), "D p936");
    assert_eq!(resized(12_000, 1), "p33");
    assert_eq!(resized(12_000, 0), "");
}

#[test]
fn allocation_grows_as_truncation_does() {
    let none = FallocateFlags::empty();
    assert_eq!(
        grow(0, |file| fallocate(file, none, 0, 8192).unwrap()),
        "0 0"
    );
    assert_eq!(
        grow(100, |file| fallocate(file, none, 0, 8193).unwrap()),
        "D 0 p33"
    );
}

/// The map of a file of five blocks and a half after `fallocate`; zeros must be where it says.
fn emptied(flags: FallocateFlags, at: usize, len: usize) -> String {
    const SIZE: usize = 22_528;
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, pattern(SIZE)).unwrap();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    fallocate(&file, flags, at as u64, len as u64).unwrap();
    let mut wanted = pattern(SIZE);
    wanted[at.min(SIZE)..(at + len).min(SIZE)].fill(0);
    if !flags.contains(FallocateFlags::KEEP_SIZE) {
        wanted.resize(SIZE.max(at + len), 0);
    }
    assert!(fs::read(&path).unwrap() == wanted, "{len} at {at}");
    map(&session)
}

#[test]
fn a_punch_turns_whole_blocks_into_holes_and_seals_the_ends_anew() {
    let punch = |at, len| {
        emptied(
            FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            at,
            len,
        )
    };
    assert_eq!(punch(0, 4096), "0 D D D D p2080");
    assert_eq!(punch(4096, 8192), "D 0 0 D D p2080");
    assert_eq!(punch(100, 9000), "D 0 D D D p2080");
    assert_eq!(punch(5000, 10), "D D D D D p2080");
    assert_eq!(punch(4095, 16_386), "D 0 0 0 0 p2080");
    assert_eq!(punch(0, 1 << 30), "0 0 0 0 0 p2080");
    assert_eq!(punch(22_528, 4096), "D D D D D p2080");
    assert_eq!(punch(1 << 40, 1), "D D D D D p2080");
}

#[test]
fn a_punch_gives_space_back() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    file.write_all_at(&pattern(1 << 20), 0).unwrap();
    let before = file.metadata().unwrap().blocks();
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(&file, punch, 0, 1 << 20).unwrap();
    let left = file.metadata().unwrap().blocks();
    assert!(left * 20 < before, "{left} of {before} blocks are left");
}

#[test]
fn a_range_of_zeros_keeps_or_grows_the_size() {
    let zero = |at, len| emptied(FallocateFlags::ZERO_RANGE, at, len);
    assert_eq!(zero(4096, 8192), "D 0 0 D D p2080");
    assert_eq!(zero(16_384, 16_384), "D D D D 0 D 0 0");
    let keep = FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE;
    assert_eq!(emptied(keep, 16_384, 1 << 20), "D D D D 0 p2080");
}

#[test]
fn zeros_that_are_written_are_encrypted() {
    let map = grow(0, |file| file.write_all_at(&[0; 8192], 0).unwrap());
    assert_eq!(map, "D D");
}

#[test]
fn shrinking_and_growing_again_shows_no_old_data() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, pattern(20_000)).unwrap();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    file.set_len(100).unwrap();
    file.set_len(20_000).unwrap();
    let found = fs::read(&path).unwrap();
    assert!(found[100..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_hole_takes_no_space() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    file.write_all_at(b"end", 1 << 40).unwrap();
    let found = file.metadata().unwrap();
    assert_eq!(found.len(), (1 << 40) + 3);
    assert!(found.blocks() < 100, "{} blocks", found.blocks());
}
