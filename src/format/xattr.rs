//! Extended attributes: encrypted names and values, and the ones that pass through.
//!
//! Every attribute, whatever its namespace, is stored in `user.gocryptfs.`; access control lists
//! keep their names and values because the kernel must read them. Names are not bound to a file.
//! Invariant: what is neither ours nor an access control list is invisible.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::base64url::Base64Url;
use super::block::ContentCodec;
use super::corrupt::{Corrupt, NameDefect};
use super::name_text::NameText;
use crate::crypto::NameCipher;

/// What the stored names of encrypted attributes begin with.
const PREFIX: &str = "user.gocryptfs.";
/// The tweak of attribute names: the same for every file.
const TWEAK: &[u8; 16] = b"xattr_name_iv_xx";
/// The access control lists, stored as they are.
const PASSED_THROUGH: [&str; 2] = ["system.posix_acl_access", "system.posix_acl_default"];

/// Whether an attribute is stored unencrypted under its own name.
pub fn is_passed_through(name: &OsStr) -> bool {
    PASSED_THROUGH.iter().any(|acl| name == *acl)
}

/// Encrypts and decrypts extended attributes.
pub struct XattrCodec {
    text: NameText,
}

impl XattrCodec {
    /// The codec. `padded`: base64 texts end in `=`.
    pub fn new(cipher: NameCipher, padded: bool) -> XattrCodec {
        let base64 = Base64Url { padded };
        let text = NameText { cipher, base64 };
        XattrCodec { text }
    }

    /// The name under which `name` (with its namespace) is stored. Names that pass through stay.
    ///
    /// # Errors
    /// [`NameDefect::Invalid`] if it is empty or contains NUL, [`NameDefect::TooLong`] above 255
    /// bytes. The result may be longer than 255 bytes, which the file system then refuses.
    pub fn encode_name(&self, name: &OsStr) -> Result<OsString, NameDefect> {
        if is_passed_through(name) {
            return Ok(name.to_owned());
        }
        if !is_valid(name.as_bytes()) {
            return Err(NameDefect::Invalid);
        }
        let mut stored = OsString::from(PREFIX);
        stored.push(self.text.seal(TWEAK, name.as_bytes())?);
        Ok(stored)
    }

    /// The attribute that the stored name stands for; `None` for attributes that are not ours.
    pub fn decode_name(&self, stored: &OsStr) -> Option<Result<OsString, NameDefect>> {
        if is_passed_through(stored) {
            return Some(Ok(stored.to_owned()));
        }
        let text = stored.as_bytes().strip_prefix(PREFIX.as_bytes())?;
        Some(self.open_name(text))
    }

    fn open_name(&self, text: &[u8]) -> Result<OsString, NameDefect> {
        let name = self.text.open(TWEAK, text)?;
        if !is_valid(&name) {
            return Err(NameDefect::Invalid);
        }
        let name = OsString::from_vec(name);
        if is_passed_through(&name) {
            return Err(NameDefect::PassedThrough);
        }
        Ok(name)
    }

    /// The stored form of a value, with a fresh nonce. Empty stays empty.
    pub fn seal_value(&self, content: &ContentCodec, value: &[u8]) -> Vec<u8> {
        content.seal_value(value)
    }

    /// The value that was sealed. Old vaults hold base64 of the sealed bytes: tried second.
    ///
    /// # Errors
    /// [`Corrupt::Value`] if neither form authenticates.
    pub fn open_value(&self, content: &ContentCodec, stored: &[u8]) -> Result<Vec<u8>, Corrupt> {
        content.open_value(stored).or_else(|defect| {
            let sealed = self.text.base64.decode(stored).map_err(|_| defect)?;
            content.open_value(&sealed)
        })
    }
}

fn is_valid(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&0)
}
