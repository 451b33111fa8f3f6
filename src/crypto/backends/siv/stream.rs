//! The key stream: AES-CTR that begins to count at the tag of each text.

use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::aes::cipher::typenum::Unsigned;
use aes_gcm::aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockSizeUser, ParBlocks,
};

use super::{BLOCK, encrypt, xored};
use crate::crypto::aead::TAG_LEN;

/// The two bits that RFC 5297 section 2.5 clears, so that counters of 32 or 64 bits do.
const COUNTER_START: u128 = !(1 << 63 | 1 << 31);

/// Encrypts or decrypts texts, beginning to count at their tags.
pub(super) struct KeyStream<I> {
    pub(super) texts: I,
}

impl<I> BlockSizeUser for KeyStream<I> {
    type BlockSize = U16;
}

impl<'m, I: Iterator<Item = (&'m [u8; TAG_LEN], &'m mut [u8])>> BlockCipherEncClosure
    for KeyStream<I>
{
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        for (tag, text) in self.texts {
            let mut counter = u128::from_be_bytes(*tag) & COUNTER_START;
            for batch in text.chunks_mut(B::ParBlocksSize::USIZE * BLOCK) {
                let mut stream = ParBlocks::<B>::default();
                let count = batch.len().div_ceil(BLOCK);
                for block in stream.iter_mut().take(count) {
                    *block = counter.to_be_bytes().into();
                    counter = counter.wrapping_add(1);
                }
                encrypt(backend, &mut stream, count);
                let (blocks, rest) = batch.as_chunks_mut::<BLOCK>();
                let behind = stream.get(blocks.len());
                for (block, key) in blocks.iter_mut().zip(&stream) {
                    *block = xored(*block, (*key).into());
                }
                let key = behind.into_iter().flatten();
                for (byte, key) in rest.iter_mut().zip(key) {
                    *byte ^= key;
                }
            }
        }
    }
}
