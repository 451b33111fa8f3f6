//! The content of one file over an image in memory: against a model, with faults, and cut short.
//! Objects and their helper files in a directory.

mod faults;
mod model;
mod objects;
mod poor;

use std::sync::Arc;

use crate::crypto::{ContentSuite, MasterKey, Secret};
use crate::format::{Codecs, NameParams, PLAIN_BLOCK, Params, PlainOffset};
use crate::sys::FileKey;
use crate::sys::mem::MemFile;
use crate::vault::clone::Reflinks;
use crate::vault::error::Result;
use crate::vault::file::CipherFile;
use crate::vault::open::OpenFiles;
use crate::vault::spare::Spare;
use crate::vault::undo::Safety;

pub(super) const BLOCK: usize = PLAIN_BLOCK;

/// How a file is kept: the cipher, and what guards overwrites.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept(pub(super) ContentSuite, pub(super) Safety);

/// Opens an image, with nothing known of it.
pub(super) fn open(image: MemFile, kept: Kept) -> CipherFile<MemFile> {
    let key = MasterKey(Secret::new([7; 32]));
    let params = Params {
        content: kept.0,
        names: NameParams::Plain,
        padded: false,
        hkdf: true,
    };
    CipherFile {
        backing: image,
        registration: Arc::<OpenFiles>::default().register(FileKey { dev: 1, ino: 2 }, true),
        codec: Arc::new(Codecs::new(&key, &params).content),
        safety: kept.1,
        opened_size: 0,
        spare: Arc::new(Spare::new(4096, || Ok(MemFile::default()))),
        reflinks: Reflinks {
            possible: false,
            grain: 4096,
            cut_for_free: false,
        },
        read_only: false,
    }
}

/// Closes a file, as if by unmounting, and opens it again.
fn reopened(file: CipherFile<MemFile>, kept: Kept) -> CipherFile<MemFile> {
    open(file.backing, kept)
}

/// All that a file shows.
fn content(file: &CipherFile<MemFile>) -> Result<Vec<u8>> {
    let size = file.plain_size()?;
    let len = usize::try_from(size.0).unwrap();
    let mut buf = Vec::new();
    // A byte more than there is: the end must be where the size says.
    let data = file.read(PlainOffset(0), len + 1, &mut buf)?.to_vec();
    assert_eq!(data.len(), len);
    Ok(data)
}

/// Bytes of which no two blocks are alike.
pub(super) fn pattern(len: usize, salt: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from((at + at / BLOCK + salt) % 255 + 1).unwrap())
        .collect()
}

/// What a write does to plain bytes.
fn put(plain: &mut Vec<u8>, at: usize, data: &[u8]) {
    if !data.is_empty() {
        plain.resize(plain.len().max(at + data.len()), 0);
        plain[at..at + data.len()].copy_from_slice(data);
    }
}
