//! What can be wrong with bytes on disk, as data.
//!
//! Invariant: each defect names what was found and nothing secret; the texts are short sentences
//! that logs, the control socket and the checker print as they are.

use super::layout::{BlockNo, HEADER_LEN};

/// A stored item that does not authenticate or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// The header of a file.
    #[error("corrupt header: {0}")]
    Header(#[from] HeaderDefect),
    /// One content block of a file.
    #[error("corrupt block #{}: {defect}", .no.0)]
    Block {
        /// Which block.
        no: BlockNo,
        /// What is wrong with it.
        defect: BlockDefect,
    },
    /// The name of a directory entry.
    #[error("corrupt name: {0}")]
    Name(#[from] NameDefect),
    /// The IV of a directory.
    #[error("corrupt directory IV: {0}")]
    DirIv(#[from] DirIvDefect),
    /// A symlink target or the value of an extended attribute.
    #[error("corrupt value: {0}")]
    Value(#[from] ValueDefect),
}

/// What is wrong with a file header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderDefect {
    /// Not exactly 18 bytes.
    #[error("invalid length, want={HEADER_LEN} have={0}")]
    Length(usize),
    /// 18 zero bytes.
    #[error("header is all-zero")]
    AllZero,
    /// An unknown version of the format.
    #[error("invalid version, want=2 have={0}")]
    Version(u16),
    /// Sixteen zero bytes where the file id should be.
    #[error("file id is all-zero")]
    ZeroId,
}

/// What is wrong with a content block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockDefect {
    /// Shorter than its nonce.
    #[error("block is too short")]
    TooShort,
    /// Zeros where the nonce should be, in a block that is not a hole.
    #[error("all-zero nonce")]
    ZeroNonce,
    /// Not what was sealed with this key, at this place, in this file.
    #[error("message authentication failed")]
    Forged,
}

/// What is wrong with a name, or the name of an extended attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameDefect {
    /// A plain name longer than 255 bytes.
    #[error("file name too long")]
    TooLong,
    /// A name that no directory entry can have, or bytes that do not decrypt to one.
    #[error("bad message")]
    Invalid,
    /// Not canonical base64.
    #[error("illegal base64 data at input byte {at}")]
    Base64 {
        /// Position of the first byte that cannot be right.
        at: usize,
    },
    /// The `.name` file of a long name is empty or longer than any name.
    #[error("long name of {0} bytes")]
    NameFileLength(usize),
    /// The encrypted form of an attribute that is stored unencrypted.
    #[error("encrypted form of an attribute that is never encrypted")]
    PassedThrough,
}

/// What is wrong with the content of `gocryptfs.diriv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirIvDefect {
    /// There is no such file.
    #[error("no such file")]
    Missing,
    /// Something else has its name.
    #[error("not a regular file")]
    NotAFile,
    /// Not exactly 16 bytes.
    #[error("wanted 16 bytes, got {0}")]
    Length(usize),
    /// Sixteen zero bytes.
    #[error("diriv is all-zero")]
    AllZero,
}

/// What is wrong with a symlink target or the value of an extended attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueDefect {
    /// Not canonical base64.
    #[error("illegal base64 data at input byte {at}")]
    Base64 {
        /// Position of the first byte that cannot be right.
        at: usize,
    },
    /// The sealed bytes.
    #[error(transparent)]
    Block(#[from] BlockDefect),
}
