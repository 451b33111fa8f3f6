//! Vectors that the original program made or confirmed.

use super::derive::{content_cipher, name_cipher, wrapping_key};
use super::kdf::scrypt;
use super::{ContentSuite, Forged, KeyWrap, MasterKey, Password, ScryptCost, Secret};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn zero_key() -> MasterKey {
    MasterKey(Secret::new([0; 32]))
}

/// Block number 0 and the file ID 101112...1f.
const AD: &str = "0000000000000000 101112131415161718191a1b1c1d1e1f";
/// The nonce of the vectors; a suite takes as many bytes of it as it needs.
const NONCE: &str = "202122232425262728292a2b2c2d2e2f3031323334353637";

#[test]
fn each_suite_seals_and_opens_the_content_vector() {
    let vectors = [
        (
            ContentSuite::AesGcm,
            "cc8c315150",
            "bf3a56c83640d68798badfbf5010ab58",
        ),
        (
            ContentSuite::AesSiv,
            "57460b48d6",
            "315d77e4cba3284a9f38bcf1e32080a1",
        ),
        (
            ContentSuite::XChaCha,
            "27cfc17f70",
            "5d08357fce8e700f18dc2bf202e62cca",
        ),
    ];
    for (suite, sealed, tag) in vectors {
        let cipher = content_cipher(&zero_key(), suite, true);
        let nonce = &hex(NONCE)[..suite.nonce_len()];
        let mut buf = *b"hello";
        assert_eq!(
            cipher.seal(nonce, &hex(AD), &mut buf).to_vec(),
            hex(tag),
            "{suite:?}"
        );
        assert_eq!(buf.to_vec(), hex(sealed), "{suite:?}");
        let mut tag: [u8; 16] = hex(tag).try_into().unwrap();
        assert_eq!(cipher.open(nonce, &hex(AD), &mut buf, &tag), Ok(()));
        assert_eq!(&buf, b"hello");
        tag[0] ^= 1;
        assert_eq!(cipher.open(nonce, &hex(AD), &mut buf, &tag), Err(Forged));
    }
}

#[test]
fn a_password_unlocks_the_master_key_of_a_real_volume() {
    let salt = hex("f9e63f3752de47bc435cf3e24d2a28356040041f0c1da1fe94ad38d0757d09e3");
    let blob = hex(
        "1ab18c4a6441954ce3b3a1f86da34052981de79128a5a668d971adb57f9839fb
                    c37c6b98918945041394b0b25a44f2c88e330f5e489d01cc739ba9833f8c8319",
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
    let opened = KeyWrap::open(&kw, &blob[..16], &[0; 8], &blob[16..]).unwrap();
    assert_eq!(
        opened.to_vec(),
        hex("70737bce9bde517d204ce9bd5e7ad483f279781c522d21a3ad7586245cce4a23")
    );
}

#[test]
fn a_name_encrypts_as_in_a_real_volume() {
    let cipher = name_cipher(&zero_key(), true);
    let tweak = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let mut buf = [15; 16];
    buf[0] = b'a';
    cipher.encrypt(&tweak, &mut buf).unwrap();
    assert_eq!(buf.to_vec(), hex("aa4ea21ebdbd4413c34c7013479bf505"));
    cipher.decrypt(&tweak, &mut buf).unwrap();
    assert_eq!(buf[..2], [b'a', 15]);
}
