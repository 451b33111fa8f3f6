//! Symlink targets: sealed like a value and written as base64url, or plain together with names.
//!
//! Invariant: what is stored fits into a symlink (no NUL, no line break) for every target.

use super::block::ContentCodec;
use super::corrupt::{Corrupt, ValueDefect};
use super::name_codec::NameCodec;

/// The stored form of a symlink target, with a fresh nonce.
pub fn seal_target(content: &ContentCodec, names: &NameCodec, target: &[u8]) -> Vec<u8> {
    match names.base64() {
        None => target.to_vec(),
        Some(base64) => base64.encode(&content.seal_value(target)).into_bytes(),
    }
}

/// As [`seal_target`], with a given nonce.
pub fn seal_target_with(
    content: &ContentCodec,
    names: &NameCodec,
    target: &[u8],
    nonce: &[u8],
) -> Vec<u8> {
    match names.base64() {
        None => target.to_vec(),
        Some(base64) => {
            let sealed = content.seal_value_with(target, nonce);
            base64.encode(&sealed).into_bytes()
        }
    }
}

/// The length of the stored form of a target of `len` bytes.
pub fn sealed_target_size(content: &ContentCodec, names: &NameCodec, len: usize) -> usize {
    match names.base64() {
        None => len,
        Some(base64) => base64.encoded_len(len.saturating_add(content.layout().overhead())),
    }
}

/// The target that `stored` stands for.
///
/// # Errors
/// [`Corrupt::Value`] if it is not base64 or does not authenticate.
pub fn open_target(
    content: &ContentCodec,
    names: &NameCodec,
    stored: &[u8],
) -> Result<Vec<u8>, Corrupt> {
    let Some(base64) = names.base64() else {
        return Ok(stored.to_vec());
    };
    let sealed = base64.decode(stored);
    let sealed = sealed.map_err(|at| ValueDefect::Base64 { at: at.0 })?;
    content.open_value(&sealed)
}

/// The size that a symlink shows, judged by the length of its stored form alone; `None` where
/// that is not enough because the text may end in padding.
pub fn target_size_from_len(
    content: &ContentCodec,
    names: &NameCodec,
    stored_len: u64,
) -> Option<u64> {
    match names.base64() {
        None => Some(stored_len),
        Some(base64) if base64.padded => None,
        Some(_) => {
            let sealed = stored_len.saturating_mul(3) / 4;
            Some(sealed.saturating_sub(content.layout().overhead() as u64))
        }
    }
}

/// The size that a symlink shows: the length of its target, 0 if it cannot be decrypted.
pub fn target_size(content: &ContentCodec, names: &NameCodec, stored: &[u8]) -> u64 {
    open_target(content, names, stored).map_or(0, |target| target.len() as u64)
}
