//! Plain files that somebody writes to while their view is read.

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::tree::pattern;
use crate::support::vault::Vault;
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Secret};
use gocryptfs_rs::format::{BlockNo, Codecs, FileId, HEADER_LEN, NameParams, Params};
use std::fs::{self, File};
use std::io::Write as _;
use std::thread;

/// What is appended at a time, bytes: no part of a block.
const STEP: usize = 1000;

/// What the view of a file holds; fails if it does not open.
fn unsealed(sealed: &[u8]) -> Vec<u8> {
    let params = Params {
        content: ContentSuite::AesSiv,
        names: NameParams::Plain,
        padded: false,
        hkdf: true,
    };
    let codecs = Codecs::new(&MasterKey(Secret::new([0; 32])), &params);
    let Some((header, blocks)) = sealed.split_at_checked(HEADER_LEN) else {
        return Vec::new();
    };
    let (id, mut blocks) = (FileId::parse(header).unwrap(), blocks.to_vec());
    let opened = codecs.content.open_run(id, BlockNo(0), &mut blocks);
    blocks.truncate(opened.unwrap());
    blocks
}

#[test]
fn a_file_that_grows_shows_as_what_it_was_at_some_moment() {
    let plain = Vault::empty(&["-reverse", "-zerokey", "-plaintextnames"]);
    let whole = pattern(STEP * 20_000);
    let file = plain.dir.join("file");
    fs::write(&file, "").unwrap();
    let mount = Mount::new(&Program::ours(), &plain, &[]);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut file = File::create(&file).unwrap();
            for step in whole.chunks(STEP) {
                file.write_all(step).unwrap();
            }
        });
        while !writer.is_finished() {
            let found = unsealed(&fs::read(mount.path().join("file")).unwrap());
            assert!(whole.starts_with(&found), "{} bytes", found.len());
        }
    });
    mount.unmount();
}
