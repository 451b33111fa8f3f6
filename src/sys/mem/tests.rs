//! The image against a real file, and its faults.

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
        then: Then::Well,
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
        then: Then::Gone,
    }));
    assert!(image.write_at(&[5; 3], 0).is_err());
    assert!(image.write_at(&[6; 3], 0).is_err());
    assert_eq!(image.set_len(0), Err(Errno::IO));
    assert_eq!(image.sync(false), Err(Errno::IO));
    assert_eq!(image.bytes(), [5, 1, 1, 1]);
}

#[test]
fn whole_blocks_are_cloned_and_the_end_with_the_end() {
    let (src, dst) = (MemFile::new(vec![7; 9000]), MemFile::default());
    assert_eq!(dst.clone_range(&src, 1, 4096, 0), Err(Errno::INVAL));
    assert_eq!(dst.clone_range(&src, 0, 5000, 0), Err(Errno::INVAL));
    assert_eq!(dst.clone_range(&src, 4096, 8192, 0), Err(Errno::INVAL));
    dst.clone_range(&src, 4096, 0, 8192).unwrap();
    assert_eq!(dst.bytes(), [vec![0; 8192], vec![7; 4904]].concat());
    assert_eq!(dst.clone_range(&src, 8192, 0, 4096), Err(Errno::INVAL));
    assert_eq!((dst.seek_data(5), dst.seek_hole(5)), (Ok(8192), Ok(5)));
    assert_eq!(dst.seek_hole(8200), Ok(13_096));
}

#[test]
fn a_clone_that_fails_has_cloned_some_blocks() {
    let (src, dst) = (MemFile::new(vec![7; 9000]), MemFile::default());
    dst.set_fault(Some(Fault {
        nth: 0,
        written: 5000,
        errno: Errno::NOSPC,
        then: Then::Well,
    }));
    assert_eq!(dst.clone_range(&src, 0, 0, 0), Err(Errno::NOSPC));
    assert_eq!(dst.bytes(), [7; 4096]);
}
