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
        ContentSuite::AesSiv => ContentCipher::aes_siv(siv_key(key, hkdf)),
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
