//! Reverse mode: what is random elsewhere, derived from the path in the encrypted view.
//!
//! The first 16 bytes of the SHA-256 of path, a zero byte and a word for the purpose. Invariant: a
//! path gives the same bytes for ever, so a backup of the view finds unchanged files unchanged.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use sha2::{Digest, Sha256};

use super::diriv::DirIv;
use super::header::FileId;
use super::layout::BlockNo;

/// The relative path of an object in the encrypted view, its components as they are shown: hashed
/// where they are long. The top directory has the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewPath(Vec<u8>);

/// What the content of a file is sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIvs {
    /// The identity in the header.
    pub id: FileId,
    /// The nonce of block 0.
    pub(super) block0: [u8; 16],
}

impl ViewPath {
    /// The path of the entry that is shown as `name` in this directory.
    #[must_use]
    pub fn join(&self, name: &OsStr) -> ViewPath {
        let mut path = self.0.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        ViewPath(path)
    }

    /// The IV of this directory.
    pub fn dir_iv(&self) -> DirIv {
        DirIv(self.derive("DIRIV"))
    }

    /// What the content of this file is sealed with.
    pub fn file_ivs(&self) -> FileIvs {
        FileIvs {
            id: FileId(self.derive("FILEID")),
            block0: self.derive("BLOCK0IV"),
        }
    }

    /// The nonce of this symlink's target. Its last component counts twice: an oversight once,
    /// and part of the format since.
    pub fn symlink_nonce(&self) -> [u8; 16] {
        let name = self.0.rsplit(|&byte| byte == b'/').next();
        self.join(OsStr::from_bytes(name.unwrap_or_default()))
            .derive("SYMLINKIV")
    }

    /// The nonce for the value of the attribute that is stored under `name`.
    pub fn xattr_nonce(&self, name: &OsStr) -> [u8; 16] {
        let mut path = self.0.clone();
        path.push(0);
        path.extend_from_slice(name.as_bytes());
        ViewPath(path).derive("XATTRIV")
    }

    fn derive(&self, purpose: &str) -> [u8; 16] {
        let hash = Sha256::new()
            .chain_update(&self.0)
            .chain_update([0])
            .chain_update(purpose);
        let mut iv = [0; 16];
        iv.copy_from_slice(&hash.finalize()[..16]);
        iv
    }
}

impl FileIvs {
    /// The nonce of a block: the second half of the first one counts up, big endian.
    pub fn nonce(&self, block: BlockNo) -> [u8; 16] {
        const COUNTER: u128 = u64::MAX as u128;
        let first = u128::from_be_bytes(self.block0);
        let counted = first.wrapping_add(block.0.into());
        (first & !COUNTER | counted & COUNTER).to_be_bytes()
    }
}
