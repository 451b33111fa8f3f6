//! The table of valid clones, row by row, and what lies between its rows.

use super::{BLOCK, Ground, SHARING, Space, WHOLE, bytes, cipher_range, copy, copy_in_pieces};
use crate::support::disk::Kind;
use rustix::io::Errno;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

/// What the target is before the copy.
#[derive(Clone, Copy)]
enum Before {
    Empty,
    /// It held something else and was cut to nothing.
    Truncated,
    /// One hole of this size.
    Hole(u64),
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

const ROWS: [Row; 28] = [
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

fn holes(ground: &Ground) {
    let source = ground.open("holes");
    for at in [0, 1 << 20, 5 << 20, 15 << 20] {
        source.write_all_at(&bytes(5, 200_000), at).unwrap();
    }
    source.set_len((20 << 20) + 5).unwrap();
    source.sync_all().unwrap();
    let target = ground.open("copied holes");
    assert_eq!(copy(&source, &target, 0, 0, WHOLE), Ok((20 << 20) + 5));
    assert!(ground.read("holes") == ground.read("copied holes"));
    let Space { own, shared } = ground.space_of("copied holes");
    assert!(own == 0 && shared < 2 << 20, "{own} own, {shared} shared");
    // where the source has holes, the target gets them
    let target = ground.open("emptied");
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    target.write_all_at(&bytes(6, 20 << 20), 0).unwrap();
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    assert!(ground.read("holes") == ground.read("emptied"));
    assert!(ground.space_of("emptied").own < 4 * BLOCK);
}

fn one_file(ground: &Ground) {
    let content = bytes(8, 300_000);
    let file = ground.write("one", &content);
    fs::hard_link(ground.join("one"), ground.join("same")).unwrap();
    let same = ground.open("same");
    for other in [&file, &same] {
        assert_eq!(copy(&file, other, 0, 0, WHOLE), Err(Errno::INVAL));
        assert_eq!(copy(&file, other, 0, 4096, 8192), Err(Errno::INVAL));
        assert_eq!(copy(&file, other, 0, 300_000, 300_000), Ok(300_000));
        assert!(ground.read("one") == [&content[..], &content].concat());
        file.set_len(300_000).unwrap();
    }
    let appending = File::options().append(true).open(ground.join("one"));
    assert_eq!(copy(&file, &appending.unwrap(), 0, 0, 1), Err(Errno::BADF));
    let empty = ground.open("empty");
    assert_eq!(copy(&empty, &file, 0, 0, WHOLE), Ok(0));
    assert_eq!(copy(&file, &empty, 300_000, 0, WHOLE), Ok(0));
}

/// Handles that were open before the target took another ID, and files without a name.
fn open_handles(ground: &Ground) {
    let content = bytes(9, 300_000);
    let source = ground.write("handles", &content);
    let (before, target) = (ground.open("handle"), ground.open("handle"));
    before.write_all_at(b"another ID", 0).unwrap();
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    before
        .write_all_at(b"through the old handle", 100_000)
        .unwrap();
    let mut wanted = content.clone();
    wanted[100_000..100_022].copy_from_slice(b"through the old handle");
    assert!(ground.read("handle") == wanted);
    assert!(ground.read("handles") == content);

    let unlinked = ground.open("unlinked");
    fs::remove_file(ground.join("unlinked")).unwrap();
    copy(&source, &unlinked, 0, 0, WHOLE).unwrap();
    let mut found = vec![0; content.len()];
    unlinked.read_exact_at(&mut found, 0).unwrap();
    assert!(found == content);
    fs::remove_file(ground.join("handles")).unwrap();
    copy(&source, &ground.open("from unlinked"), 0, 0, WHOLE).unwrap();
    assert!(ground.read("from unlinked") == content);
}

fn run(kind: Kind, what: &str, part: impl Fn(&Ground)) {
    let what = format!("{what} on {kind:?}");
    if let Some(ground) = Ground::plain(kind, &what) {
        part(&ground);
        ground.finish(&what);
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
fn sparse_files_linked_files_and_open_handles_are_copied_right() {
    for kind in SHARING {
        run(kind, "odd copies", |ground| {
            holes(ground);
            one_file(ground);
            open_handles(ground);
        });
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
            one_file(ground);
            open_handles(ground);
        });
    }
}
