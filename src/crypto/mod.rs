//! Cryptography: bytes in, bytes out.
//!
//! A password becomes a key ([`kdf`]) that unwraps the master key ([`wrap`]), which becomes the
//! working ciphers of a volume ([`derive`]), and those seal content ([`aead`]) and names ([`eme`]).
//!
//! Nothing here knows files, names or the layout of a volume, and the only input besides the
//! arguments is the random source ([`random`]). Keys live in [`secret`] types and are wiped.

pub mod aead;
mod backends;
pub mod derive;
pub mod eme;
pub mod kdf;
pub mod random;
pub mod secret;
pub mod wrap;

pub use aead::{ContentCipher, ContentSuite, Forged, Message};
pub use backends::choice::Backend;
pub use eme::{BadLength, NameCipher};
pub use kdf::{KdfError, ScryptCost};
pub use secret::{MasterKey, Password, Secret};
pub use wrap::KeyWrap;

#[cfg(test)]
mod tests;
