//! The format held against bytes that the original program wrote or read back.
//!
//! The master key is zero throughout.

mod badnames;
mod content;
mod damage;
mod features;
mod names;
mod reverse;
mod values;

use super::base64url::Base64Url;
use super::name_text::NameText;
use super::{Codecs, NameParams, Params};
use crate::crypto::derive::name_cipher;
use crate::crypto::{ContentSuite, MasterKey, Secret};

const SUITES: [ContentSuite; 3] = [
    ContentSuite::AesGcm,
    ContentSuite::AesSiv,
    ContentSuite::XChaCha,
];

/// What a new volume is by default: encrypted names with directory IVs, no padding, HKDF.
const DEFAULT: Params = Params {
    content: ContentSuite::AesGcm,
    names: NameParams::Encrypted {
        long_limit: Some(255),
        dir_iv: true,
    },
    padded: false,
    hkdf: true,
};

fn zero_key() -> MasterKey {
    MasterKey(Secret::new([0; 32]))
}

fn codecs(params: Params) -> Codecs {
    Codecs::new(&zero_key(), &params)
}

/// Seals texts that the codecs of a default volume would refuse to.
fn unchecked_text() -> NameText {
    NameText {
        cipher: name_cipher(&zero_key(), true),
        base64: Base64Url { padded: false },
    }
}

/// The codecs of a default volume with another content cipher.
fn with_suite(content: ContentSuite) -> Codecs {
    codecs(Params { content, ..DEFAULT })
}

/// Bytes from hexadecimal digits; blanks are skipped.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_hexdigit)
        .map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
