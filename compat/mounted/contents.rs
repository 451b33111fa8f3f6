//! Reading and writing.

use super::Session;
use crate::support::skip::skip;
use crate::support::tree::pattern;
use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags, fallocate, flock, open};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::process::Command;

#[test]
fn what_is_written_is_read_and_stays() {
    for features in ["aes-gcm", "aessiv", "xchacha", "plaintextnames"] {
        let session = Session::with(features, &[]);
        let data = pattern(3_000_001);
        fs::write(session.join("file"), &data).unwrap();
        assert!(fs::read(session.join("file")).unwrap() == data);
        let session = session.again(&[]);
        assert!(fs::read(session.join("file")).unwrap() == data);
    }
}

#[test]
fn no_plaintext_reaches_the_disk() {
    let session = Session::new();
    fs::write(session.join("a secret name"), "a secret content").unwrap();
    let stored = session.the_encrypted();
    assert!(!stored.to_str().unwrap().contains("secret"));
    let content = fs::read(stored).unwrap();
    assert!(!content.windows(6).any(|window| window == b"secret"));
}

#[test]
fn reading_stops_at_the_end() {
    let session = Session::new();
    fs::write(session.join("file"), pattern(5000)).unwrap();
    let file = File::open(session.join("file")).unwrap();
    let mut buffer = [0; 4096];
    assert_eq!(file.read_at(&mut buffer, 4999).unwrap(), 1);
    assert_eq!(file.read_at(&mut buffer, 5000).unwrap(), 0);
    assert_eq!(file.read_at(&mut buffer, 1 << 40).unwrap(), 0);
}

#[test]
fn writes_of_odd_sizes_overlay_what_was_there() {
    let session = Session::new();
    let file = open_rw(&session);
    let mut wanted = vec![0; 40_000];
    for (n, len) in [1, 17, 4095, 4096, 4097, 9000].into_iter().enumerate() {
        let at = n * 5001;
        let data = vec![u8::try_from(n + 1).unwrap(); len];
        file.write_all_at(&data, at as u64).unwrap();
        wanted[at..at + len].copy_from_slice(&data);
    }
    file.write_all_at(b"", 39_000).unwrap();
    let end = 5 * 5001 + 9000;
    assert!(fs::read(session.join("file")).unwrap() == wanted[..end]);
}

#[test]
fn two_handles_see_each_other() {
    let session = Session::new();
    let one = open_rw(&session);
    let other = open_rw(&session);
    one.write_all_at(b"one", 0).unwrap();
    other.write_all_at(b"other", 3).unwrap();
    let mut buffer = [0; 8];
    one.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"oneother");
    one.set_len(2).unwrap();
    assert_eq!(other.metadata().unwrap().len(), 2);
}

#[test]
fn appending_goes_to_the_end_whoever_writes() {
    let session = Session::new();
    let append = || {
        let mut options = File::options();
        options
            .append(true)
            .create(true)
            .open(session.join("file"))
            .unwrap()
    };
    let (mut one, mut other) = (append(), append());
    for _ in 0..1000 {
        one.write_all(b"one ").unwrap();
        other.write_all(b"other ").unwrap();
    }
    let text = fs::read_to_string(session.join("file")).unwrap();
    assert!(text == "one other ".repeat(1000));
}

#[test]
fn truncating_at_open_empties_the_file() {
    let session = Session::new();
    fs::write(session.join("file"), pattern(10_000)).unwrap();
    let before = fs::read(session.the_encrypted()).unwrap();
    File::create(session.join("file")).unwrap();
    assert_eq!(fs::metadata(session.the_encrypted()).unwrap().len(), 0);
    fs::write(session.join("file"), "x").unwrap();
    let after = fs::read(session.the_encrypted()).unwrap();
    assert_ne!(before[..18], after[..18], "the file ID must be new");
}

#[test]
fn a_write_only_handle_can_change_a_part_of_a_block() {
    let session = Session::new();
    fs::write(session.join("file"), pattern(5000)).unwrap();
    let file = File::options()
        .write(true)
        .open(session.join("file"))
        .unwrap();
    file.write_all_at(b"middle", 2000).unwrap();
    let mut wanted = pattern(5000);
    wanted[2000..2006].copy_from_slice(b"middle");
    assert!(fs::read(session.join("file")).unwrap() == wanted);
}

#[test]
fn flags_that_mean_nothing_here_do_no_harm() {
    let session = Session::new();
    for flags in [OFlags::DIRECT, OFlags::SYNC, OFlags::DSYNC, OFlags::NOATIME] {
        let mut options = File::options();
        let bits = flags.bits().try_into().unwrap();
        options
            .read(true)
            .write(true)
            .create(true)
            .custom_flags(bits);
        let mut file = options.open(session.join("file")).unwrap();
        let data = pattern(8192);
        file.write_all(&data).unwrap();
        file.rewind().unwrap();
        let mut found = Vec::new();
        file.read_to_end(&mut found).unwrap();
        assert!(found == data, "{flags:?}");
    }
}

#[test]
fn an_unnamed_temporary_file_is_refused() {
    let session = Session::new();
    let flags = OFlags::TMPFILE | OFlags::RDWR;
    let outcome = open(session.mount.path(), flags, Mode::RUSR);
    assert_eq!(outcome.unwrap_err(), Errno::OPNOTSUPP);
}

#[test]
fn allocation_reserves_space_and_grows_the_file() {
    let session = Session::new();
    let file = open_rw(&session);
    fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 10_000).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 0);
    fallocate(&file, FallocateFlags::empty(), 1000, 9000).unwrap();
    assert!(fs::read(session.join("file")).unwrap() == vec![0; 10_000]);
    file.write_all_at(b"data", 3).unwrap();
    fallocate(&file, FallocateFlags::empty(), 0, 5).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 10_000);
}

#[test]
fn ranges_cannot_be_collapsed_or_inserted() {
    let session = Session::new();
    let file = open_rw(&session);
    file.write_all_at(&pattern(20_000), 0).unwrap();
    for flags in [FallocateFlags::COLLAPSE_RANGE, FallocateFlags::INSERT_RANGE] {
        let outcome = fallocate(&file, flags, 4096, 4096);
        assert_eq!(outcome, Err(Errno::OPNOTSUPP), "{flags:?}");
    }
    assert!(fs::read(session.join("file")).unwrap() == pattern(20_000));
}

#[test]
fn the_kernel_copies_between_files() {
    let session = Session::new();
    let data = pattern(300_000);
    fs::write(session.join("from"), &data).unwrap();
    let mut from = File::open(session.join("from")).unwrap();
    let mut to = open_rw(&session);
    assert_eq!(io::copy(&mut from, &mut to).unwrap(), 300_000);
    assert!(fs::read(session.join("file")).unwrap() == data);
}

#[test]
fn locks_exclude_each_other() {
    let session = Session::new();
    let (one, other) = (open_rw(&session), open_rw(&session));
    flock(&one, FlockOperation::LockExclusive).unwrap();
    let refused = flock(&other, FlockOperation::NonBlockingLockExclusive);
    assert_eq!(refused, Err(Errno::WOULDBLOCK));
    flock(&one, FlockOperation::Unlock).unwrap();
    flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
}

#[test]
fn shared_mappings_are_written_back() {
    let script = "
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.truncate(sys.argv[1], 20000)
m = mmap.mmap(f, 20000)
m[0:5] = b'start'
m[9990:10010] = b'across two of blocks'
m[19995:20000] = b'the e'
assert os.pread(f, 5, 0) == b'start'
os.pwrite(f, b'by write', 100)
assert m[100:108] == b'by write'
m.flush()
m.close()
";
    let session = Session::new();
    let mut python = Command::new("python3");
    let Ok(status) = python
        .arg("-c")
        .arg(script)
        .arg(session.join("file"))
        .status()
    else {
        return skip("shared mappings", "there is no python3");
    };
    assert!(status.success());
    let session = session.again(&[]);
    let mut wanted = vec![0; 20_000];
    wanted[..5].copy_from_slice(b"start");
    wanted[100..108].copy_from_slice(b"by write");
    wanted[9990..10_010].copy_from_slice(b"across two of blocks");
    wanted[19_995..].copy_from_slice(b"the e");
    assert!(fs::read(session.join("file")).unwrap() == wanted);
}

fn open_rw(session: &Session) -> File {
    let mut options = File::options();
    options.read(true).write(true).create(true);
    options.open(session.join("file")).unwrap()
}
