//! Where things are in a ciphertext file: the sizes and offsets of both sides and the way between.
//!
//! A ciphertext file is an 18-byte header followed by blocks. A block holds up to 4096 plaintext
//! bytes and is longer than them by nonce and tag. An empty plaintext file is an empty ciphertext
//! file. Invariant: every function is total; results that do not fit 64 bits saturate.

use crate::crypto::ContentSuite;

/// A position in the plaintext, or a plaintext size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PlainOffset(pub u64);

/// A position in the ciphertext, or a ciphertext size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CipherOffset(pub u64);

/// The number of a block within its file, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockNo(pub u64);

impl BlockNo {
    /// The block behind this one. Saturates.
    #[must_use]
    pub fn next(self) -> BlockNo {
        BlockNo(self.0.saturating_add(1))
    }
}

/// Length of the file header, bytes.
pub const HEADER_LEN: usize = 18;
/// Plaintext bytes in a full block.
pub const PLAIN_BLOCK: usize = 4096;

const HEADER: u64 = HEADER_LEN as u64;
const PLAIN: u64 = PLAIN_BLOCK as u64;

/// The arithmetic of one content cipher; they differ in the length of the nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    nonce_len: usize,
}

/// A ciphertext size that no complete file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeDefect {
    /// 1 to 17 bytes: the header is cut off. Counts as an empty file.
    #[error("cipherSize {size} < header size {HEADER_LEN}: corrupt file")]
    CutHeader {
        /// The ciphertext size.
        size: u64,
    },
    /// The last block has no room for a plaintext byte. Counts as one byte that cannot be read.
    #[error(
        "cipherSize {size}: incomplete last block ({rest} bytes), padding to {counted_as} bytes"
    )]
    CutBlock {
        /// The ciphertext size.
        size: u64,
        /// Bytes that are there of the last block.
        rest: u64,
        /// Bytes of the shortest valid block.
        counted_as: u64,
    },
}

impl Layout {
    /// The layout of files sealed with `suite`.
    pub fn new(suite: ContentSuite) -> Layout {
        Layout {
            nonce_len: suite.nonce_len(),
        }
    }

    /// Length of the nonce in front of a block, bytes.
    pub fn nonce_len(self) -> usize {
        self.nonce_len
    }

    /// What a block has on top of its plaintext: nonce and tag, bytes.
    pub fn overhead(self) -> usize {
        self.nonce_len + ContentSuite::TAG_LEN
    }

    /// Length of a full block on disk, bytes.
    pub fn cipher_block(self) -> usize {
        PLAIN_BLOCK + self.overhead()
    }

    /// The block that holds the plaintext byte at `at`.
    pub fn block_of(self, at: PlainOffset) -> BlockNo {
        BlockNo(at.0 / PLAIN)
    }

    /// Where the plaintext of a block begins.
    pub fn plain_start(self, block: BlockNo) -> PlainOffset {
        PlainOffset(block.0.saturating_mul(PLAIN))
    }

    /// Where a block begins on disk.
    pub fn cipher_start(self, block: BlockNo) -> CipherOffset {
        let body = block.0.saturating_mul(self.cipher_block() as u64);
        CipherOffset(body.saturating_add(HEADER))
    }

    /// The block that the ciphertext byte at `at` belongs to; 0 for the header.
    pub fn block_at(self, at: CipherOffset) -> BlockNo {
        BlockNo(at.0.saturating_sub(HEADER) / self.cipher_block() as u64)
    }

    /// The ciphertext size of a file with `plain` bytes.
    pub fn cipher_size(self, plain: PlainOffset) -> CipherOffset {
        if plain.0 == 0 {
            return CipherOffset(0);
        }
        let overhead = plain.0.div_ceil(PLAIN) * self.overhead() as u64;
        CipherOffset(plain.0.saturating_add(overhead).saturating_add(HEADER))
    }

    /// The plaintext size that a ciphertext file of `cipher` bytes shows. Lenient: see
    /// [`Layout::size_defect`] for what is wrong with sizes that no complete file has.
    pub fn plain_size(self, cipher: CipherOffset) -> PlainOffset {
        let (blocks, rest) = self.split(cipher);
        let last = match rest {
            0 => 0,
            rest => rest.saturating_sub(self.overhead() as u64).max(1),
        };
        PlainOffset(blocks * PLAIN + last)
    }

    /// What is wrong with a ciphertext size, if anything. A header without blocks is no defect:
    /// it is what a crash leaves between the two writes.
    pub fn size_defect(self, cipher: CipherOffset) -> Option<SizeDefect> {
        let size = cipher.0;
        if (1..HEADER).contains(&size) {
            return Some(SizeDefect::CutHeader { size });
        }
        let (_, rest) = self.split(cipher);
        let overhead = self.overhead() as u64;
        (1..=overhead)
            .contains(&rest)
            .then_some(SizeDefect::CutBlock {
                size,
                rest,
                counted_as: overhead + 1,
            })
    }

    /// The number of full blocks and the bytes behind them.
    fn split(self, cipher: CipherOffset) -> (u64, u64) {
        let body = cipher.0.saturating_sub(HEADER);
        let block = self.cipher_block() as u64;
        (body / block, body % block)
    }
}
