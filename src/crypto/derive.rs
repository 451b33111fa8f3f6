//! The working keys of a volume, all from one master key.
//!
//! Each use has its own HKDF info string, so no two ciphers ever share a key. Volumes made
//! before that (no `HKDF` feature flag) use the master key itself, or its SHA-512 where 64 bytes
//! are needed.

use sha2::{Digest, Sha512};

use super::aead::{ContentCipher, ContentSuite};
use super::eme::NameCipher;
use super::kdf;
use super::secret::{MasterKey, Secret};

const GCM_INFO: &str = "AES-GCM file content encryption";
const SIV_INFO: &str = "AES-SIV file content encryption";
const XCHACHA_INFO: &str = "XChaCha20-Poly1305 file content encryption";
const EME_INFO: &str = "EME filename encryption";

/// The cipher of file content, symlink targets and attribute values.
pub fn content_cipher(key: &MasterKey, suite: ContentSuite, hkdf: bool) -> ContentCipher {
    match suite {
        ContentSuite::AesGcm => ContentCipher::aes_gcm(&sub_key(&key.0, GCM_INFO, hkdf)),
        ContentSuite::AesSiv => ContentCipher::aes_siv(&siv_key(key, hkdf)),
        ContentSuite::XChaCha => ContentCipher::xchacha(&sub_key(&key.0, XCHACHA_INFO, hkdf)),
    }
}

/// The cipher of file names and attribute names.
pub fn name_cipher(key: &MasterKey, hkdf: bool) -> NameCipher {
    NameCipher::new(sub_key(&key.0, EME_INFO, hkdf).expose())
}

/// The key that wraps the master key, from the scrypt hash of the password. Its info string is
/// that of AES-GCM content, whatever cipher the content has.
pub fn wrapping_key(password_hash: &Secret<32>, hkdf: bool) -> Secret<32> {
    sub_key(password_hash, GCM_INFO, hkdf)
}

fn sub_key(key: &Secret<32>, info: &str, hkdf: bool) -> Secret<32> {
    if hkdf {
        kdf::hkdf(key.expose(), info)
    } else {
        Secret::filled(|copy| copy.copy_from_slice(key.expose()))
    }
}

/// First half for CMAC, second half for CTR (RFC 5297, section 2.6).
fn siv_key(key: &MasterKey, hkdf: bool) -> Secret<64> {
    if hkdf {
        kdf::hkdf(key.0.expose(), SIV_INFO)
    } else {
        Secret::filled(|hash| {
            Sha512::new_with_prefix(key.0.expose()).finalize_into(hash.into());
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::tests::hex;

    fn master(byte: u8) -> MasterKey {
        MasterKey(Secret::new([byte; 32]))
    }

    #[test]
    fn each_use_has_its_own_key() {
        let vectors = [
            (
                0,
                EME_INFO,
                "9ba3cddd48c6339c6e56ebe85f0281d6e9051be4104176e65cb0f8a6f77ae6b4",
            ),
            (
                0,
                GCM_INFO,
                "ab893c7a9f8683d8c56296fdd109aa8d73c1937d112d1cf89923f9d175fbd782",
            ),
            (
                0,
                XCHACHA_INFO,
                "e8ba539fa490653147a44ceb778a005eeb05de1828e6c7f2c16d4239a99f85bf",
            ),
            (
                1,
                EME_INFO,
                "e8a2499f48700b954f31de732efd04abce822f5c948e7fbc0896607be0d36d12",
            ),
            (
                1,
                GCM_INFO,
                "9137f2e67a842484137f3c458f357f204c30d7458f94f432fa989be96854a649",
            ),
        ];
        for (byte, info, key) in vectors {
            let derived = sub_key(&master(byte).0, info, true);
            assert_eq!(derived.expose().to_vec(), hex(key), "{byte} {info}");
        }
    }

    #[test]
    fn the_siv_key_has_two_halves() {
        let key = hex(
            "aab6744f44e669aad9501e0416d8415e050afdbee2f6b096a920cca429f04162
                       77b01ac99fa0f1a4179f93d2b9baf48f252e0c451a8e9a649859016070750426",
        );
        assert_eq!(siv_key(&master(0), true).expose().to_vec(), key);
        assert_eq!(
            siv_key(&master(1), true).expose()[..32],
            hex("0bfa5da7d9724d4753269940d36898e2c0f3717c0fee86ada58b5fd6c08cc26c")
        );
    }

    #[test]
    fn without_hkdf_the_master_key_is_the_key() {
        assert_eq!(sub_key(&master(7).0, GCM_INFO, false).expose(), &[7; 32]);
        assert_eq!(
            siv_key(&master(7), false).expose()[..],
            Sha512::digest([7; 32])[..]
        );
    }
}
