//! Implementations of the content ciphers. All of them produce the same bytes.

#[cfg(feature = "aws-lc")]
pub(super) mod aws_lc;
pub(super) mod choice;
pub(super) mod rustcrypto;
pub(super) mod siv;
