//! The table of valid clones, row by row.

use super::edges;
use super::{BLOCK, Ground, SHARING, Space, WHOLE, bytes, cipher_range, copy, copy_in_pieces, run};
use crate::support::disk::Kind;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// What the target is before the copy.
#[derive(Clone, Copy)]
enum Before {
    Empty,
    /// It held something else and was cut to nothing.
    Truncated,
    /// One hole of this size.
    Hole(u64),
    /// As that, but for a block of zeros at the beginning.
    Zeros(u64),
    /// Bytes of its own.
    Other(usize),
    /// Cloned from the source, then overwritten, and this long.
    Family(usize),
}

/// What of the copied range shares its storage afterwards.
#[derive(Clone, Copy)]
enum Share {
    All,
    /// All but a few blocks at its ends.
    Inner,
    Nothing,
}

/// One copy: the size of the source, what the target is, from and to which place how much.
struct Row(usize, Before, u64, u64, u64, Share);

const ROWS: [Row; 34] = [
    // into an empty file
    Row(300_000, Before::Empty, 0, 0, WHOLE, Share::All),
    Row(303_104, Before::Empty, 0, 0, WHOLE, Share::All),
    Row(300_000, Before::Truncated, 0, 0, WHOLE, Share::All),
    Row(300_000, Before::Empty, 0, 0, 204_800, Share::Inner),
    Row(300_000, Before::Empty, 0, 0, 200_001, Share::Inner),
    Row(300_000, Before::Empty, 40_960, 40_960, WHOLE, Share::Inner),
    Row(
        300_000,
        Before::Empty,
        40_961,
        40_961,
        200_000,
        Share::Inner,
    ),
    Row(300_000, Before::Empty, 0, 4096, WHOLE, Share::Nothing),
    Row(300_000, Before::Empty, 4096, 0, WHOLE, Share::Nothing),
    // too small to be worth it
    Row(1, Before::Empty, 0, 0, WHOLE, Share::Nothing),
    Row(500, Before::Truncated, 0, 0, WHOLE, Share::Nothing),
    Row(16_383, Before::Empty, 0, 0, WHOLE, Share::Nothing),
    Row(16_384, Before::Empty, 0, 0, WHOLE, Share::All),
    Row(20_000, Before::Other(100), 0, 0, WHOLE, Share::All),
    // into one hole
    Row(300_000, Before::Hole(300_000), 0, 0, WHOLE, Share::All),
    Row(300_000, Before::Hole(700_000), 0, 0, WHOLE, Share::Inner),
    Row(
        300_000,
        Before::Hole(700_001),
        81_920,
        81_920,
        131_072,
        Share::Inner,
    ),
    Row(
        300_000,
        Before::Hole(9000),
        40_960,
        40_960,
        WHOLE,
        Share::Inner,
    ),
    Row(
        300_000,
        Before::Hole(8192),
        4100,
        4100,
        200_000,
        Share::Inner,
    ),
    Row(300_000, Before::Zeros(300_001), 0, 0, 98_304, Share::Inner),
    // over all of another file
    Row(300_000, Before::Other(300_000), 0, 0, WHOLE, Share::All),
    Row(300_000, Before::Other(1000), 0, 0, WHOLE, Share::All),
    Row(300_000, Before::Other(200_704), 0, 0, 204_800, Share::Inner),
    Row(
        300_000,
        Before::Other(204_801),
        0,
        0,
        204_801,
        Share::Nothing,
    ),
    // over a part of another file
    Row(300_000, Before::Other(300_001), 0, 0, WHOLE, Share::Nothing),
    Row(
        300_000,
        Before::Other(300_000),
        8192,
        8192,
        81_920,
        Share::Nothing,
    ),
    Row(
        300_000,
        Before::Other(300_000),
        0,
        4096,
        WHOLE,
        Share::Nothing,
    ),
    // between files of one ID
    Row(300_000, Before::Family(300_000), 0, 0, WHOLE, Share::All),
    Row(
        300_000,
        Before::Family(300_000),
        40_960,
        40_960,
        81_920,
        Share::Inner,
    ),
    Row(
        300_000,
        Before::Family(300_000),
        40_000,
        40_000,
        81_921,
        Share::Inner,
    ),
    Row(
        300_000,
        Before::Family(300_000),
        204_800,
        204_800,
        WHOLE,
        Share::Inner,
    ),
    Row(300_000, Before::Family(400_000), 0, 0, WHOLE, Share::Inner),
    Row(
        300_000,
        Before::Family(5000),
        40_000,
        40_000,
        WHOLE,
        Share::Inner,
    ),
    Row(
        300_000,
        Before::Family(300_000),
        4096,
        8192,
        81_920,
        Share::Nothing,
    ),
];

fn prepare(ground: &Ground, name: &str, before: Before, source: &File) -> (File, Vec<u8>) {
    let own = |len| bytes(77, len);
    let file = ground.open(name);
    let content = match before {
        Before::Empty => Vec::new(),
        Before::Truncated => {
            file.write_all_at(&own(50_000), 0).unwrap();
            file.set_len(0).unwrap();
            Vec::new()
        }
        Before::Hole(size) => {
            file.set_len(size).unwrap();
            vec![0; usize::try_from(size).unwrap()]
        }
        Before::Zeros(size) => {
            file.write_all_at(&[0; 4096], 0).unwrap();
            file.set_len(size).unwrap();
            vec![0; usize::try_from(size).unwrap()]
        }
        Before::Other(len) => {
            file.write_all_at(&own(len), 0).unwrap();
            own(len)
        }
        Before::Family(len) => {
            copy(source, &file, 0, 0, WHOLE).unwrap();
            file.write_all_at(&own(len), 0).unwrap();
            file.set_len(len as u64).unwrap();
            own(len)
        }
    };
    file.sync_all().unwrap();
    (file, content)
}

fn do_row(ground: &Ground, number: usize, row: &Row) {
    let Row(size, before, from, to, len, share) = *row;
    let what = format!("row {number}");
    let (source_name, name) = (format!("{number}-source"), format!("{number}-target"));
    let content = bytes(1, size);
    let source = ground.write(&source_name, &content);
    let (target, mut wanted) = prepare(ground, &name, before, &source);
    // pages that the kernel has cached must not survive
    assert!(ground.read(&name) == wanted, "{what}, before");

    let copied = copy(&source, &target, from, to, len).unwrap();
    let start = usize::try_from(from).unwrap();
    assert_eq!(copied, len.min((size - start) as u64), "{what}");
    let at = usize::try_from(to).unwrap();
    let end = at + usize::try_from(copied).unwrap();
    wanted.resize(wanted.len().max(end), 0);
    wanted[at..end].copy_from_slice(&content[start..][..end - at]);
    assert!(ground.read(&name) == wanted, "{what}");

    let range = match share {
        Share::Inner => cipher_range(to..to + copied),
        Share::All | Share::Nothing => 0..u64::MAX,
    };
    let Space { own, shared } = ground.space_in(&name, range);
    match share {
        Share::All => assert!(own == 0 && shared > 0, "{what}: {own} own"),
        Share::Inner => assert!(own <= 3 * BLOCK && shared > 16 * BLOCK, "{what}: {own} own"),
        Share::Nothing => assert_eq!(shared, 0, "{what}"),
    }
}

/// From one copy to the next, nothing that was written in between may be lost.
fn pieces(ground: &Ground) {
    let content = bytes(3, 1_500_000);
    let source = ground.write("pieces", &content);
    for piece in [4096, 32 << 10, 100_000, 512 << 10, 1 << 20] {
        let name = format!("pieces of {piece}");
        let target = ground.open(&name);
        copy_in_pieces(&source, &target, piece);
        assert!(ground.read(&name) == content, "{name}");
        let Space { own, .. } = ground.space_of(&name);
        // the seams of pieces that are no whole blocks are sealed
        let seams = if piece % BLOCK == 0 {
            0
        } else {
            1_500_000 / piece + 1
        };
        assert!(own <= seams * 3 * BLOCK, "{name}: {own} own");
    }
}

#[test]
fn every_row_of_the_table_shares_what_it_can() {
    for kind in SHARING {
        run(kind, "the table of clones", |ground| {
            for (number, row) in ROWS.iter().enumerate() {
                do_row(ground, number, row);
            }
        });
    }
}

#[test]
fn pieces_of_any_size_share_everything_in_the_end() {
    for kind in SHARING {
        run(kind, "copies in pieces", pieces);
    }
}

#[test]
fn without_shared_storage_copies_are_right_too() {
    for kind in [Kind::Ext4, Kind::Tmpfs] {
        run(kind, "copies", |ground| {
            for (number, row) in ROWS.iter().enumerate() {
                let row = Row(row.0, row.1, row.2, row.3, row.4, Share::Nothing);
                do_row(ground, number, &row);
            }
            edges::one_file(ground);
            edges::open_handles(ground);
        });
    }
}
