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

    /// The end of the block that is cut in two at `at`; `at` itself if none is.
    pub fn block_end(self, at: CipherOffset) -> CipherOffset {
        match self.split(at) {
            (_, 0) => at,
            (blocks, _) => self.cipher_start(BlockNo(blocks).next()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gcm() -> Layout {
        Layout::new(ContentSuite::AesGcm)
    }

    fn layouts() -> [Layout; 2] {
        [gcm(), Layout::new(ContentSuite::XChaCha)]
    }

    /// Numbers around every power of two and around the boundaries of the first blocks.
    fn interesting() -> impl Iterator<Item = u64> {
        let powers = (0..64).map(|bit| 1_u64 << bit).chain([u64::MAX]);
        let blocks = (0..40).flat_map(|no| [no * 4096, 18 + no * 4128, 18 + no * 4136]);
        let around = |middle: u64| middle.saturating_sub(45)..=middle.saturating_add(45);
        powers.chain(blocks).flat_map(around)
    }

    #[test]
    fn the_suites_have_their_lengths() {
        let lengths = |suite| {
            let layout = Layout::new(suite);
            let nonce = layout.nonce_len();
            (nonce, layout.overhead(), layout.cipher_block())
        };
        assert_eq!(lengths(ContentSuite::AesGcm), (16, 32, 4128));
        assert_eq!(lengths(ContentSuite::AesSiv), (16, 32, 4128));
        assert_eq!(lengths(ContentSuite::XChaCha), (24, 40, 4136));
    }

    #[test]
    fn sizes_follow_the_worked_examples() {
        let examples = [
            (0, 0, 0),
            (1, 51, 59),
            (4096, 4146, 4154),
            (4097, 4179, 4195),
            (5000, 5082, 5098),
            (1_048_576, 1_056_786, 1_058_834),
        ];
        for (plain, gcm, xchacha) in examples {
            for (layout, cipher) in layouts().into_iter().zip([gcm, xchacha]) {
                let (plain, cipher) = (PlainOffset(plain), CipherOffset(cipher));
                assert_eq!(layout.cipher_size(plain), cipher);
                assert_eq!(layout.plain_size(cipher), plain);
                assert_eq!(layout.size_defect(cipher), None);
            }
        }
    }

    #[test]
    fn every_plaintext_size_survives_the_way_there_and_back() {
        for layout in layouts() {
            for plain in interesting().map(PlainOffset) {
                let cipher = layout.cipher_size(plain);
                if cipher.0 < u64::MAX {
                    assert_eq!(layout.plain_size(cipher), plain);
                    assert_eq!(layout.size_defect(cipher), None, "{cipher:?}");
                }
            }
        }
    }

    #[test]
    fn any_ciphertext_size_is_either_that_of_its_plaintext_size_or_defective() {
        for layout in layouts() {
            for cipher in interesting().map(CipherOffset) {
                let exact = layout.cipher_size(layout.plain_size(cipher)) == cipher;
                let header_only = cipher.0 == HEADER;
                let defective = layout.size_defect(cipher).is_some();
                assert_eq!(exact || header_only, !defective, "{cipher:?}");
            }
        }
    }

    #[test]
    fn plaintext_sizes_grow_with_ciphertext_sizes() {
        for layout in layouts() {
            let size = |cipher| layout.plain_size(CipherOffset(cipher));
            assert!((0..20_000).all(|cipher| size(cipher) <= size(cipher + 1)));
        }
    }

    #[test]
    fn a_cut_header_counts_as_empty_and_a_cut_block_as_one_byte() {
        let layout = gcm();
        for size in 1..18 {
            let defect = layout.size_defect(CipherOffset(size));
            assert_eq!(defect, Some(SizeDefect::CutHeader { size }));
            assert_eq!(layout.plain_size(CipherOffset(size)), PlainOffset(0));
        }
        assert_eq!(layout.size_defect(CipherOffset(18)), None);
        assert_eq!(layout.plain_size(CipherOffset(18)), PlainOffset(0));
        for rest in 1..=32 {
            let cut = CipherOffset(18 + 4128 + rest);
            assert_eq!(layout.plain_size(cut), PlainOffset(4097));
            assert!(layout.size_defect(cut).is_some());
        }
    }

    #[test]
    fn size_defects_read_like_log_lines() {
        let text = |size| gcm().size_defect(CipherOffset(size)).unwrap().to_string();
        assert_eq!(text(3), "cipherSize 3 < header size 18: corrupt file");
        let cut = "cipherSize 4147: incomplete last block (1 bytes), padding to 33 bytes";
        assert_eq!(text(4147), cut);
    }

    #[test]
    fn positions_and_blocks_agree() {
        for layout in layouts() {
            for no in [0, 1, 2, 1000, 1 << 40].map(BlockNo) {
                let plain = layout.plain_start(no);
                let cipher = layout.cipher_start(no);
                assert_eq!(layout.block_of(plain), no);
                assert_eq!(layout.block_of(PlainOffset(plain.0 + 4095)), no);
                assert_eq!(layout.block_at(cipher), no);
                let last = layout.cipher_start(no.next()).0 - 1;
                assert_eq!(layout.block_at(CipherOffset(last)), no);
                assert_eq!(layout.block_end(cipher), cipher);
                assert_eq!(layout.block_end(CipherOffset(cipher.0 + 1)).0, last + 1);
                assert_eq!(layout.block_end(CipherOffset(last)).0, last + 1);
                assert_eq!(cipher.0 % 4, 2, "blocks are never aligned");
            }
            assert_eq!(layout.block_at(CipherOffset(0)), BlockNo(0));
            assert_eq!(layout.block_at(CipherOffset(17)), BlockNo(0));
        }
    }

    #[test]
    fn what_does_not_fit_saturates() {
        for layout in layouts() {
            let far = BlockNo(u64::MAX);
            assert_eq!(far.next(), far);
            assert_eq!(layout.plain_start(far).0, u64::MAX);
            assert_eq!(layout.cipher_start(far).0, u64::MAX);
            assert_eq!(layout.cipher_size(PlainOffset(u64::MAX)).0, u64::MAX);
        }
    }
}
