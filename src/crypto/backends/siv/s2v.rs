//! S2V (RFC 5297 section 2.4), the tags of AES-SIV, by CMAC (RFC 4493) over many messages in step.

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::aes::cipher::typenum::Unsigned;
use aes_gcm::aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, ParBlocks,
};
use zeroize::Zeroizing;

use super::{BLOCK, encrypt, xored};
use crate::crypto::aead::TAG_LEN;

/// What the tag of a message is made of.
pub(super) struct Input<'a> {
    pub(super) ad: &'a [u8],
    pub(super) nonce: &'a [u8],
    /// The plaintext.
    pub(super) text: &'a [u8],
}

/// Makes tags.
pub(super) struct S2v {
    pub(super) cipher: Aes256,
    /// What goes into the last block of a chain: if it is full, and if it was padded.
    subkeys: Zeroizing<[[u8; BLOCK]; 2]>,
    /// The MAC of a block of zeros, where S2V begins.
    zero_mac: Zeroizing<[u8; BLOCK]>,
}

impl S2v {
    pub(super) fn new(cipher: Aes256) -> S2v {
        let encrypted = |block: [u8; BLOCK]| -> [u8; BLOCK] {
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            block.into()
        };
        let full = doubled(encrypted([0; BLOCK]));
        S2v {
            subkeys: Zeroizing::new([full, doubled(full)]),
            zero_mac: Zeroizing::new(encrypted(full)),
            cipher,
        }
    }

    /// The tag of each input.
    pub(super) fn tags(&self, inputs: &[Input<'_>]) -> Vec<[u8; TAG_LEN]> {
        let mut tags = Vec::with_capacity(inputs.len());
        self.cipher.encrypt_with_backend(Tags {
            s2v: self,
            inputs,
            made: &mut tags,
        });
        tags
    }

    /// The last block of a chain as it goes into the cipher.
    #[inline(always)]
    fn last_block(&self, tail: &[u8]) -> [u8; BLOCK] {
        let [full, padded] = &*self.subkeys;
        let mut block = [0; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        if let Some(end) = block.get_mut(tail.len()) {
            *end = 0x80;
            xored(block, *padded)
        } else {
            xored(block, *full)
        }
    }

    /// Appends the tags of inputs of the same lengths, at most a batch of them.
    #[inline(always)]
    fn append_tags<B: BlockCipherEncBackend<BlockSize = U16>>(
        &self,
        backend: &B,
        group: &[Input<'_>],
        tags: &mut Vec<[u8; TAG_LEN]>,
    ) {
        let none = vec![[0; BLOCK]; group.len()];
        let ads: Vec<&[u8]> = group.iter().map(|input| input.ad).collect();
        let nonces: Vec<&[u8]> = group.iter().map(|input| input.nonce).collect();
        let ads = self.macs(backend, &ads, &none);
        let nonces = self.macs(backend, &nonces, &none);
        let both = ads.iter().zip(&nonces).take(group.len());
        let sums = both.map(|(ad, nonce)| {
            let sum = xored(doubled(*self.zero_mac), (*ad).into());
            xored(doubled(sum), (*nonce).into())
        });
        let sums: Vec<[u8; BLOCK]> = sums.collect();
        let is_whole = |input: &Input<'_>| {
            let len = input.text.len();
            len > 0 && len.is_multiple_of(BLOCK)
        };
        let found = if group.iter().all(is_whole) {
            let texts: Vec<&[u8]> = group.iter().map(|input| input.text).collect();
            self.macs(backend, &texts, &sums)
        } else {
            // The sum goes into the last two blocks, or a short text into the sum.
            let texts = group.iter().zip(&sums);
            let texts: Vec<_> = texts.map(|(i, sum)| with_sum(i.text, sum)).collect();
            let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_slice()).collect();
            self.macs(backend, &texts, &none)
        };
        tags.extend(found.iter().take(group.len()).map(|tag| tag.0));
    }

    /// CMAC of strings of one length, at most a batch of them. `extra` is added to the last
    /// blocks.
    #[inline(always)]
    fn macs<B: BlockCipherEncBackend<BlockSize = U16>>(
        &self,
        backend: &B,
        strings: &[&[u8]],
        extra: &[[u8; BLOCK]],
    ) -> ParBlocks<B> {
        let mut chains = ParBlocks::<B>::default();
        let parts = strings.iter().map(|string| parted(string));
        let strings: Vec<(&[[u8; BLOCK]], &[u8])> = parts.collect();
        let steps = strings.first().map_or(0, |(blocks, _)| blocks.len());
        for step in 0..steps {
            for (chain, (blocks, _)) in chains.iter_mut().zip(&strings) {
                *chain = xored((*chain).into(), blocks[step]).into();
            }
            encrypt(backend, &mut chains, strings.len());
        }
        for ((chain, (_, end)), extra) in chains.iter_mut().zip(&strings).zip(extra) {
            let last = xored(self.last_block(end), *extra);
            *chain = xored((*chain).into(), last).into();
        }
        encrypt(backend, &mut chains, strings.len());
        chains
    }
}

/// Computes tags in step, a group of inputs of the same lengths after the other.
pub(super) struct Tags<'a> {
    pub(super) s2v: &'a S2v,
    pub(super) inputs: &'a [Input<'a>],
    pub(super) made: &'a mut Vec<[u8; TAG_LEN]>,
}

impl BlockSizeUser for Tags<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Tags<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut inputs = self.inputs;
        while let Some(first) = inputs.first() {
            let lengths = |input: &Input<'_>| (input.ad.len(), input.nonce.len(), input.text.len());
            let batch = inputs.iter().take(B::ParBlocksSize::USIZE);
            let alike = batch.take_while(|other| lengths(other) == lengths(first));
            let (group, rest) = inputs.split_at(alike.count());
            self.s2v.append_tags(backend, group, self.made);
            inputs = rest;
        }
    }
}

/// The text with the sum of what came before it, as S2V takes it into its last step.
fn with_sum(text: &[u8], sum: &[u8; BLOCK]) -> Zeroizing<Vec<u8>> {
    let mut whole = Zeroizing::new(Vec::with_capacity(text.len().max(BLOCK)));
    whole.extend_from_slice(text);
    let sum = if text.len() < BLOCK {
        whole.push(0x80);
        whole.resize(BLOCK, 0);
        doubled(*sum)
    } else {
        *sum
    };
    if let Some(end) = whole.last_chunk_mut() {
        *end = xored(*end, sum);
    }
    whole
}

/// A string as blocks and the rest, which is empty only if the string is.
#[inline(always)]
fn parted(string: &[u8]) -> (&[[u8; BLOCK]], &[u8]) {
    let end = string.len().saturating_sub(1) / BLOCK * BLOCK;
    (string[..end].as_chunks().0, &string[end..])
}

/// Twice the value in the field of 2^128 elements (RFC 4493 section 2.3).
#[inline(always)]
fn doubled(block: [u8; BLOCK]) -> [u8; BLOCK] {
    let value = u128::from_be_bytes(block);
    let carry = (value >> 127) * 0x87;
    (value << 1 ^ carry).to_be_bytes()
}
