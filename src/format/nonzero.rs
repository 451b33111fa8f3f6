//! Random identifiers that are never all zero.
//!
//! Invariant: zero bytes on disk mean "a hole" or "never written", so no nonce, file id or
//! directory IV that is drawn here consists of zeros alone.

use crate::crypto::random;

/// Fills `buf` with random bytes that are not all zero. An empty buffer stays as it is.
pub(super) fn fill_random(buf: &mut [u8]) {
    random::fill(buf);
    while is_zero(buf) && !buf.is_empty() {
        random::fill(buf);
    }
}

/// Whether every byte is zero. Looks at 64 bytes at a time, so that whole blocks go fast and
/// ordinary data is told apart at once.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .all(|chunk| chunk.iter().fold(0, |seen, byte| seen | byte) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_set_bit_anywhere_is_seen() {
        let mut bytes = [0; 200];
        assert!(is_zero(&bytes));
        for at in 0..bytes.len() {
            bytes[at] = 0x10;
            assert!(!is_zero(&bytes), "byte {at}");
            bytes[at] = 0;
        }
    }

    #[test]
    fn random_fill_of_nothing_returns() {
        fill_random(&mut []);
    }
}
