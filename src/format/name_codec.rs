//! From plaintext names to stored ones and back, and what an entry of a backing directory is.
//!
//! Invariant: a vault without name encryption is a codec like the other, so that no caller asks
//! which one it has.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use sha2::{Digest, Sha256};

use super::base64url::Base64Url;
use super::corrupt::NameDefect;
use super::diriv::{CONF_NAME, DIRIV_NAME, DirIv};
use super::name::{
    CipherName, DiskName, HashedName, LONG_PREFIX, NAME_SUFFIX, PlainName, StoredName,
};
use super::name_text::{NameText, TEXT_MAX, UNIT};
use crate::crypto::NameCipher;

/// The longest content of a `.name` file, bytes: the padded base64 text of a 255-byte name.
pub const NAME_FILE_MAX: usize = 344;

/// How the names of a volume are stored.
pub enum NameCodec {
    /// As they are.
    Plain,
    /// Encrypted.
    Encrypted(Box<EncryptedNames>),
}

/// Key and options of encrypted names.
pub struct EncryptedNames {
    text: NameText,
    long_limit: Option<u8>,
}

impl NameCodec {
    /// The codec for encrypted names. `padded`: base64 texts end in `=`. `long_limit`: the length
    /// above which an encrypted name is replaced by its hash, `None` for never.
    pub fn encrypted(cipher: NameCipher, padded: bool, long_limit: Option<u8>) -> NameCodec {
        let base64 = Base64Url { padded };
        let text = NameText { cipher, base64 };
        NameCodec::Encrypted(Box::new(EncryptedNames { text, long_limit }))
    }

    /// How `name` is stored in the directory with the IV `iv`.
    ///
    /// # Errors
    /// None for names that passed [`PlainName::new`].
    pub fn encode(&self, iv: &DirIv, name: &PlainName) -> Result<StoredName, NameDefect> {
        match self {
            NameCodec::Plain => {
                let name = name.as_os_str().to_owned();
                Ok(StoredName::Short(CipherName(name)))
            }
            NameCodec::Encrypted(names) => names.encode(iv, name),
        }
    }

    /// Whether a name of `len` bytes is stored under a hash.
    pub fn is_hashed(&self, len: usize) -> bool {
        match self {
            NameCodec::Plain => false,
            NameCodec::Encrypted(names) => names.is_long(names.text.sealed_len(len)),
        }
    }

    /// What the entry `disk` of a backing directory is. `is_root`: the directory is the top of the
    /// volume. `has_dir_iv`: directories of this volume have an IV file.
    pub fn classify<'a>(&self, disk: &'a OsStr, is_root: bool, has_dir_iv: bool) -> DiskName<'a> {
        if is_root && disk == CONF_NAME {
            return DiskName::Config;
        }
        match self {
            NameCodec::Plain => DiskName::Short(disk),
            NameCodec::Encrypted(_) if has_dir_iv && disk == DIRIV_NAME => DiskName::DirIv,
            NameCodec::Encrypted(names) => names.classify(disk),
        }
    }

    /// The plaintext name for the encrypted one `text`: the name of a [`DiskName::Short`] entry.
    ///
    /// # Errors
    /// What is wrong with the text, or with the name it decrypts to.
    pub fn decode(&self, iv: &DirIv, text: &OsStr) -> Result<PlainName, NameDefect> {
        match self {
            NameCodec::Plain => PlainName::new(text),
            NameCodec::Encrypted(names) => {
                let name = names.text.open(&iv.0, text.as_bytes())?;
                PlainName::new(&OsString::from_vec(name)).map_err(|_| NameDefect::Invalid)
            }
        }
    }

    /// The longest part of `text` from its start that decrypts, decrypted, and what is behind it.
    pub(super) fn decode_prefix<'t>(
        &self,
        iv: &DirIv,
        text: &'t OsStr,
    ) -> Option<(PlainName, &'t OsStr)> {
        let NameCodec::Encrypted(names) = self else {
            return None;
        };
        (0..=TEXT_MAX).rev().step_by(UNIT).find_map(|plain_len| {
            let len = names.text.sealed_len(plain_len);
            let (part, rest) = text.as_bytes().split_at_checked(len)?;
            let plain = self.decode(iv, OsStr::from_bytes(part)).ok()?;
            (!rest.is_empty()).then(|| (plain, OsStr::from_bytes(rest)))
        })
    }

    /// The plaintext name of a [`DiskName::Long`] entry, from the content of its `.name` file
    /// (1 to [`NAME_FILE_MAX`] bytes). The hash is not compared: the file decides.
    ///
    /// # Errors
    /// As [`NameCodec::decode`], and [`NameDefect::NameFileLength`].
    pub fn decode_long(&self, iv: &DirIv, content: &[u8]) -> Result<PlainName, NameDefect> {
        if !(1..=NAME_FILE_MAX).contains(&content.len()) {
            return Err(NameDefect::NameFileLength(content.len()));
        }
        self.decode(iv, OsStr::from_bytes(content))
    }

    /// Whether the encrypted name `text` is replaced by its hash on disk.
    pub fn is_long(&self, text: &OsStr) -> bool {
        match self {
            NameCodec::Plain => false,
            NameCodec::Encrypted(names) => names.is_long(text.len()),
        }
    }

    /// The hashed form of the encrypted name `text`, however long that is; `None` where names are
    /// not encrypted.
    pub fn hashed(&self, text: &OsStr) -> Option<HashedName> {
        match self {
            NameCodec::Plain => None,
            NameCodec::Encrypted(names) => Some(names.hashed(text.as_bytes())),
        }
    }

    /// Whether users may not touch an entry of this name because it would be the configuration
    /// file. Encrypted names never collide with it.
    pub fn hides(&self, name: &PlainName, is_root: bool) -> bool {
        matches!(self, NameCodec::Plain) && is_root && name.as_os_str() == CONF_NAME
    }

    /// The base64 of encrypted names, which symlink targets share; `None` when both are plain.
    pub(super) fn base64(&self) -> Option<Base64Url> {
        match self {
            NameCodec::Plain => None,
            NameCodec::Encrypted(names) => Some(names.text.base64),
        }
    }
}

impl EncryptedNames {
    fn encode(&self, iv: &DirIv, name: &PlainName) -> Result<StoredName, NameDefect> {
        let text = self.text.seal(&iv.0, name.as_os_str().as_bytes())?;
        if !self.is_long(text.len()) {
            return Ok(StoredName::Short(CipherName(text.into())));
        }
        Ok(StoredName::Long {
            hash: self.hashed(text.as_bytes()),
            full: CipherName(text.into()),
        })
    }

    fn is_long(&self, text_len: usize) -> bool {
        self.long_limit
            .is_some_and(|limit| text_len > usize::from(limit))
    }

    fn hashed(&self, text: &[u8]) -> HashedName {
        let hash = self.text.base64.encode(&Sha256::digest(text));
        HashedName(format!("{LONG_PREFIX}{hash}").into())
    }

    fn classify<'a>(&self, disk: &'a OsStr) -> DiskName<'a> {
        let bytes = disk.as_bytes();
        if self.long_limit.is_none() || !bytes.starts_with(LONG_PREFIX.as_bytes()) {
            return DiskName::Short(disk);
        }
        if bytes.ends_with(NAME_SUFFIX.as_bytes()) {
            return DiskName::NameFile;
        }
        DiskName::Long(disk)
    }
}
