//! Base64 with `-` and `_` (RFC 4648 section 5), the alphabet of everything that is stored as a
//! file name or symlink target.
//!
//! Invariant: decoding is strict. Two different texts never decode to the same bytes: no line
//! breaks, no unused bits set, exactly the padding style of the vault.

use base64::engine::general_purpose::{GeneralPurpose, URL_SAFE, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine};

/// The alphabet with or without `=` at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base64Url {
    /// Whether texts are filled up with `=` to a multiple of four.
    pub(super) padded: bool,
}

/// Position of the first byte of a text that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IllegalAt(pub(super) usize);

impl Base64Url {
    /// The text for `bytes`.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        self.engine().encode(bytes)
    }

    /// The length of the text for `len` bytes.
    pub(super) fn encoded_len(self, len: usize) -> usize {
        let (groups, rest) = (len / 3, len % 3);
        let tail = match rest {
            0 => 0,
            _ if self.padded => 4,
            rest => rest + 1,
        };
        groups.saturating_mul(4).saturating_add(tail)
    }

    /// The bytes that `text` stands for.
    pub(super) fn decode(self, text: &[u8]) -> Result<Vec<u8>, IllegalAt> {
        let decoded = self.engine().decode(text);
        decoded.map_err(|error| IllegalAt(position(&error, text)))
    }

    fn engine(self) -> &'static GeneralPurpose {
        if self.padded {
            &URL_SAFE
        } else {
            &URL_SAFE_NO_PAD
        }
    }
}

/// Where the defect is, counted as users know it from the original program: the offending byte, or
/// where the bytes begin that are missing or have unused bits set.
fn position(error: &DecodeError, text: &[u8]) -> usize {
    let last_group = text.len() / 4 * 4;
    match *error {
        DecodeError::InvalidByte(at, _) => at,
        DecodeError::InvalidLastSymbol { offset, .. } if offset % 4 == 1 => offset - 1,
        DecodeError::InvalidLastSymbol { offset, .. } => offset,
        DecodeError::InvalidLength(_) => last_group,
        DecodeError::InvalidPadding => {
            let padding = text.iter().position(|&byte| byte == b'=');
            padding.unwrap_or(last_group)
        }
    }
}
