//! The cipher of names: EME over AES-256 (Halevi and Rogaway, 2003).
//!
//! A wide block: every bit of the result depends on every bit of the name and of the tweak, and
//! the length stays. There is no authentication.

use core::fmt;

use aes::Aes256;
use eme_mode::DynamicEme;
use eme_mode::cipher::{InnerIvInit, KeyInit};

/// A buffer that is not a whole number of cipher blocks, or too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are not 1 to 128 blocks of 16 bytes")]
pub struct BadLength(pub usize);

/// EME with its key schedule: set up once, used by all threads.
pub struct NameCipher(Aes256);

impl NameCipher {
    const BLOCK_LEN: usize = 16;
    const MAX_LEN: usize = 128 * Self::BLOCK_LEN;

    /// EME under `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256::new(key.into()))
    }

    /// Encrypts `buf` in place.
    ///
    /// # Errors
    /// [`BadLength`], with `buf` unchanged, unless it has 16 to 2048 bytes, a multiple of 16.
    pub fn encrypt(&self, tweak: &[u8; 16], buf: &mut [u8]) -> Result<(), BadLength> {
        self.tweaked(tweak, buf.len())?.encrypt_block_mut(buf);
        Ok(())
    }

    /// Decrypts `buf` in place.
    ///
    /// # Errors
    /// As [`NameCipher::encrypt`].
    pub fn decrypt(&self, tweak: &[u8; 16], buf: &mut [u8]) -> Result<(), BadLength> {
        self.tweaked(tweak, buf.len())?.decrypt_block_mut(buf);
        Ok(())
    }

    /// The mode for one message of `len` bytes, which it would panic about if they did not fit.
    fn tweaked(&self, tweak: &[u8; 16], len: usize) -> Result<DynamicEme<&Aes256>, BadLength> {
        if len == 0 || len > Self::MAX_LEN || !len.is_multiple_of(Self::BLOCK_LEN) {
            return Err(BadLength(len));
        }
        Ok(DynamicEme::inner_iv_init(&self.0, tweak.into()))
    }
}

impl fmt::Debug for NameCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameCipher")
    }
}

#[cfg(test)]
mod tests;
