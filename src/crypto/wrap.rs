//! The master key under the key that a password gives.
//!
//! Always AES-256-GCM, whatever cipher the content of the volume has.

use zeroize::Zeroizing;

use super::aead::{Forged, TAG_LEN};
use super::backends::rustcrypto::{Gcm, ShortNonceGcm};
use super::secret::Secret;

/// AES-256-GCM with a nonce of 16 bytes, or of 12 in volumes made before HKDF.
pub struct KeyWrap;

impl KeyWrap {
    /// Ciphertext of `plain`, then the tag. `None` if the nonce has neither 12 nor 16 bytes.
    pub fn seal(kw: &Secret<32>, nonce: &[u8], ad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let mut buf = Vec::with_capacity(plain.len() + TAG_LEN);
        buf.extend_from_slice(plain);
        let tag = match nonce.len() {
            12 => ShortNonceGcm::new(kw).seal(nonce, ad, &mut buf),
            _ => Gcm::new(kw).seal(nonce, ad, &mut buf),
        }?;
        buf.extend_from_slice(&tag);
        Some(buf)
    }

    /// Plaintext of `sealed`, which is ciphertext and tag.
    ///
    /// # Errors
    /// [`Forged`] if anything differs from what was sealed, also if `sealed` is too short or the
    /// nonce has neither 12 nor 16 bytes.
    pub fn open(
        kw: &Secret<32>,
        nonce: &[u8],
        ad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Forged> {
        let (cipher, tag) = sealed.split_last_chunk().ok_or(Forged)?;
        let mut buf = Zeroizing::new(cipher.to_vec());
        match nonce.len() {
            12 => ShortNonceGcm::new(kw).open(nonce, ad, &mut buf, tag),
            _ => Gcm::new(kw).open(nonce, ad, &mut buf, tag),
        }
        .ok_or(Forged)?;
        Ok(buf)
    }
}
