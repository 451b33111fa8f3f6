//! Copies between images in memory: what they share, and what faults leave behind.

mod random;

use std::sync::Arc;

use super::*;
use crate::crypto::{ContentSuite, MasterKey, Secret};
use crate::format::{Codecs, HEADER_LEN, NameParams, PLAIN_BLOCK, Params, PlainOffset};
use crate::sys::mem::{Change, Fault, GRAIN, MemFile, Then};
use crate::sys::{Errno, FileKey};
use crate::vault::open::OpenFiles;
use crate::vault::spare::Spare;
use crate::vault::{Error, Safety};

const BLOCK: u64 = PLAIN_BLOCK as u64;
const WHOLE: u64 = u64::MAX;

/// Opens the image as file number `ino` of a vault.
fn open(files: &Arc<OpenFiles>, ino: u64, image: MemFile) -> CipherFile<MemFile> {
    let key = MasterKey(Secret::new([7; 32]));
    let params = Params {
        content: ContentSuite::AesGcm,
        names: NameParams::Plain,
        padded: false,
        hkdf: true,
    };
    CipherFile {
        backing: image,
        registration: files.register(FileKey { dev: 1, ino }, true),
        codec: Arc::new(Codecs::new(&key, &params).content),
        opened_size: 0,
        safety: Safety::Insure,
        spare: Arc::new(Spare::new(GRAIN, || Ok(MemFile::default()))),
        reflinks: Reflinks {
            possible: true,
            grain: GRAIN,
            cut_for_free: ino.is_multiple_of(2),
        },
        read_only: false,
    }
}

/// All that the file holds, read with nothing known beforehand.
fn content(file: &CipherFile<MemFile>) -> Result<Vec<u8>> {
    let fresh = open(&Arc::default(), 1, MemFile::new(file.backing.bytes()));
    let mut buf = Vec::new();
    let data = fresh.read(PlainOffset(0), 1 << 24, &mut buf)?.to_vec();
    let size = fresh.plain_size()?.0;
    assert_eq!(data.len() as u64, size, "read to the end");
    assert_eq!(file.plain_size()?.0, size, "the size is known");
    Ok(data)
}

/// A source of `size` bytes and an empty target.
fn pair(size: usize) -> (CipherFile<MemFile>, CipherFile<MemFile>, Vec<u8>) {
    let files = Arc::default();
    let source = open(&files, 1, MemFile::default());
    let target = open(&files, 2, MemFile::default());
    let data: Vec<u8> = (1..=251).cycle().take(size).collect();
    source.write(PlainOffset(0), &data).unwrap();
    (source, target, data)
}

fn copy(
    source: &CipherFile<MemFile>,
    target: &CipherFile<MemFile>,
    at: u64,
    len: u64,
) -> Result<Copied> {
    let at = PlainOffset(at);
    target.copy_from(source, at, at, len, CloneRule::Auto)
}

fn fill(file: &CipherFile<MemFile>, at: u64, byte: u8, len: usize) {
    file.write(PlainOffset(at), &vec![byte; len]).unwrap();
}

fn cloned(target: &CipherFile<MemFile>) -> bool {
    let log = target.backing.take_log();
    log.iter()
        .any(|change| matches!(change, Change::Clone { .. }))
}

/// Lets the disk be full from the `nth` change of the file on.
fn fill_disk(file: &CipherFile<MemFile>, nth: usize, written: usize) {
    file.backing.set_fault(Some(Fault {
        nth,
        written,
        errno: Errno::NOSPC,
        then: Then::Full,
    }));
}

#[test]
fn a_copy_into_an_empty_file_is_one_clone_of_everything() {
    let (source, target, data) = pair(100_000);
    let copied = copy(&source, &target, 0, WHOLE).unwrap();
    assert_eq!((copied.bytes, copied.shared), (100_000, 100_000));
    assert_eq!(target.backing.bytes(), source.backing.bytes());
    assert_eq!(content(&target).unwrap(), data);
}

#[test]
fn chunks_share_all_but_parts_of_blocks_in_the_end() {
    let (source, target, data) = pair(1_000_000);
    for at in (0..1_000_000).step_by(30_000) {
        copy(&source, &target, at, 30_000).unwrap();
    }
    assert_eq!(content(&target).unwrap(), data);
    let (ours, theirs) = (target.backing.bytes(), source.backing.bytes());
    let differing = ours.chunks(4096).zip(theirs.chunks(4096));
    let differing = differing.filter(|(ours, theirs)| ours != theirs).count();
    // Every seam lies in a block of its own, which is in two blocks of the backing file.
    assert!(differing <= 2 * 34, "{differing} blocks differ");
}

#[test]
fn a_range_behind_a_partial_block_leaves_it_whole() {
    let (source, target, data) = pair(100_000);
    copy(&source, &target, 0, WHOLE).unwrap();
    for (size, at) in [
        (20_580, 22_480),
        (20_580, 40_000),
        (100, 8192),
        (4097, 8191),
    ] {
        target.truncate(PlainOffset(size)).unwrap();
        copy(&source, &target, at, WHOLE).unwrap();
        let mut wanted = data.clone();
        wanted[index(size)..index(at)].fill(0);
        assert_eq!(content(&target).unwrap(), wanted, "from {size} to {at}");
        copy(&source, &target, 0, WHOLE).unwrap();
    }
}

#[test]
fn a_hollow_target_is_cloned_into_and_keeps_its_size() {
    for (size, at, len) in [
        (100_000, 0, 32_768),
        (100_000, 8192, WHOLE),
        (200_000, 4096, WHOLE),
        (9000, 20_480, WHOLE),
        (9000, 0, 4096),
        (100, 8192, 8192),
        (4096, 5000, 30_000),
    ] {
        let (source, target, data) = pair(100_000);
        target.truncate(PlainOffset(size)).unwrap();
        target.backing.take_log();
        let copied = copy(&source, &target, at, len).unwrap();
        assert!(cloned(&target), "{size} {at} {len}");
        let end = index(at + copied.bytes);
        let mut wanted = vec![0; end.max(index(size))];
        wanted[index(at)..end].copy_from_slice(&data[index(at)..end]);
        assert_eq!(content(&target).unwrap(), wanted, "{size} {at} {len}");
    }
}

#[test]
fn a_few_blocks_of_zeros_are_no_different_from_a_hole() {
    for (at, len, is_cloned) in [
        (0, 512, true),
        (0, 4096, true),
        (40_000, 5000, true),
        (99_000, 1000, true),
        (0, 30_000, false),
    ] {
        let (source, target, data) = pair(90_000);
        target.truncate(PlainOffset(100_000)).unwrap();
        fill(&target, at, 0, len);
        target.backing.take_log();
        copy(&source, &target, 8192, WHOLE).unwrap();
        assert_eq!(cloned(&target), is_cloned, "{len} zeros at {at}");
        let mut wanted = vec![0; 100_000];
        wanted[8192..90_000].copy_from_slice(&data[8192..]);
        assert_eq!(content(&target).unwrap(), wanted, "{len} zeros at {at}");
    }
}

#[test]
fn a_file_with_one_byte_of_its_own_is_not_hollow() {
    for at in [0, 4095, 4096, 49_000, 95_000, 98_303, 98_304, 99_999] {
        let (source, target, data) = pair(50_000);
        target.truncate(PlainOffset(100_000)).unwrap();
        target.write(PlainOffset(at), &[1]).unwrap();
        target.backing.take_log();
        copy(&source, &target, 0, WHOLE).unwrap();
        assert!(!cloned(&target), "with a byte at {at}");
        let mut wanted = vec![0; 100_000];
        wanted[index(at)] = 1;
        wanted[..50_000].copy_from_slice(&data);
        assert_eq!(content(&target).unwrap(), wanted, "with a byte at {at}");
    }
}

#[test]
fn parts_of_blocks_never_meet_blocks_of_another_id() {
    let (source, target, data) = pair(40_000);
    fill(&target, 0, 9, 30_000);
    copy(&source, &target, 0, 31_000).unwrap();
    assert_eq!(content(&target).unwrap(), data[..31_000]);
    copy(&source, &target, 0, WHOLE).unwrap();
    assert_eq!(content(&target).unwrap(), data);
}

#[test]
fn a_newer_neighbour_is_not_overwritten_by_the_older_one() {
    let (source, target, mut data) = pair(100_000);
    copy(&source, &target, 0, WHOLE).unwrap();
    for at in [8191, 16_384] {
        target.write(PlainOffset(at), &[0xff]).unwrap();
        data[index(at)] = 0xff;
    }
    target.backing.take_log();
    copy(&source, &target, 8192, 8192).unwrap();
    assert!(cloned(&target));
    assert_eq!(content(&target).unwrap(), data);
}

#[test]
fn a_strict_copy_shares_or_changes_nothing() {
    let strict = |source: &CipherFile<MemFile>, target: &CipherFile<MemFile>, at, to, len| {
        let (at, to) = (PlainOffset(at), PlainOffset(to));
        target.copy_from(source, at, to, len, CloneRule::Strict)
    };
    let (source, target, data) = pair(1);
    let copied = strict(&source, &target, 0, 0, WHOLE).unwrap();
    assert_eq!((copied.bytes, copied.shared), (1, 1));
    assert_eq!(content(&target).unwrap(), data);

    let (source, target, _) = pair(50_000);
    fill(&target, 0, 3, 90_000);
    let is_refused = |at, to, len| {
        let before = target.backing.bytes();
        let refused = strict(&source, &target, at, to, len);
        assert!(
            matches!(refused, Err(Error::Os(Errno::INVAL))),
            "{refused:?}"
        );
        assert_eq!(target.backing.bytes(), before);
    };
    is_refused(0, 0, WHOLE);
    is_refused(0, 4096, 4096);
    target.truncate(PlainOffset(0)).unwrap();
    strict(&source, &target, 0, 0, WHOLE).unwrap();
    target
        .write(PlainOffset(4096), &[3; 3 * PLAIN_BLOCK])
        .unwrap();
    is_refused(8192, 8192, BLOCK);
    is_refused(8192, 8192, BLOCK - 1);
    let refused = strict(&source, &source, 0, 0, WHOLE);
    assert!(matches!(refused, Err(Error::Os(Errno::INVAL))));
}

#[test]
fn ranges_of_one_file_that_overlap_are_refused() {
    let (source, _, data) = pair(100_000);
    let copy = |from, to, len| {
        let (from, to) = (PlainOffset(from), PlainOffset(to));
        source.copy_from(&source, from, to, len, CloneRule::Auto)
    };
    assert!(matches!(copy(0, 4096, 8192), Err(Error::Os(Errno::INVAL))));
    assert!(matches!(copy(4096, 0, WHOLE), Err(Error::Os(Errno::INVAL))));
    assert_eq!(copy(0, 50_000, 50_000).unwrap().bytes, 50_000);
    assert_eq!(content(&source).unwrap(), [&data[..50_000]; 2].concat());
}

#[test]
fn a_clone_that_runs_out_of_space_leaves_a_new_file_empty() {
    let (source, target, _) = pair(100_000);
    fill_disk(&target, 0, 50_000);
    let failed = copy(&source, &target, 0, WHOLE);
    assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))), "{failed:?}");
    assert!(target.backing.bytes().is_empty());
    assert!(content(&target).unwrap().is_empty());
}

#[test]
fn a_clone_that_stops_inside_a_block_leaves_it_whole() {
    for stop in (0..100_000).step_by(4096) {
        let (source, target, data) = pair(100_000);
        copy(&source, &target, 0, WHOLE).unwrap();
        fill(&target, 0, 0xff, 100_000);
        fill(&target, 100_000, 0xee, 5000);
        target.backing.take_log();
        copy(&source, &target, 8192, 80_000).unwrap();
        let changes = target.backing.take_log();
        let clone = changes
            .iter()
            .filter(|c| !matches!(c, Change::Reserve { .. }));
        let nth = clone
            .take_while(|c| !matches!(c, Change::Clone { .. }))
            .count();
        fill(&target, 0, 0xff, 100_000);
        fill_disk(&target, nth, stop);
        let failed = copy(&source, &target, 8192, 80_000);
        assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))), "{failed:?}");
        let left = content(&target).unwrap();
        assert_eq!(left[..8192], [0xff; 8192]);
        assert_eq!(left[88_192..100_000], [0xff; 11_808]);
        assert_eq!(left[100_000..], [0xee; 5000]);
        let pairs = left[8192..88_192].iter().zip(&data[8192..]);
        assert!(
            pairs
                .clone()
                .all(|(byte, new)| *byte == 0xff || byte == new)
        );
    }
}

#[test]
fn a_target_that_cannot_be_replaced_keeps_what_it_holds() {
    for stop in (0..100_000).step_by(4096) {
        let (source, target, _) = pair(100_000);
        fill(&target, 0, 0xff, 90_000);
        fill_disk(&target, 0, stop);
        let failed = copy(&source, &target, 0, WHOLE);
        assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))), "{failed:?}");
        target.backing.set_fault(None);
        assert_eq!(content(&target).unwrap(), vec![0xff; 90_000]);
    }
}

#[test]
fn a_hole_that_cannot_take_another_id_keeps_its_own() {
    // the block of zeros, the header, and the partial block at the end
    for nth in 0..3 {
        for written in [0, 10, 100] {
            let (source, target, _) = pair(100_000);
            target.truncate(PlainOffset(120_001)).unwrap();
            fill(&target, 0, 0, 4096);
            fill_disk(&target, nth, written);
            let failed = copy(&source, &target, 0, WHOLE);
            assert!(matches!(failed, Err(Error::Os(Errno::NOSPC))), "{failed:?}");
            target.backing.set_fault(None);
            assert_eq!(
                content(&target).unwrap(),
                vec![0; 120_001],
                "{nth} {written}"
            );
        }
    }
}

#[test]
fn where_nothing_can_be_cloned_the_bytes_are_copied() {
    let (source, target, data) = pair(40_000);
    target.backing.set_fault(Some(Fault {
        nth: 0,
        written: 0,
        errno: Errno::INVAL,
        then: Then::Well,
    }));
    assert_eq!(copy(&source, &target, 0, WHOLE).unwrap().shared, 0);
    assert!(cloned(&target), "it was tried");
    let headers = [&source, &target].map(|file| file.backing.bytes()[..HEADER_LEN].to_vec());
    assert_ne!(headers[0], headers[1]);
    assert_eq!(content(&target).unwrap(), data);
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

#[test]
fn a_clone_that_takes_long_blocks_no_other_file() {
    let files = Arc::default();
    let [source, target, other] = [1, 2, 3].map(|ino| open(&files, ino, MemFile::default()));
    fill(&source, 0, 1, 1 << 20);
    let busy = source.backing.stall();
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| copy(&source, &target, 0, WHOLE).unwrap());
        while !(source.content().is_locked() && target.content().is_locked()) {
            std::thread::yield_now();
        }
        fill(&other, 0, 7, 10_000);
        assert_eq!(content(&other).unwrap(), [7; 10_000]);
        assert!(!copying.is_finished());
        drop(busy);
        assert_eq!(copying.join().unwrap().bytes, 1 << 20);
    });
    assert!(content(&target).unwrap() == vec![1; 1 << 20]);
}
