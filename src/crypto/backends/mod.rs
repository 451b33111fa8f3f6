//! Implementations of the content ciphers. All of them produce the same bytes.

pub(super) mod rustcrypto;
