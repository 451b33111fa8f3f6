//! The configuration file of a volume: what it says, the master key inside, and its safe
//! replacement.
//!
//! Invariant: a [`Conf`] obeys all rules of the format, whether it was read or made here, so what
//! is written can be read again by every program that knows the format.

mod document;
mod fido2_object;
mod file;
mod key;
mod scrypt_object;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use fido2_object::Fido2Object;
pub use file::{ConfFile, ReadError, WriteError};
pub use key::UnlockError;
pub use scrypt_object::{ScryptDefect, ScryptObject};

use crate::crypto::{KdfError, MasterKey, Password};
use crate::format::{FeatureDefect, FeatureFlags};
use document::Document;

/// The only version of the format that is in use.
const VERSION: u16 = 2;

/// The content of a valid configuration file.
#[derive(Clone, Debug)]
pub struct Conf {
    document: Document,
    flags: FeatureFlags,
}

/// Why a file is no configuration of a volume.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfDefect {
    /// A version of the format that nobody uses any more, or not yet.
    #[error("unsupported on-disk format {0}")]
    Version(u16),
    /// A password would be too easy to guess.
    #[error(transparent)]
    Scrypt(#[from] ScryptDefect),
    /// The flags contradict each other.
    #[error(transparent)]
    Features(#[from] FeatureDefect),
}

/// Why no configuration could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// It would not obey the rules.
    #[error(transparent)]
    Defect(#[from] ConfDefect),
    /// The password cannot be turned into a key at this cost.
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

impl Conf {
    /// The configuration of a new volume: `key` wrapped by `password`. `log_n` is the logarithm
    /// of scrypt's N. `fido2` is there if, and only if, the flags say so.
    ///
    /// # Errors
    /// `log_n` is below 10, or higher than this machine can do.
    pub fn new(
        creator: &str,
        flags: FeatureFlags,
        key: &MasterKey,
        password: &Password,
        log_n: u8,
        fido2: Option<Fido2Object>,
    ) -> Result<Self, MakeError> {
        let mut document = Document {
            creator: creator.to_owned(),
            version: VERSION,
            feature_flags: flags.names().into_iter().map(str::to_owned).collect(),
            fido2,
            long_name_max: flags.long_name_max(),
            ..Document::default()
        };
        document.wrap(key, password, log_n, flags)?;
        Ok(Self::validated(document)?)
    }

    /// Reads the JSON text of a configuration file.
    ///
    /// # Errors
    /// Text that is no JSON of the right shape, or breaks a rule.
    pub fn parse(text: &[u8]) -> Result<Self, ReadError> {
        if text.is_empty() {
            return Err(ReadError::Empty);
        }
        let document = Document::parse(text).map_err(|error| ReadError::Syntax(error.to_string()));
        Ok(Self::validated(document?)?)
    }

    fn validated(document: Document) -> Result<Self, ConfDefect> {
        if document.version != VERSION {
            return Err(ConfDefect::Version(document.version));
        }
        document.scrypt.check()?;
        let flags = FeatureFlags::parse(&document.feature_flags, document.long_name_max)?;
        Ok(Self { document, flags })
    }

    /// The JSON text, indented by tabs, with a newline at the end.
    pub fn to_json(&self) -> Vec<u8> {
        self.document.to_json()
    }

    /// Name and version of the program that made the volume; may be empty.
    pub fn creator(&self) -> &str {
        &self.document.creator
    }

    /// The feature flags in the order in which they are written.
    pub fn flag_names(&self) -> &[String] {
        &self.document.feature_flags
    }

    /// What the feature flags say.
    pub fn flags(&self) -> FeatureFlags {
        self.flags
    }

    /// Length of the wrapped master key in bytes.
    pub fn encrypted_key_len(&self) -> usize {
        self.document.encrypted_key.len()
    }

    /// The parameters of scrypt.
    pub fn scrypt(&self) -> &ScryptObject {
        &self.document.scrypt
    }

    /// What a security token needs, if the volume has that.
    pub fn fido2(&self) -> Option<&Fido2Object> {
        self.document.fido2.as_ref()
    }

    /// Opens the master key.
    ///
    /// # Errors
    /// The password is wrong or the wrapped key damaged (which look alike), or scrypt cannot run
    /// with these parameters.
    pub fn unlock(&self, password: &Password) -> Result<MasterKey, UnlockError> {
        self.document.unwrap_key(password, self.flags)
    }

    /// Wraps `key` by another password, under a fresh salt and nonce. `log_n` is the logarithm of
    /// scrypt's N; `None` keeps it. Everything else in the file stays.
    ///
    /// # Errors
    /// As [`Conf::new`]; the configuration is unchanged then.
    pub fn set_password(
        &mut self,
        key: &MasterKey,
        password: &Password,
        log_n: Option<u8>,
    ) -> Result<(), MakeError> {
        let log_n = log_n.unwrap_or_else(|| self.document.scrypt.log_n());
        let mut document = self.document.clone();
        document.wrap(key, password, log_n, self.flags)?;
        *self = Self::validated(document)?;
        Ok(())
    }
}
