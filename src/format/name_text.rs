//! Short texts sealed deterministically: file names and the names of extended attributes.
//!
//! PKCS#7 padding to whole cipher blocks, EME (a wide-block mode: each output byte depends on each
//! input byte), then base64url. Invariant: the same text and tweak give the same result, and a
//! result that was changed anywhere decrypts to noise, which the padding check rejects most of the
//! time. It is not authenticated.

use super::base64url::Base64Url;
use super::corrupt::NameDefect;
use crate::crypto::NameCipher;

/// Cipher block length, the unit of the padding, bytes.
pub(super) const UNIT: usize = 16;
/// The longest text that can be sealed, bytes: both file systems and attributes end here.
pub(super) const TEXT_MAX: usize = 255;

/// Seals and opens short texts.
pub(super) struct NameText {
    pub(super) cipher: NameCipher,
    pub(super) base64: Base64Url,
}

impl NameText {
    /// The sealed form of 0 to 255 bytes.
    pub(super) fn seal(&self, tweak: &[u8; 16], plain: &[u8]) -> Result<String, NameDefect> {
        if plain.len() > TEXT_MAX {
            return Err(NameDefect::TooLong);
        }
        let mut buf = [0; TEXT_MAX + 1];
        let fill = UNIT - plain.len() % UNIT;
        let padded = &mut buf[..plain.len() + fill];
        let (head, tail) = padded.split_at_mut(plain.len());
        head.copy_from_slice(plain);
        // at most 16
        tail.fill(u8::try_from(fill).unwrap_or_default());
        self.cipher
            .encrypt(tweak, padded)
            .map_err(|_| NameDefect::Invalid)?;
        Ok(self.base64.encode(padded))
    }

    /// The length of the sealed form of `len` bytes.
    pub(super) fn sealed_len(&self, len: usize) -> usize {
        self.base64.encoded_len(len / UNIT * UNIT + UNIT)
    }

    /// The bytes that were sealed: 1 to 255.
    pub(super) fn open(&self, tweak: &[u8; 16], text: &[u8]) -> Result<Vec<u8>, NameDefect> {
        let decoded = self.base64.decode(text);
        let mut bytes = decoded.map_err(|at| NameDefect::Base64 { at: at.0 })?;
        self.cipher
            .decrypt(tweak, &mut bytes)
            .map_err(|_| NameDefect::Invalid)?;
        let length = unpadded_len(&bytes).ok_or(NameDefect::Invalid)?;
        if length > TEXT_MAX {
            return Err(NameDefect::TooLong);
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// The length without the padding, if the padding is right and something is left.
fn unpadded_len(bytes: &[u8]) -> Option<usize> {
    let fill = *bytes.last()?;
    let length = bytes.len().checked_sub(usize::from(fill))?;
    let right = (1..=UNIT).contains(&usize::from(fill))
        && length > 0
        && bytes.iter().skip(length).all(|&byte| byte == fill);
    right.then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_checked_to_the_byte() {
        let mut block = [9; 32];
        assert_eq!(unpadded_len(&block), Some(23));
        block[23] = 8;
        assert_eq!(unpadded_len(&block), None, "one padding byte differs");
        assert_eq!(unpadded_len(&[16; 32]), Some(16));
        assert_eq!(unpadded_len(&[16; 16]), None, "nothing is left");
        assert_eq!(unpadded_len(&[17; 32]), None, "more than a block");
        assert_eq!(unpadded_len(&[0; 16]), None);
        assert_eq!(unpadded_len(&[]), None);
    }
}
