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
use crate::crypto::{ContentCipher, ContentSuite, Message};

/// Room for the longest nonce, bytes.
const NONCE_MAX: usize = 24;
const TAG: usize = ContentSuite::TAG_LEN;
/// Blocks that are copied and sealed, or opened and moved, before the next ones: few enough to stay
/// in the cache of the core meanwhile, many enough for ciphers that work on several at once.
const GROUP: usize = 32;
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
        let group_len = GROUP * self.layout.cipher_block();
        let mut plain_len = 0;
        for start in (0..buf.len()).step_by(group_len) {
            let group = start..buf.len().min(start + group_len);
            let no = self.number_at(first, start);
            self.verify_run(id, no, &mut buf[group.clone()])?;
            plain_len = self.move_together(buf, group, plain_len);
        }
        Ok(plain_len)
    }

    /// As [`ContentCodec::open_run`], when only the answer is of interest: `buf` is undefined
    /// afterwards in any case.
    ///
    /// # Errors
    /// [`Corrupt::Block`] with the number of the first bad block.
    pub fn verify_run(&self, id: FileId, first: BlockNo, buf: &mut [u8]) -> Result<(), Corrupt> {
        let mut sealed = Vec::with_capacity(buf.len().div_ceil(self.layout.cipher_block()));
        let mut numbers = Vec::with_capacity(sealed.capacity());
        let mut damaged = None;
        for (no, block) in self.numbered(first, buf) {
            // only a full block can be a hole; others of zeros were damaged
            if block.len() == self.layout.cipher_block() && is_zero(block) {
                continue;
            }
            match self.checked_parts(block) {
                Ok(parts) => sealed.push(parts.message(block_ad(no, id))),
                Err(defect) => {
                    damaged = Some(Corrupt::Block { no, defect });
                    break;
                }
            }
            numbers.push(no);
        }
        if let Err(at) = self.cipher.open_all(&mut sealed) {
            let (no, defect) = (numbers[at], BlockDefect::Forged);
            return Err(Corrupt::Block { no, defect });
        }
        damaged.map_or(Ok(()), Err)
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
        let run = out.len();
        for group in plain.chunks(GROUP * PLAIN_BLOCK) {
            let start = out.len();
            for block in group.chunks(PLAIN_BLOCK) {
                self.append_unsealed(block, out);
            }
            let no = self.number_at(first, start - run);
            self.seal_in_place(id, no, &mut nonces, &mut out[start..]);
        }
    }

    /// Where the plaintext goes in `run`, the room for a run of blocks that is about to be sealed
    /// in place: all full but maybe the last.
    pub fn texts<'b>(&self, run: &'b mut [u8]) -> impl Iterator<Item = &'b mut [u8]> {
        let blocks = run.chunks_mut(self.layout.cipher_block());
        blocks.filter_map(|block| Some(self.parts(block)?.text))
    }

    /// As [`ContentCodec::seal_run_with`] for a plaintext that is already where
    /// [`ContentCodec::texts`] says.
    pub fn seal_in_place(
        &self,
        id: FileId,
        first: BlockNo,
        mut nonces: impl FnMut(BlockNo, &mut [u8]),
        run: &mut [u8],
    ) {
        let mut unsealed = Vec::with_capacity(run.len().div_ceil(self.layout.cipher_block()));
        for (no, block) in self.numbered(first, run) {
            if let Some(parts) = self.parts(block) {
                nonces(no, parts.nonce);
                unsealed.push(parts.message(block_ad(no, id)));
            }
        }
        self.cipher.seal_all(&mut unsealed);
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
        let parts = self.checked_parts(&mut buf).map_err(ValueDefect::from)?;
        let plain_len = parts.text.len();
        self.cipher
            .open(parts.nonce, &VALUE_AD, parts.text, parts.tag)
            .map_err(|_| ValueDefect::from(BlockDefect::Forged))?;
        buf.drain(..self.text_start());
        buf.truncate(plain_len);
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
            self.append_unsealed(plain, &mut out);
            if let Some(parts) = self.parts(&mut out) {
                parts.nonce.copy_from_slice(nonce);
                *parts.tag = self.cipher.seal(nonce, &VALUE_AD, parts.text);
            }
        }
        out
    }

    /// The number of the block that begins `offset` bytes into a run.
    fn number_at(&self, first: BlockNo, offset: usize) -> BlockNo {
        BlockNo(first.0 + (offset / self.layout.cipher_block()) as u64)
    }

    /// The blocks of a run with their numbers.
    fn numbered<'b>(
        &self,
        first: BlockNo,
        run: &'b mut [u8],
    ) -> impl Iterator<Item = (BlockNo, &'b mut [u8])> {
        let numbers = std::iter::successors(Some(first), |no| Some(no.next()));
        numbers.zip(run.chunks_mut(self.layout.cipher_block()))
    }

    /// Takes a block or value apart; `None` if it is too short for nonce and tag.
    fn parts<'b>(&self, block: &'b mut [u8]) -> Option<Parts<'b>> {
        let (nonce, body) = block.split_at_mut_checked(self.layout.nonce_len())?;
        let (tag, text) = if self.tag_first() {
            body.split_first_chunk_mut()?
        } else {
            let (text, tag) = body.split_last_chunk_mut()?;
            (tag, text)
        };
        Some(Parts { nonce, tag, text })
    }

    /// Takes a sealed block or value apart.
    fn checked_parts<'b>(&self, block: &'b mut [u8]) -> Result<Parts<'b>, BlockDefect> {
        let nonce = block
            .get(..self.layout.nonce_len())
            .ok_or(BlockDefect::TooShort)?;
        if is_zero(nonce) {
            return Err(BlockDefect::ZeroNonce);
        }
        self.parts(block).ok_or(BlockDefect::Forged)
    }

    /// Appends a block or value that is still to be sealed in place.
    fn append_unsealed(&self, plain: &[u8], out: &mut Vec<u8>) {
        let end = out.len() + plain.len() + self.layout.overhead();
        out.resize(out.len() + self.text_start(), 0);
        out.extend_from_slice(plain);
        out.resize(end, 0);
    }

    /// Moves the texts of opened blocks to `end`, where those before them end; returns their end.
    fn move_together(&self, run: &mut [u8], blocks: Range<usize>, mut end: usize) -> usize {
        for start in blocks.clone().step_by(self.layout.cipher_block()) {
            let block = self.layout.cipher_block().min(blocks.end - start);
            let text = start + self.text_start();
            let length = block - self.layout.overhead();
            run.copy_within(text..text + length, end);
            end += length;
        }
        end
    }

    /// Where the text begins in a block or value.
    fn text_start(&self) -> usize {
        self.layout.nonce_len() + if self.tag_first() { TAG } else { 0 }
    }

    /// AES-SIV stores its tag, the synthetic IV, before the ciphertext (RFC 5297 section 2.6).
    fn tag_first(&self) -> bool {
        self.suite() == ContentSuite::AesSiv
    }
}

/// A block or value taken apart.
struct Parts<'b> {
    nonce: &'b mut [u8],
    tag: &'b mut [u8; TAG],
    text: &'b mut [u8],
}

impl<'b> Parts<'b> {
    fn message(self, ad: [u8; 24]) -> Message<'b> {
        let Parts { nonce, tag, text } = self;
        Message {
            nonce,
            ad,
            text,
            tag,
        }
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
