//! Sealed content and wrapped keys that the original program made or confirmed, and tampering.

use aes_gcm::aead::consts::U16;
use aes_gcm::aes::Aes256;
use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

use super::derive::{content_cipher, wrapping_key};
use super::kdf::scrypt;
use super::{
    Backend, ContentCipher, ContentSuite, Forged, KeyWrap, MasterKey, NameCipher, Password,
    ScryptCost, Secret, random,
};

const SUITES: [ContentSuite; 3] = [
    ContentSuite::AesGcm,
    ContentSuite::AesSiv,
    ContentSuite::XChaCha,
];
/// The associated data of the vectors: block number 0 and the file ID 101112...1f.
const AD: &str = "0000000000000000 101112131415161718191a1b1c1d1e1f";

/// The bytes that `digits` spells; white space does not count.
pub(in crate::crypto) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
}

pub(in crate::crypto) fn zero_key() -> MasterKey {
    MasterKey(Secret::new([0; 32]))
}

fn count_up(first: u8, len: usize) -> Vec<u8> {
    (first..=u8::MAX).take(len).collect()
}

/// The stored form of one block, as each suite orders nonce, tag and ciphertext.
fn seal_block(cipher: &ContentCipher, nonce: &[u8], ad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut text = plain.to_vec();
    let tag = cipher.seal(nonce, ad, &mut text);
    match cipher.suite() {
        ContentSuite::AesSiv => [nonce, &tag, &text].concat(),
        ContentSuite::AesGcm | ContentSuite::XChaCha => [nonce, &text, &tag].concat(),
    }
}

fn open_block(cipher: &ContentCipher, ad: &[u8], stored: &[u8]) -> Result<Vec<u8>, Forged> {
    let (nonce, rest) = stored.split_at(cipher.suite().nonce_len());
    let (text, tag) = match cipher.suite() {
        ContentSuite::AesSiv => rest.split_first_chunk().map(|(tag, text)| (text, tag)),
        ContentSuite::AesGcm | ContentSuite::XChaCha => rest.split_last_chunk(),
    }
    .unwrap();
    let mut text = text.to_vec();
    cipher.open(nonce, ad, &mut text, tag).map(|()| text)
}

#[test]
fn a_block_is_sealed_as_the_original_program_reads_it() {
    let vectors = [
        "202122232425262728292a2b2c2d2e2f cc8c315150 bf3a56c83640d68798badfbf5010ab58",
        "202122232425262728292a2b2c2d2e2f 315d77e4cba3284a9f38bcf1e32080a1 57460b48d6",
        "202122232425262728292a2b2c2d2e2f3031323334353637
         27cfc17f70 5d08357fce8e700f18dc2bf202e62cca",
    ];
    for (suite, stored) in SUITES.into_iter().zip(vectors) {
        let cipher = content_cipher(&zero_key(), suite, true);
        let nonce = count_up(0x20, suite.nonce_len());
        assert_eq!(
            seal_block(&cipher, &nonce, &hex(AD), b"hello"),
            hex(stored),
            "{suite:?}"
        );
        assert_eq!(
            open_block(&cipher, &hex(AD), &hex(stored)).unwrap(),
            b"hello"
        );
    }
}

#[test]
fn two_blocks_are_sealed_as_the_original_program_reads_them() {
    let digests = [
        "4dc0f34e13a1170fe4e74dd0d4dc2a45b731a3b448f57d0f8b6534f7f9dc632e",
        "e2f131da0eeac10b7b1901fd35cbdeeccc09f47acbd704e89a8005038e173853",
        "2205804f806ee9ebceda9a487306d1cff574e10c74a46a3248b939dad7540039",
    ];
    let plain: Vec<u8> = (0..251).cycle().take(4196).collect();
    for (suite, digest) in SUITES.into_iter().zip(digests) {
        let cipher = content_cipher(&zero_key(), suite, true);
        let id = count_up(0x10, 16);
        let mut file = [&[0, 2][..], &id].concat();
        for (number, block) in (0u8..).zip(plain.chunks(4096)) {
            let ad = [&u64::from(number).to_be_bytes()[..], &id].concat();
            let nonce = count_up(0x20 * (number + 1), suite.nonce_len());
            file.extend(seal_block(&cipher, &nonce, &ad, block));
        }
        assert_eq!(Sha256::digest(&file)[..], hex(digest), "{suite:?}");
    }
}

#[test]
fn files_of_the_original_program_open() {
    let files = [
        (
            ContentSuite::AesGcm,
            true,
            "0002f2e38e6fca6aa5a63882dcedb3c8bf78b990113a6aaf714bb3273d9e4ea8b3e1a74e4791f1a554b5
             24cd9fa7313ad0c654ab528d8d",
        ),
        (
            ContentSuite::AesSiv,
            true,
            "00021d299578f38aa1f7b0a689d3fc178d9befe9d07195057ed0349283d0794f8550ab02bd7b15cf717c
             ada9cb9472153e0950d409f52c",
        ),
        (
            ContentSuite::XChaCha,
            true,
            "0002e204ab260f882ef9394e275e79357b8a927cd44475592f3c3058b1ca7ee9efa111babceb995f5397
             e1899d1e70a08b381c0eeeda4d7383e52c63434fee",
        ),
        (
            ContentSuite::AesGcm,
            false,
            "0002604681bd6dfc6c040d23402f0c346fc619a6dfc014205b12030454498ee180c981360b67581725b0
             4ff8ec247f5521c6932ecfd416",
        ),
        (
            ContentSuite::AesSiv,
            false,
            "0002bc935430d0ef99712703a01cd034be4cb717b03ba880207f07654565d10433819b6d695e51dbbae8
             1982c633ee8058ad9217fa2cca",
        ),
    ];
    for (suite, hkdf, file) in files {
        let file = hex(file);
        let cipher = content_cipher(&zero_key(), suite, hkdf);
        let ad = [&[0; 8], &file[2..18]].concat();
        assert_eq!(
            open_block(&cipher, &ad, &file[18..]).unwrap(),
            b"hello",
            "{suite:?} {hkdf}"
        );
    }
}

#[test]
fn xchacha_meets_the_vector_of_its_draft() {
    let key = Secret::from_slice(&count_up(0x80, 32)).unwrap();
    let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
                  for the future, sunscreen would be it.";
    let sealed = hex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
                      731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
                      2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
                      21f9664c97637da9768812f615c68b13b52e c0875924c1c7987947deafd8780acf49",
    );
    let nonce = count_up(0x40, 24);
    let block = seal_block(
        &ContentCipher::xchacha(&key),
        &nonce,
        &hex("50515253c0c1c2c3c4c5c6c7"),
        plain,
    );
    assert_eq!(block[24..], sealed);
}

#[test]
fn a_change_of_any_part_is_found_and_reveals_nothing() {
    for suite in SUITES {
        let cipher = content_cipher(&zero_key(), suite, true);
        let other = content_cipher(&MasterKey(Secret::new([1; 32])), suite, true);
        let ad = hex(AD);
        let nonce = count_up(1, suite.nonce_len());
        let plain = [7; 100];
        let mut sealed = plain;
        let tag = cipher.seal(&nonce, &ad, &mut sealed);
        let check =
            |cipher: &ContentCipher, nonce: &[u8], ad: &[u8], text: &[u8], tag: &[u8; 16]| {
                let mut buf = text.to_vec();
                let result = cipher.open(nonce, ad, &mut buf, tag);
                assert_eq!(result.is_ok(), buf.starts_with(&plain[..16]), "{suite:?}");
                result
            };
        let flipped = |bytes: &[u8], at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 0x80;
            bytes
        };
        assert_eq!(check(&cipher, &nonce, &ad, &sealed, &tag), Ok(()));
        assert_eq!(check(&other, &nonce, &ad, &sealed, &tag), Err(Forged));
        assert_eq!(
            check(&cipher, &nonce, &ad, &sealed[..99], &tag),
            Err(Forged)
        );
        assert_eq!(
            check(&cipher, &nonce, &ad[..23], &sealed, &tag),
            Err(Forged)
        );
        assert_eq!(check(&cipher, &nonce[1..], &ad, &sealed, &tag), Err(Forged));
        for at in 0..suite.nonce_len() {
            let nonce = flipped(&nonce, at);
            assert_eq!(check(&cipher, &nonce, &ad, &sealed, &tag), Err(Forged));
        }
        for at in 0..ad.len() {
            assert_eq!(
                check(&cipher, &nonce, &flipped(&ad, at), &sealed, &tag),
                Err(Forged)
            );
        }
        for at in 0..sealed.len() {
            let sealed = flipped(&sealed, at);
            assert_eq!(check(&cipher, &nonce, &ad, &sealed, &tag), Err(Forged));
        }
        for at in 0..tag.len() {
            let tag = flipped(&tag, at).try_into().unwrap();
            assert_eq!(check(&cipher, &nonce, &ad, &sealed, &tag), Err(Forged));
        }
    }
}

#[test]
fn every_length_of_a_block_opens_again() {
    for suite in SUITES {
        let cipher = content_cipher(&zero_key(), suite, true);
        let nonce = count_up(9, suite.nonce_len());
        for len in (0..=70).chain(4080..=4096) {
            let plain = vec![3; len];
            let stored = seal_block(&cipher, &nonce, &[], &plain);
            assert_eq!(
                open_block(&cipher, &[], &stored),
                Ok(plain),
                "{suite:?} {len}"
            );
        }
    }
}

#[test]
fn a_password_unlocks_the_master_key_of_a_real_volume() {
    let salt = hex("f9e63f3752de47bc435cf3e24d2a28356040041f0c1da1fe94ad38d0757d09e3");
    let stored = hex(
        "1ab18c4a6441954ce3b3a1f86da34052 981de79128a5a668d971adb57f9839fb
                      c37c6b98918945041394b0b25a44f2c8 8e330f5e489d01cc739ba9833f8c8319",
    );
    let cost = ScryptCost {
        log_n: 10,
        r: 8,
        p: 1,
    };
    let hash = scrypt(&Password::new(b"test".to_vec()), &salt, cost).unwrap();
    assert_eq!(
        hash.expose().to_vec(),
        hex("b482a839e1610a15848d98f55985e57dc59eebcfa036d0e1a130c2e4fc4fc5c9")
    );
    let kw = wrapping_key(&hash, true);
    assert_eq!(
        kw.expose().to_vec(),
        hex("4c220f2e96f80e71f639f0ff4d65ba6fb378b9fed8e523a3d39894571a897c2a")
    );
    let (nonce, sealed) = stored.split_at(16);
    let key = KeyWrap::open(&kw, nonce, &[0; 8], sealed).unwrap();
    assert_eq!(
        key.to_vec(),
        hex("70737bce9bde517d204ce9bd5e7ad483f279781c522d21a3ad7586245cce4a23")
    );
    assert_eq!(KeyWrap::seal(&kw, nonce, &[0; 8], &key).unwrap(), sealed);
}

#[test]
fn a_password_unlocks_the_master_key_of_a_volume_without_hkdf() {
    let cost = ScryptCost {
        log_n: 10,
        r: 8,
        p: 1,
    };
    let hash = scrypt(&Password::new(b"test".to_vec()), &count_up(0x40, 32), cost).unwrap();
    let kw = wrapping_key(&hash, false);
    assert_eq!(kw.expose(), hash.expose());
    let nonce = count_up(0x20, 12);
    let sealed = hex(
        "8c98c9f8d524a90b0be79fd025a51179b1559747491dfddf8aa1ad13afb4b612
                      893103d56387fc82d1f19ff9d2ff5405",
    );
    let key = KeyWrap::open(&kw, &nonce, &[0; 8], &sealed).unwrap();
    assert_eq!(key.to_vec(), count_up(0x80, 32));
    assert_eq!(KeyWrap::seal(&kw, &nonce, &[0; 8], &key).unwrap(), sealed);
}

#[test]
fn a_wrapped_key_opens_under_its_own_key_and_nonce_only() {
    let (kw, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
    let sealed = KeyWrap::seal(&kw, &[3; 16], &[0; 8], &[4; 32]).unwrap();
    let open = |kw, nonce: &[u8], ad: &[u8], sealed: &[u8]| {
        KeyWrap::open(kw, nonce, ad, sealed).map(|key| key.to_vec())
    };
    assert_eq!(open(&kw, &[3; 16], &[0; 8], &sealed), Ok(vec![4; 32]));
    assert_eq!(open(&other, &[3; 16], &[0; 8], &sealed), Err(Forged));
    assert_eq!(open(&kw, &[3; 16], &[], &sealed), Err(Forged));
    for len in 0..sealed.len() {
        assert_eq!(open(&kw, &[3; 16], &[0; 8], &sealed[..len]), Err(Forged));
    }
    for len in (0..=32).filter(|&len| len != 16) {
        assert_eq!(open(&kw, &vec![3; len], &[0; 8], &sealed), Err(Forged));
        assert_eq!(
            KeyWrap::seal(&kw, &vec![3; len], &[0; 8], b"").is_some(),
            len == 12
        );
    }
}

#[test]
fn the_ciphers_wipe_their_keys_and_serve_all_threads() {
    fn wiped<T: ZeroizeOnDrop>() {}
    fn shared<T: Send + Sync>() {}
    wiped::<aes_gcm::AesGcm<Aes256, U16>>();
    wiped::<aes_gcm::aes::Aes256>();
    wiped::<chacha20poly1305::XChaCha20Poly1305>();
    wiped::<aes::Aes256>();
    wiped::<Sha256>();
    shared::<ContentCipher>();
    shared::<NameCipher>();
}

#[test]
fn the_backends_seal_alike_and_open_each_other() {
    let mut key = [0; 32];
    random::fill(&mut key);
    let key = Secret::new(key);
    let by = |backend| {
        [
            ContentCipher::aes_gcm_by(backend, &key),
            ContentCipher::xchacha_by(backend, &key),
        ]
    };
    let [portable, other] = Backend::ALL.map(by);
    for (portable, other) in portable
        .into_iter()
        .flatten()
        .zip(other.into_iter().flatten())
    {
        for len in [0, 1, 15, 16, 17, 100, 4095, 4096] {
            let mut nonce = vec![0; portable.suite().nonce_len()];
            let mut plain = vec![0; len];
            let mut ad = [0; 24];
            random::fill(&mut nonce);
            random::fill(&mut plain);
            random::fill(&mut ad);
            let (mut one, mut two) = (plain.clone(), plain.clone());
            let tag = portable.seal(&nonce, &ad, &mut one);
            assert_eq!(other.seal(&nonce, &ad, &mut two), tag);
            assert_eq!(one, two);
            other.open(&nonce, &ad, &mut one, &tag).unwrap();
            portable.open(&nonce, &ad, &mut two, &tag).unwrap();
            assert_eq!((one, two), (plain.clone(), plain));
        }
    }
}

#[test]
fn no_backend_opens_what_was_changed() {
    let key = Secret::new([7; 32]);
    for backend in Backend::ALL {
        let ciphers = [
            ContentCipher::aes_gcm_by(backend, &key),
            ContentCipher::xchacha_by(backend, &key),
        ];
        for cipher in ciphers.into_iter().flatten() {
            let nonce = vec![3; cipher.suite().nonce_len()];
            let mut text = vec![5; 100];
            let mut tag = cipher.seal(&nonce, b"ad", &mut text);
            assert_eq!(
                cipher.open(&nonce, b"da", &mut text.clone(), &tag),
                Err(Forged)
            );
            assert_eq!(
                cipher.open(&nonce[1..], b"ad", &mut text.clone(), &tag),
                Err(Forged)
            );
            tag[15] ^= 1;
            assert_eq!(cipher.open(&nonce, b"ad", &mut text, &tag), Err(Forged));
        }
    }
}
