//! AES-SIV (RFC 5297) for runs of messages, as fast as the processor's AES instructions are.
//!
//! CMAC goes from one cipher block to the next, so for a single message the instructions wait for
//! each other most of the time. Here the chains of many messages of one length go in step, as many
//! as the processor takes at once; the key stream is made in batches as wide. The cipher chooses
//! the instructions when it runs, and without any it is plain Rust.

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into the cipher's own functions uses their vector instructions"
)]

mod s2v;
mod stream;
#[cfg(test)]
mod tests;

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::aes::cipher::typenum::Unsigned;
use aes_gcm::aes::cipher::{BlockCipherEncBackend, BlockCipherEncrypt, KeyInit, ParBlocks};
use zeroize::Zeroize;

use crate::crypto::aead::{Message, TAG_LEN};
use crate::crypto::secret::Secret;
use s2v::{Input, S2v};
use stream::KeyStream;

/// Bytes of a cipher block.
const BLOCK: usize = 16;
/// Fewer blocks than this are encrypted one by one rather than in a batch that is mostly empty.
const BATCH_MIN: usize = 4;

/// AES-SIV with 256-bit keys over two strings of associated data: what the caller gives, then the
/// nonce.
pub(in crate::crypto) struct Siv {
    s2v: S2v,
    ctr: Aes256,
}

impl Siv {
    const NONCE_LEN: usize = 16;

    /// The first half of the key is for CMAC, the second half for CTR.
    pub(in crate::crypto) fn new(key: &Secret<64>) -> Siv {
        let (mac, ctr) = key.expose().split_at(32);
        let [mac, ctr] = [mac, ctr].map(|half| {
            let half = half.try_into().expect("half of 64 bytes are 32");
            Aes256::new(half)
        });
        let s2v = S2v::new(mac);
        Siv { s2v, ctr }
    }

    /// As [`Siv::seal_all`] for one message.
    pub(in crate::crypto) fn seal(
        &self,
        nonce: &[u8],
        ad: &[u8],
        text: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let tag = *self.tags(&[Input { ad, nonce, text }])?.first()?;
        self.apply_key_stream([(&tag, text)].into_iter());
        Some(tag)
    }

    /// As [`Siv::open_all`] for one message.
    pub(in crate::crypto) fn open(
        &self,
        nonce: &[u8],
        ad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        self.apply_key_stream([(tag, &mut *text)].into_iter());
        let found = self.tags(&[Input { ad, nonce, text }]).unwrap_or_default();
        let is_right = found.first().is_some_and(|found| same(found, tag));
        if !is_right {
            text.zeroize();
        }
        is_right.then_some(())
    }

    /// Encrypts each text in place and sets the tags. `None` if a nonce has the wrong length.
    pub(in crate::crypto) fn seal_all(&self, messages: &mut [Message<'_>]) -> Option<()> {
        let tags = self.tags(&inputs(messages))?;
        for (message, tag) in messages.iter_mut().zip(tags) {
            *message.tag = tag;
        }
        self.apply_key_stream(tags_and_texts(messages));
        Some(())
    }

    /// Decrypts each text in place and checks the tags.
    ///
    /// # Errors
    /// The position of the first message that is forged. Its text and those behind are wiped.
    pub(in crate::crypto) fn open_all(&self, messages: &mut [Message<'_>]) -> Result<(), usize> {
        self.apply_key_stream(tags_and_texts(messages));
        let tags = self.tags(&inputs(messages)).unwrap_or_default();
        let mut tags = tags.iter();
        let is_right = |m: &Message<'_>| tags.next().is_some_and(|tag| same(tag, m.tag));
        let right = messages.iter().map(is_right).take_while(|right| *right);
        let at = right.count();
        if at == messages.len() {
            return Ok(());
        }
        for message in &mut messages[at..] {
            message.text.zeroize();
        }
        Err(at)
    }

    /// The tags of the inputs. `None` if a nonce has the wrong length.
    fn tags(&self, inputs: &[Input<'_>]) -> Option<Vec<[u8; TAG_LEN]>> {
        let mut nonces = inputs.iter().map(|input| input.nonce);
        let are_right = nonces.all(|nonce| nonce.len() == Self::NONCE_LEN);
        are_right.then(|| self.s2v.tags(inputs))
    }

    /// Encrypts or decrypts texts under their tags.
    fn apply_key_stream<'m>(&self, texts: impl Iterator<Item = (&'m [u8; TAG_LEN], &'m mut [u8])>) {
        self.ctr.encrypt_with_backend(KeyStream { texts });
    }
}

fn inputs<'a>(messages: &'a [Message<'_>]) -> Vec<Input<'a>> {
    let inputs = messages.iter().map(|message| Input {
        ad: &message.ad,
        nonce: message.nonce,
        text: message.text,
    });
    inputs.collect()
}

fn tags_and_texts<'a>(
    messages: &'a mut [Message<'_>],
) -> impl Iterator<Item = (&'a [u8; TAG_LEN], &'a mut [u8])> {
    let messages = messages.iter_mut();
    messages.map(|message| (&*message.tag, &mut *message.text))
}

/// Encrypts the first `count` blocks.
#[inline(always)]
fn encrypt<B: BlockCipherEncBackend<BlockSize = U16>>(
    backend: &B,
    blocks: &mut ParBlocks<B>,
    count: usize,
) {
    if count >= BATCH_MIN || count == B::ParBlocksSize::USIZE {
        backend.encrypt_par_blocks_inplace(blocks);
    } else {
        backend.encrypt_tail_blocks_inplace(&mut blocks[..count]);
    }
}

#[inline(always)]
fn xored(one: [u8; BLOCK], other: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_le_bytes(one) ^ u128::from_le_bytes(other)).to_le_bytes()
}

/// Whether two tags are the same, in a time that does not depend on where they differ.
fn same(one: &[u8; TAG_LEN], other: &[u8; TAG_LEN]) -> bool {
    let differences = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differences) == 0
}
