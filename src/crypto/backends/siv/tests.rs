//! Against another implementation, in runs of every shape.

use aes_gcm::aes::Block;
use aes_gcm::aes::cipher::array::ArraySize;
use aes_gcm::aes::cipher::consts::{U1, U2, U3, U8, U64};
use aes_gcm::aes::cipher::inout::InOut;
use aes_gcm::aes::cipher::{BlockCipherEncClosure, BlockSizeUser, ParBlocksSizeUser};
use aes_siv::siv::Aes256Siv;

use super::*;

/// Owned parts of a message.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    nonce: [u8; 16],
    ad: [u8; 24],
    text: Vec<u8>,
    tag: [u8; TAG_LEN],
}

fn key() -> Secret<64> {
    Secret::filled(|key| key.iter_mut().zip(0..).for_each(|(byte, at)| *byte = at))
}

/// Bytes that depend on a number.
fn bytes(number: u8, len: usize) -> Vec<u8> {
    let start = usize::from(number.wrapping_mul(7));
    (0..=255).cycle().skip(start).take(len).collect()
}

fn parts(number: u8, text_len: usize) -> Parts {
    Parts {
        nonce: [number; 16],
        ad: [number.wrapping_mul(3); 24],
        text: bytes(number, text_len),
        tag: [0; TAG_LEN],
    }
}

fn messages(all: &mut [Parts]) -> Vec<Message<'_>> {
    all.iter_mut()
        .map(|parts| Message {
            nonce: &parts.nonce,
            ad: parts.ad,
            text: &mut parts.text,
            tag: &mut parts.tag,
        })
        .collect()
}

/// Encrypts with the other implementation and returns the tag.
fn other(nonce: &[u8], ad: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
    let mut other = Aes256Siv::new(key().expose().into());
    let tag = other.encrypt_inout_detached([ad, nonce], text.into());
    tag.unwrap().into()
}

fn sealed_by_the_other(parts: &Parts) -> Parts {
    let mut sealed = parts.clone();
    sealed.tag = other(&parts.nonce, &parts.ad, &mut sealed.text);
    sealed
}

/// Seals and opens a run, and compares it with what the other implementation makes of it.
fn check(run: &[Parts]) {
    let siv = Siv::new(&key());
    let wanted: Vec<Parts> = run.iter().map(sealed_by_the_other).collect();
    let mut all = run.to_vec();
    assert_eq!(siv.seal_all(&mut messages(&mut all)), Some(()));
    assert_eq!(all, wanted);
    assert_eq!(siv.open_all(&mut messages(&mut all)), Ok(()));
    let texts = |all: &[Parts]| -> Vec<Vec<u8>> { all.iter().map(|p| p.text.clone()).collect() };
    assert_eq!(texts(&all), texts(run));
}

#[test]
fn messages_of_all_lengths_are_those_of_the_other_implementation() {
    let siv = Siv::new(&key());
    let lengths = (0..=70).chain([4095, 4096, 4097, 16_384]);
    for (len, ad_len) in lengths.zip((0..=50).cycle()) {
        let (nonce, ad, plain) = ([9; 16], bytes(1, ad_len), bytes(2, len));
        let (mut text, mut wanted) = (plain.clone(), plain.clone());
        let tag = siv.seal(&nonce, &ad, &mut text).unwrap();
        assert_eq!(tag, other(&nonce, &ad, &mut wanted));
        assert_eq!(text, wanted);
        assert_eq!(siv.open(&nonce, &ad, &mut text, &tag), Some(()));
        assert_eq!(text, plain);
        check(&[parts(4, len), parts(5, len)]);
    }
}

#[test]
fn runs_of_all_lengths_are_those_of_the_other_implementation() {
    for count in (1..=20).chain([63, 64, 65, 130, 200]) {
        let mut run: Vec<Parts> = (0..count).map(|number| parts(number, 64)).collect();
        check(&run);
        run.push(parts(99, 17));
        check(&run);
    }
}

#[test]
fn runs_of_any_mixture_are_those_of_the_other_implementation() {
    let lengths = [64, 64, 16, 64, 64, 64, 3, 0, 0, 16, 16, 16, 16, 16, 31];
    check(
        &(0..)
            .zip(lengths)
            .map(|(n, len)| parts(n, len))
            .collect::<Vec<_>>(),
    );
    check(&[]);
}

/// A processor that encrypts `N` blocks at once.
struct Wide<'a, N>(&'a Aes256, core::marker::PhantomData<N>);

impl<N> BlockSizeUser for Wide<'_, N> {
    type BlockSize = U16;
}

impl<N: ArraySize> ParBlocksSizeUser for Wide<'_, N> {
    type ParBlocksSize = N;
}

impl<N: ArraySize> BlockCipherEncBackend for Wide<'_, N> {
    fn encrypt_block(&self, block: InOut<'_, '_, Block>) {
        self.0.encrypt_block_inout(block);
    }
}

fn check_width<N: ArraySize>() {
    let siv = Siv::new(&key());
    for (count, len) in [(1, 100), (3, 48), (7, 0), (9, 50), (70, 64)] {
        let mut run: Vec<Parts> = (0..count).map(|number| parts(number, len)).collect();
        let mut wanted = run.clone();
        siv.seal_all(&mut messages(&mut wanted)).unwrap();
        let mut messages = messages(&mut run);
        let mut tags = Vec::new();
        let s2v = s2v::Tags {
            s2v: &siv.s2v,
            inputs: &inputs(&messages),
            made: &mut tags,
        };
        s2v.call(&Wide::<N>(&siv.s2v.cipher, core::marker::PhantomData));
        for (message, tag) in messages.iter_mut().zip(tags) {
            *message.tag = tag;
        }
        let texts = tags_and_texts(&mut messages);
        KeyStream { texts }.call(&Wide::<N>(&siv.ctr, core::marker::PhantomData));
        assert_eq!(run, wanted);
    }
}

#[test]
fn the_width_of_the_processor_makes_no_difference() {
    check_width::<U1>();
    check_width::<U2>();
    check_width::<U3>();
    check_width::<U8>();
    check_width::<U64>();
}

#[test]
fn the_first_forged_message_is_found_and_nothing_is_left_of_it() {
    let siv = Siv::new(&key());
    let mut sealed: Vec<Parts> = (0..70).map(|number| parts(number, 4096)).collect();
    siv.seal_all(&mut messages(&mut sealed)).unwrap();
    for at in [0, 1, 7, 63, 64, 69] {
        let mut damaged = [(); 4].map(|()| sealed.clone());
        damaged[0][at].tag[15] ^= 1;
        damaged[1][at].text[4095] ^= 0x80;
        damaged[2][at].ad[0] ^= 1;
        damaged[3][at].nonce[0] ^= 1;
        for mut run in damaged {
            let mut one = run[at].clone();
            let opened = siv.open(&one.nonce, &one.ad, &mut one.text, &one.tag);
            assert_eq!((opened, one.text), (None, vec![0; 4096]));
            assert_eq!(siv.open_all(&mut messages(&mut run)), Err(at));
            assert_eq!(run[at].text, [0; 4096]);
        }
    }
}

#[test]
fn a_nonce_of_another_length_is_refused() {
    let siv = Siv::new(&key());
    for len in [0, 15, 17] {
        let (nonce, mut tag, mut text) = (vec![1; len], [0; TAG_LEN], [0; 20]);
        assert_eq!(siv.seal(&nonce, b"", &mut text), None);
        assert_eq!(siv.open(&nonce, b"", &mut text, &tag), None);
        let mut message = [Message {
            nonce: &nonce,
            ad: [0; 24],
            text: &mut text,
            tag: &mut tag,
        }];
        assert_eq!(siv.seal_all(&mut message), None);
        assert_eq!(siv.open_all(&mut message), Err(0));
    }
}
