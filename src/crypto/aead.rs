//! Authenticated encryption of content, one block at a time and in place.
//!
//! The format closes the set of ciphers, hence an enum. Buffers that fail to authenticate hold
//! no plaintext afterwards; what else they hold is unspecified.

use core::fmt;

#[cfg(feature = "aws-lc")]
use super::backends::aws_lc;
use super::backends::choice::Backend;
use super::backends::rustcrypto::{Gcm, XChaCha};
use super::backends::siv::Siv;
use super::secret::Secret;

/// Bytes of an authentication tag; the synthetic IV of AES-SIV counts as its tag.
pub const TAG_LEN: usize = 16;

/// Which cipher protects content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentSuite {
    /// AES-256-GCM with nonces of 128 bits (NIST SP 800-38D).
    AesGcm,
    /// AES-SIV with a 512-bit key (RFC 5297).
    AesSiv,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha).
    XChaCha,
}

impl ContentSuite {
    /// Bytes of an authentication tag, the same for all.
    pub const TAG_LEN: usize = TAG_LEN;

    /// Bytes of a nonce.
    pub const fn nonce_len(self) -> usize {
        match self {
            Self::AesGcm | Self::AesSiv => 16,
            Self::XChaCha => 24,
        }
    }

    /// The name that users see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesGcm => "AES-GCM-256",
            Self::AesSiv => "AES-SIV-512",
            Self::XChaCha => "XChaCha20-Poly1305",
        }
    }
}

/// The data was not sealed with this key, nonce and associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message authentication failed")]
pub struct Forged;

/// A content block on its way, taken apart. All parts may lie in one buffer.
#[derive(Debug)]
pub struct Message<'a> {
    /// The nonce.
    pub nonce: &'a [u8],
    /// The associated data.
    pub ad: [u8; 24],
    /// Plaintext or ciphertext.
    pub text: &'a mut [u8],
    /// The tag: made or checked.
    pub tag: &'a mut [u8; TAG_LEN],
}

/// A content cipher with its key: set up once, used by all threads.
pub struct ContentCipher(Cipher);

enum Cipher {
    AesGcm(Box<Gcm>),
    AesSiv(Box<Siv>),
    XChaCha(XChaCha),
    #[cfg(feature = "aws-lc")]
    AwsLc(ContentSuite, aws_lc::Aead),
}

impl ContentCipher {
    /// AES-256-GCM under `key`, by the fastest implementation.
    pub fn aes_gcm(key: &Secret<32>) -> Self {
        let fastest = Backend::fastest(ContentSuite::AesGcm);
        Self::aes_gcm_by(fastest, key)
            .unwrap_or_else(|| Self(Cipher::AesGcm(Box::new(Gcm::new(key)))))
    }

    /// AES-256-GCM under `key` by `backend`; `None` if that was not compiled in.
    pub fn aes_gcm_by(backend: Backend, key: &Secret<32>) -> Option<Self> {
        match backend {
            Backend::RustCrypto => Some(Self(Cipher::AesGcm(Box::new(Gcm::new(key))))),
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                let cipher = aws_lc::Aead::aes_gcm(key)?;
                Some(Self(Cipher::AwsLc(ContentSuite::AesGcm, cipher)))
            }
            #[cfg(not(feature = "aws-lc"))]
            Backend::AwsLc => None,
        }
    }

    /// XChaCha20-Poly1305 under `key` by `backend`; `None` if that was not compiled in.
    pub fn xchacha_by(backend: Backend, key: &Secret<32>) -> Option<Self> {
        match backend {
            Backend::RustCrypto => Some(Self(Cipher::XChaCha(XChaCha::new(key)))),
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => {
                let cipher = aws_lc::Aead::xchacha(key)?;
                Some(Self(Cipher::AwsLc(ContentSuite::XChaCha, cipher)))
            }
            #[cfg(not(feature = "aws-lc"))]
            Backend::AwsLc => None,
        }
    }

    /// AES-SIV under `key`: its first half for CMAC, its second half for CTR.
    pub fn aes_siv(key: &Secret<64>) -> Self {
        Self(Cipher::AesSiv(Box::new(Siv::new(key))))
    }

    /// XChaCha20-Poly1305 under `key`, by the fastest implementation.
    pub fn xchacha(key: &Secret<32>) -> Self {
        let fastest = Backend::fastest(ContentSuite::XChaCha);
        Self::xchacha_by(fastest, key).unwrap_or_else(|| Self(Cipher::XChaCha(XChaCha::new(key))))
    }

    /// Which cipher this is.
    pub fn suite(&self) -> ContentSuite {
        match &self.0 {
            Cipher::AesGcm(_) => ContentSuite::AesGcm,
            Cipher::AesSiv(_) => ContentSuite::AesSiv,
            Cipher::XChaCha(_) => ContentSuite::XChaCha,
            #[cfg(feature = "aws-lc")]
            Cipher::AwsLc(suite, _) => *suite,
        }
    }

    /// Encrypts `buf` in place and returns the tag.
    ///
    /// # Panics
    /// If `nonce` does not have [`ContentSuite::nonce_len`] bytes, or `buf` is longer than the
    /// cipher takes (64 GiB).
    pub fn seal(&self, nonce: &[u8], ad: &[u8], buf: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = match &self.0 {
            Cipher::AesGcm(cipher) => cipher.seal(nonce, ad, buf),
            Cipher::AesSiv(cipher) => cipher.seal(nonce, ad, buf),
            Cipher::XChaCha(cipher) => cipher.seal(nonce, ad, buf),
            #[cfg(feature = "aws-lc")]
            Cipher::AwsLc(_, cipher) => cipher.seal(nonce, ad, buf),
        };
        tag.expect("nonce and buffer have the lengths that the suite asks for")
    }

    /// As [`ContentCipher::seal`] for each of the messages.
    ///
    /// # Panics
    /// As [`ContentCipher::seal`].
    pub fn seal_all(&self, messages: &mut [Message<'_>]) {
        if let Cipher::AesSiv(cipher) = &self.0 {
            let sealed = cipher.seal_all(messages);
            return sealed.expect("nonces have the length that the suite asks for");
        }
        for message in messages {
            *message.tag = self.seal(message.nonce, &message.ad, message.text);
        }
    }

    /// As [`ContentCipher::open`] for each of the messages.
    ///
    /// # Errors
    /// The position of the first message that is [`Forged`]. No text is to be used then.
    pub fn open_all(&self, messages: &mut [Message<'_>]) -> Result<(), usize> {
        if let Cipher::AesSiv(cipher) = &self.0 {
            return cipher.open_all(messages);
        }
        for (at, message) in messages.iter_mut().enumerate() {
            self.open(message.nonce, &message.ad, message.text, message.tag)
                .map_err(|Forged| at)?;
        }
        Ok(())
    }

    /// Authenticates `buf` and decrypts it in place.
    ///
    /// # Errors
    /// [`Forged`] if anything differs from what was sealed, also the length of the nonce.
    pub fn open(
        &self,
        nonce: &[u8],
        ad: &[u8],
        buf: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Forged> {
        match &self.0 {
            Cipher::AesGcm(cipher) => cipher.open(nonce, ad, buf, tag),
            Cipher::AesSiv(cipher) => cipher.open(nonce, ad, buf, tag),
            Cipher::XChaCha(cipher) => cipher.open(nonce, ad, buf, tag),
            #[cfg(feature = "aws-lc")]
            Cipher::AwsLc(_, cipher) => cipher.open(nonce, ad, buf, tag),
        }
        .ok_or(Forged)
    }
}

impl fmt::Debug for ContentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContentCipher").field(&self.suite()).finish()
    }
}
