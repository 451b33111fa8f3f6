//! The content ciphers in pure Rust, with the instructions that the processor has.
//!
//! `seal` and `open` return `None` for a nonce of the wrong length, for input longer than the
//! cipher takes, and, in `open`, for a wrong tag. `open` leaves no plaintext behind then.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, Key, KeyInit, Nonce};
use aes_gcm::aes::Aes256;
use chacha20poly1305::XChaCha20Poly1305;

use crate::crypto::aead::TAG_LEN;
use crate::crypto::secret::Secret;

/// AES-256-GCM with 16-byte nonces, which are hashed into the first counter block.
pub(in crate::crypto) type Gcm = Keyed<AesGcm<Aes256, U16>>;
/// AES-256-GCM with the usual 12-byte nonces.
pub(in crate::crypto) type ShortNonceGcm = Keyed<AesGcm<Aes256, U12>>;
/// XChaCha20-Poly1305 with 24-byte nonces.
pub(in crate::crypto) type XChaCha = Keyed<XChaCha20Poly1305>;

/// A cipher with its key schedule.
pub(in crate::crypto) struct Keyed<C>(C);

impl<C: AeadInOut<TagSize = U16> + KeyInit> Keyed<C> {
    pub(in crate::crypto) fn new<const N: usize>(key: &Secret<N>) -> Self
    where
        for<'a> &'a Key<C>: From<&'a [u8; N]>,
    {
        Self(C::new(key.expose().into()))
    }

    pub(in crate::crypto) fn seal(
        &self,
        nonce: &[u8],
        ad: &[u8],
        buf: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let nonce = <&Nonce<C>>::try_from(nonce).ok()?;
        let tag = self.0.encrypt_inout_detached(nonce, ad, buf.into()).ok()?;
        Some(tag.into())
    }

    pub(in crate::crypto) fn open(
        &self,
        nonce: &[u8],
        ad: &[u8],
        buf: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        let nonce = <&Nonce<C>>::try_from(nonce).ok()?;
        self.0
            .decrypt_inout_detached(nonce, ad, buf.into(), tag.into())
            .ok()
    }
}
