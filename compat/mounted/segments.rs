//! Looking for data and holes (`lseek(2)`), whatever the block size of the backing file system.

use super::Session;
use crate::support::disk::{Disk, Kind};
use crate::support::program::Program;
use crate::support::tree::pattern;
use crate::support::vault::{ALL_FEATURES, Vault};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

const SIZE: u64 = 200 * 4096;

/// 200 blocks, of which 0 and 100 hold data.
fn make(session: &Session) -> File {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let file = options.open(session.join("file")).unwrap();
    file.write_all_at(&pattern(4096), 0).unwrap();
    file.write_all_at(&pattern(4096), 100 * 4096).unwrap();
    file.set_len(SIZE).unwrap();
    // until it is written back, some file systems take all of it for data
    file.sync_all().unwrap();
    file
}

/// An answer may take a hole for data, but never data for a hole.
fn check(file: &File) {
    let data = |at| seek(file, SeekFrom::Data(at));
    let hole = |at| seek(file, SeekFrom::Hole(at));
    assert_eq!(data(0), Ok(0));
    assert_eq!(data(409_600), Ok(409_600));
    assert_eq!(data(413_695), Ok(413_695));
    assert!((4096..=409_600).contains(&hole(0).unwrap()));
    assert!((413_696..=SIZE).contains(&hole(409_600).unwrap()));
    assert!((4096..=409_600).contains(&data(4096).unwrap()));
    assert_eq!(hole(SIZE - 1), Ok(SIZE - 1));
    assert_eq!(data(SIZE - 1), Err(Errno::NXIO));
    for past in [SIZE, SIZE + 1, 1 << 40] {
        assert_eq!(data(past), Err(Errno::NXIO));
        assert_eq!(hole(past), Err(Errno::NXIO));
    }
}

#[test]
fn holes_and_data_are_found() {
    let session = Session::new();
    let file = make(&session);
    check(&file);
    let found = seek(&file, SeekFrom::Hole(0)).unwrap();
    assert!(found < 20_000, "the hole is found only at {found}");
}

#[test]
fn holes_and_data_are_found_on_every_file_system_and_block_size() {
    let disks: [(Kind, &[&str]); 5] = [
        (Kind::Ext4, &["-b", "1024"]),
        (Kind::Ext4, &["-b", "4096"]),
        (Kind::Xfs, &["-b", "size=1024"]),
        (Kind::Btrfs, &[]),
        (Kind::Tmpfs, &[]),
    ];
    let ours = Program::ours();
    for (kind, options) in disks {
        let what = format!("holes on {kind:?} {options:?}");
        let Some(disk) = Disk::with_options(kind, &what, options) else {
            continue;
        };
        for features in &ALL_FEATURES[..3] {
            let vault = Vault::new_in(&disk.path(), &ours, features);
            let session = Session::mount(vault, &ours, &[]);
            check(&make(&session));
        }
    }
}

#[test]
fn a_file_without_holes_is_one_segment() {
    let session = Session::new();
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let file = options.open(session.join("file")).unwrap();
    assert_eq!(seek(&file, SeekFrom::Data(0)), Err(Errno::NXIO));
    assert_eq!(seek(&file, SeekFrom::Hole(0)), Err(Errno::NXIO));
    file.write_all_at(&pattern(10_000), 0).unwrap();
    assert_eq!(seek(&file, SeekFrom::Data(9999)), Ok(9999));
    assert_eq!(seek(&file, SeekFrom::Hole(0)), Ok(10_000));
}
