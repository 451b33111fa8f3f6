//! Names that the original program encrypted, and the mode once more, word by word as published.

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{BadLength, NameCipher};
use crate::crypto::derive::name_cipher;
use crate::crypto::kdf;
use crate::crypto::tests::zero_key;

const DIR_IV: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const NO_IV: [u8; 16] = [0; 16];
const XATTR_IV: &[u8; 16] = b"xattr_name_iv_xx";

/// `name` with PKCS#7 padding, and its stored form.
fn vector(name: &str, stored: &str) -> (Vec<u8>, Vec<u8>) {
    let pad = 16 - name.len() % 16;
    let mut padded = name.as_bytes().to_vec();
    padded.resize(name.len() + pad, u8::try_from(pad).unwrap());
    (padded, URL_SAFE_NO_PAD.decode(stored).unwrap())
}

fn check(cipher: &NameCipher, tweak: &[u8; 16], name: &str, stored: &str) {
    let (padded, stored) = vector(name, stored);
    let mut buf = padded.clone();
    cipher.encrypt(tweak, &mut buf).unwrap();
    assert_eq!(buf, stored, "{name}");
    cipher.decrypt(tweak, &mut buf).unwrap();
    assert_eq!(buf, padded, "{name}");
}

#[test]
fn names_encrypt_as_the_original_program_does() {
    let cipher = name_cipher(&zero_key(), true);
    let n = |count| "n".repeat(count);
    for (name, stored) in [
        (n(1).as_str(), "_-j0bW4kvGMKUJPr8Ayc_g"),
        (&n(15), "Oe1H2tK1hQ8bZU8Jdc2ZgA"),
        (&n(16), "AwQLFZSEOJkWCVxz5gkSndbCvR2GCEX7O5k59we7zRo"),
        (&n(17), "FW-1T5gdrrXZcgPQb65UleaZOhqRHoaOxIL1Vjw9npA"),
        (
            &n(32),
            "G2ikKc_1yYAHprDnGkOEDAJW5LdpSvzW3hoOk8dSevjwVYXHCNZ7a1olpKofkbo5",
        ),
        ("a", "qk6iHr29RBPDTHATR5v1BQ"),
        ("empty", "4_trO20utjev11dhNv0CRg"),
        ("f5000", "9TIloyniTlecOnhDHFF3Vw"),
        ("lnk", "4CjY-GfJ4GaNpd6AT8JIXg"),
        ("vec1", "FlyHw1q53DTe8RxqzAS8Yw"),
        ("foo", "kdpzVzBeShB3GNrDO-7_wQ"),
        ("sub", "exTRMLv0c7yiI70MSxvQwg"),
        ("<&>", "c1JW0hRnHjYIr6vsi-UqHg"),
    ] {
        check(&cipher, &DIR_IV, name, stored);
    }
    for (name, stored) in [
        ("a", "1sKOJa08QdEbbzmV8V5Lug"),
        ("hello.txt", "jL2AGWCsH3KL2YR2S3kqNg"),
        ("sub", "NpwQVH07TCzMriBuf-wGBg"),
    ] {
        check(&cipher, &NO_IV, name, stored);
    }
    check(&cipher, XATTR_IV, "user.foo", "WnDhkvrx-Ccp_3TyHvWE2w");
    check(&cipher, XATTR_IV, "user.empty", "0H1FaYhRYCyyGHOHTpKUzA");
}

#[test]
fn names_without_hkdf_encrypt_under_the_master_key() {
    let cipher = name_cipher(&zero_key(), false);
    check(&cipher, &DIR_IV, "a", "VwSkRhICTx8P_AyUfnhiIw");
    check(&cipher, XATTR_IV, "user.foo", "DEwEtIL-dsAyL9XauPlGOQ");
}

#[test]
fn other_lengths_are_refused_and_change_nothing() {
    let cipher = NameCipher::new(&[1; 32]);
    for len in [0, 1, 15, 17, 31, 2047, 2049, 2064, 4096] {
        let mut buf = vec![9; len];
        assert_eq!(cipher.encrypt(&NO_IV, &mut buf), Err(BadLength(len)));
        assert_eq!(cipher.decrypt(&NO_IV, &mut buf), Err(BadLength(len)));
        assert_eq!(buf, vec![9; len]);
    }
}

#[test]
fn every_length_agrees_with_the_published_algorithm() {
    let (key, tweak) = ([0x2b; 32], b"sixteen bytes...");
    let text = kdf::hkdf::<2048>(&key, "any bytes");
    let cipher = NameCipher::new(&key);
    for len in (16..=2048).step_by(16) {
        let plain = &text.expose()[..len];
        let mut buf = plain.to_vec();
        cipher.encrypt(tweak, &mut buf).unwrap();
        assert_eq!(buf, reference(&key, tweak, plain, true), "{len}");
        assert_eq!(plain, reference(&key, tweak, &buf, false), "{len}");
        cipher.decrypt(tweak, &mut buf).unwrap();
        assert_eq!(buf, plain, "{len}");
    }
}

#[test]
fn every_bit_of_the_tweak_counts() {
    let cipher = NameCipher::new(&[1; 32]);
    let mut seen = std::collections::HashSet::new();
    for bit in 0..128 {
        let tweak = (1u128 << bit).to_le_bytes();
        let mut buf = [0; 32];
        cipher.encrypt(&tweak, &mut buf).unwrap();
        assert!(seen.insert(buf), "{bit}");
    }
}

/// EME with the blocks as 128-bit little-endian integers, in the variables of the paper.
fn reference(key: &[u8; 32], tweak: &[u8; 16], text: &[u8], encrypt: bool) -> Vec<u8> {
    let aes = Aes256::new(key.into());
    let run = |forwards: bool, block: u128| {
        let mut block = block.to_le_bytes().into();
        if forwards {
            aes.encrypt_block(&mut block);
        } else {
            aes.decrypt_block(&mut block);
        }
        u128::from_le_bytes(block.into())
    };
    let double = |block: u128| (block << 1) ^ if block >> 127 == 1 { 0x87 } else { 0 };
    let powers = |first: u128| std::iter::successors(Some(first), |block| Some(double(*block)));

    let t = u128::from_le_bytes(*tweak);
    let l = || powers(double(run(true, 0)));
    let blocks = text
        .chunks(16)
        .map(|block| u128::from_le_bytes(block.try_into().unwrap()));
    let ppp: Vec<u128> = blocks.zip(l()).map(|(p, l)| run(encrypt, p ^ l)).collect();
    let mp = ppp.iter().fold(t, |sum, ppp| sum ^ ppp);
    let mc = run(encrypt, mp);
    let mut ccc: Vec<u128> = ppp
        .iter()
        .zip(powers(mp ^ mc))
        .map(|(ppp, m)| ppp ^ m)
        .collect();
    ccc[0] = ccc[1..].iter().fold(mc ^ t, |sum, ccc| sum ^ ccc);
    ccc.iter()
        .zip(l())
        .flat_map(|(ccc, l)| (run(encrypt, *ccc) ^ l).to_le_bytes())
        .collect()
}
