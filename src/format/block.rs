//! Content blocks and small values: sealed and opened, many at once and in place.
//!
//! On disk a block is nonce, ciphertext, tag; AES-SIV puts the tag in front of the ciphertext. Its
//! associated data is the block number and the file id, so that a block that was moved does not
//! open. Invariant: plaintext comes from authenticated bytes or from a hole, and every block gets
//! a nonce of its own.

use std::ops::Range;

use super::corrupt::{BlockDefect, Corrupt, ValueDefect};
use super::header::FileId;
use super::layout::{BlockNo, Layout, PLAIN_BLOCK};
use super::nonzero::{fill_random, is_zero};
use crate::crypto::{ContentCipher, ContentSuite};

/// Room for the longest nonce, bytes.
const NONCE_MAX: usize = 24;
const TAG: usize = ContentSuite::TAG_LEN;
/// Associated data of values, which are bound to nothing.
const VALUE_AD: [u8; 8] = [0; 8];

/// Seals and opens the content of files and small values.
pub struct ContentCodec {
    cipher: ContentCipher,
    layout: Layout,
}

impl ContentCodec {
    /// The codec around a cipher.
    pub fn new(cipher: ContentCipher) -> ContentCodec {
        let layout = Layout::new(cipher.suite());
        ContentCodec { cipher, layout }
    }

    /// The sizes and offsets of files sealed with this codec.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The cipher suite.
    pub fn suite(&self) -> ContentSuite {
        self.cipher.suite()
    }

    /// Opens a run of blocks in place: `buf` holds block `first` and the following ones as they
    /// are on disk, all full but maybe the last. The plaintext is moved together at the front; its
    /// length is returned. A full block of zeros is a hole and opens to zeros.
    ///
    /// # Errors
    /// [`Corrupt::Block`] with the number of the first bad block. `buf` is then undefined.
    pub fn open_run(&self, id: FileId, first: BlockNo, buf: &mut [u8]) -> Result<usize, Corrupt> {
        let mut no = first;
        let mut plain_len = 0;
        for start in (0..buf.len()).step_by(self.layout.cipher_block()) {
            let end = buf.len().min(start + self.layout.cipher_block());
            let plain = self
                .open_block(id, no, &mut buf[start..end])
                .map_err(|defect| Corrupt::Block { no, defect })?;
            let length = plain.len();
            buf.copy_within(start + plain.start..start + plain.end, plain_len);
            plain_len += length;
            no = no.next();
        }
        Ok(plain_len)
    }

    /// Appends the sealed form of `plain` to `out`, with fresh nonces. The run starts at the
    /// beginning of block `first`.
    pub fn seal_run(&self, id: FileId, first: BlockNo, plain: &[u8], out: &mut Vec<u8>) {
        self.seal_run_with(id, first, plain, |_, nonce| fill_random(nonce), out);
    }

    /// As [`ContentCodec::seal_run`], with the nonces that `nonces` writes. A nonce must never
    /// serve for two different plaintexts under one key, and never be all zero.
    pub fn seal_run_with(
        &self,
        id: FileId,
        first: BlockNo,
        plain: &[u8],
        mut nonces: impl FnMut(BlockNo, &mut [u8]),
        out: &mut Vec<u8>,
    ) {
        let blocks = plain.len().div_ceil(PLAIN_BLOCK);
        out.reserve(plain.len() + blocks * self.layout.overhead());
        let mut no = first;
        for block in plain.chunks(PLAIN_BLOCK) {
            let mut nonce = [0; NONCE_MAX];
            let nonce = &mut nonce[..self.layout.nonce_len()];
            nonces(no, nonce);
            self.append_sealed(nonce, &block_ad(no, id), block, out);
            no = no.next();
        }
    }

    /// Opens a value: a symlink target or an extended attribute. Empty is empty.
    ///
    /// # Errors
    /// [`Corrupt::Value`] if it does not authenticate. Values have no holes.
    pub fn open_value(&self, stored: &[u8]) -> Result<Vec<u8>, Corrupt> {
        if stored.is_empty() {
            return Ok(Vec::new());
        }
        let mut buf = stored.to_vec();
        let plain = self
            .open_sealed(&VALUE_AD, &mut buf)
            .map_err(ValueDefect::from)?;
        buf.truncate(plain.end);
        buf.drain(..plain.start);
        Ok(buf)
    }

    /// Seals a value with a fresh nonce. Empty stays empty.
    pub fn seal_value(&self, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_MAX];
        let nonce = &mut nonce[..self.layout.nonce_len()];
        fill_random(nonce);
        self.seal_value_with(plain, nonce)
    }

    /// As [`ContentCodec::seal_value`], with a given nonce.
    ///
    /// # Panics
    /// If the nonce does not have the suite's length.
    pub fn seal_value_with(&self, plain: &[u8], nonce: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if !plain.is_empty() {
            out.reserve(plain.len() + self.layout.overhead());
            self.append_sealed(nonce, &VALUE_AD, plain, &mut out);
        }
        out
    }

    /// Where the plaintext of a block is after it was opened in place.
    fn open_block(
        &self,
        id: FileId,
        no: BlockNo,
        block: &mut [u8],
    ) -> Result<Range<usize>, BlockDefect> {
        // only a full block can be a hole; others of zeros were damaged
        if block.len() == self.layout.cipher_block() && is_zero(block) {
            return Ok(0..PLAIN_BLOCK);
        }
        self.open_sealed(&block_ad(no, id), block)
    }

    fn open_sealed(&self, ad: &[u8], block: &mut [u8]) -> Result<Range<usize>, BlockDefect> {
        let length = block.len();
        let (nonce, body) = block
            .split_at_mut_checked(self.layout.nonce_len())
            .ok_or(BlockDefect::TooShort)?;
        if is_zero(nonce) {
            return Err(BlockDefect::ZeroNonce);
        }
        let split = if self.tag_first() {
            body.split_first_chunk_mut::<TAG>()
        } else {
            let split = body.split_last_chunk_mut::<TAG>();
            split.map(|(text, tag)| (tag, text))
        };
        let (tag, text) = split.ok_or(BlockDefect::Forged)?;
        let end = if self.tag_first() {
            length
        } else {
            length - TAG
        };
        let start = end - text.len();
        self.cipher
            .open(nonce, ad, text, tag)
            .map_err(|_| BlockDefect::Forged)?;
        Ok(start..end)
    }

    fn append_sealed(&self, nonce: &[u8], ad: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(nonce);
        let tag_at = out.len();
        if self.tag_first() {
            out.extend_from_slice(&[0; TAG]);
        }
        let text_at = out.len();
        out.extend_from_slice(plain);
        let tag = self.cipher.seal(nonce, ad, &mut out[text_at..]);
        if self.tag_first() {
            out[tag_at..text_at].copy_from_slice(&tag);
        } else {
            out.extend_from_slice(&tag);
        }
    }

    /// AES-SIV stores its tag, the synthetic IV, before the ciphertext (RFC 5297 section 2.6).
    fn tag_first(&self) -> bool {
        self.suite() == ContentSuite::AesSiv
    }
}

/// Associated data of a content block: its number, big endian, and the file it belongs to.
fn block_ad(no: BlockNo, id: FileId) -> [u8; 24] {
    let mut ad = [0; 24];
    let (number, file) = ad.split_at_mut(8);
    number.copy_from_slice(&no.0.to_be_bytes());
    file.copy_from_slice(&id.0);
    ad
}
