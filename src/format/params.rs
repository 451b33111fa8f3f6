//! What a volume is, once its feature flags are understood, and the codecs that follow from it.
//!
//! Invariant: flags and options are looked at once, to make a [`Params`]; nobody asks later.

use super::block::ContentCodec;
use super::name_codec::NameCodec;
use super::xattr::XattrCodec;
use crate::crypto::derive::{content_cipher, name_cipher};
use crate::crypto::{ContentSuite, MasterKey};

/// The format of one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// The content cipher.
    pub content: ContentSuite,
    /// How names are stored.
    pub names: NameParams,
    /// Whether base64 texts end in `=`: names, symlink targets and the names of extended
    /// attributes, the latter even if names are plain.
    pub padded: bool,
    /// Whether working keys are derived with HKDF.
    pub hkdf: bool,
}

/// How the names of a volume are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameParams {
    /// As they are.
    Plain,
    /// Encrypted.
    Encrypted {
        /// The length above which an encrypted name is hashed, bytes; `None` for never.
        long_limit: Option<u8>,
        /// Whether each directory has an IV of its own; otherwise names are deterministic.
        dir_iv: bool,
    },
}

impl Params {
    /// Whether each directory holds an IV file.
    pub fn has_dir_iv(&self) -> bool {
        matches!(self.names, NameParams::Encrypted { dir_iv: true, .. })
    }
}

/// Everything that turns plain into cipher and back for one volume.
pub struct Codecs {
    /// File content and values.
    pub content: ContentCodec,
    /// Names of directory entries.
    pub names: NameCodec,
    /// Extended attributes.
    pub xattrs: XattrCodec,
}

impl Codecs {
    /// Derives the working keys of a volume from its master key.
    pub fn new(key: &MasterKey, params: &Params) -> Codecs {
        let Params { padded, hkdf, .. } = *params;
        let names = match params.names {
            NameParams::Plain => NameCodec::Plain,
            NameParams::Encrypted { long_limit, .. } => {
                NameCodec::encrypted(name_cipher(key, hkdf), padded, long_limit)
            }
        };
        Codecs {
            content: ContentCodec::new(content_cipher(key, params.content, hkdf)),
            names,
            xattrs: XattrCodec::new(name_cipher(key, hkdf), padded),
        }
    }
}
