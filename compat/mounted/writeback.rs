//! Mounts with the write-back cache of the kernel.

use super::Session;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

#[test]
fn small_writes_are_collected_and_reach_the_vault() {
    let session = Session::with("aes-gcm", &["-writeback"]);
    let path = session.join("file");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    for number in 0..10_000_u32 {
        file.write_all(&number.to_be_bytes()).unwrap();
    }
    // into the middle of a block that is not in the cache, by a handle that may not read
    drop(file);
    let session = session.again(&["-writeback"]);
    let path = session.join("file");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"middle", 12_345).unwrap();
    drop(file);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"end").unwrap();
    file.sync_all().unwrap();
    drop(file);
    let session = session.again(&[]);
    let mut wanted: Vec<u8> = (0..10_000_u32).flat_map(u32::to_be_bytes).collect();
    wanted[12_345..12_351].copy_from_slice(b"middle");
    wanted.extend_from_slice(b"end");
    assert_eq!(fs::read(session.join("file")).unwrap(), wanted);
}

#[test]
fn what_is_written_is_read_before_it_is_written_back() {
    let session = Session::with("aes-gcm", &["-writeback"]);
    let path = session.join("file");
    let mut file = File::create(&path).unwrap();
    file.write_all(&[1; 10_000]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 10_000);
    file.set_len(5000).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(&[2; 100]).unwrap();
    let mut content = Vec::new();
    File::open(&path)
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    assert_eq!(content, [&[1; 5000][..], &[2; 100]].concat());
}
