//! The master key under the password: scrypt, then AES-256-GCM with eight zero bytes as
//! associated data.
//!
//! The nonce in front of the ciphertext has 16 bytes, or 12 in volumes made before HKDF.

use super::MakeError;
use super::document::Document;
use super::scrypt_object::ScryptDefect;
use crate::crypto::{
    Forged, KdfError, KeyWrap, MasterKey, Password, ScryptCost, Secret, derive, kdf, random,
};
use crate::format::{FeatureFlags, Flag};
use crate::sys::process;

const ASSOCIATED_DATA: [u8; 8] = [0; 8];

/// Why the master key stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// The password is wrong, or the wrapped key has been changed.
    #[error("cipher: message authentication failed")]
    Forged,
    /// There is less than a nonce and a tag.
    #[error("block is too short")]
    TooShort,
    /// A nonce that is never written.
    #[error("all-zero nonce")]
    ZeroNonce,
    /// What came out has not the length of a key.
    #[error("the master key has a length of {0} bytes instead of 32")]
    KeyLength(usize),
    /// The parameters are no scrypt parameters.
    #[error(transparent)]
    Scrypt(#[from] ScryptDefect),
    /// The parameters are beyond this machine.
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

impl UnlockError {
    /// Whether another password may help.
    pub fn is_wrong_password(self) -> bool {
        !matches!(self, Self::Scrypt(_) | Self::Kdf(_))
    }
}

fn nonce_len(flags: FeatureFlags) -> usize {
    if flags.has(Flag::Hkdf) { 16 } else { 12 }
}

/// scrypt, unless it needs more memory than is left: the system would hand it out at first, and
/// end a process later.
fn hashed(password: &Password, salt: &[u8], cost: ScryptCost) -> Result<Secret<32>, KdfError> {
    let needed = cost.memory()?;
    if process::available_memory().is_some_and(|left| needed > left) {
        return Err(KdfError::OutOfMemory(cost));
    }
    kdf::scrypt(password, salt, cost)
}

impl Document {
    /// Opens the wrapped master key.
    pub(super) fn unwrap_key(
        &self,
        password: &Password,
        flags: FeatureFlags,
    ) -> Result<MasterKey, UnlockError> {
        let cost = self.scrypt.cost()?;
        let nonce_len = nonce_len(flags);
        let wrapped = self.encrypted_key.split_at_checked(nonce_len);
        let (nonce, sealed) = wrapped.ok_or(UnlockError::TooShort)?;
        if nonce.iter().all(|byte| *byte == 0) {
            return Err(UnlockError::ZeroNonce);
        }
        let hash = hashed(password, &self.scrypt.salt, cost)?;
        let wrapping = derive::wrapping_key(&hash, flags.has(Flag::Hkdf));
        let opened = KeyWrap::open(&wrapping, nonce, &ASSOCIATED_DATA, sealed);
        let opened = opened.map_err(|Forged| UnlockError::Forged)?;
        let key = Secret::from_slice(&opened).ok_or(UnlockError::KeyLength(opened.len()))?;
        Ok(MasterKey(key))
    }

    /// Wraps `key` with a fresh salt and nonce.
    pub(super) fn wrap(
        &mut self,
        key: &MasterKey,
        password: &Password,
        log_n: u8,
        flags: FeatureFlags,
    ) -> Result<(), MakeError> {
        let scrypt = self.scrypt.renewed(log_n);
        scrypt.check().map_err(super::ConfDefect::from)?;
        let cost = scrypt.cost().map_err(super::ConfDefect::from)?;
        let hash = hashed(password, &scrypt.salt, cost)?;
        let wrapping = derive::wrapping_key(&hash, flags.has(Flag::Hkdf));
        let mut wrapped = vec![0; nonce_len(flags)];
        random::fill(&mut wrapped);
        let sealed = KeyWrap::seal(&wrapping, &wrapped, &ASSOCIATED_DATA, key.0.expose());
        wrapped.append(&mut sealed.expect("a nonce has 12 or 16 bytes"));
        self.scrypt = scrypt;
        self.encrypted_key = wrapped;
        Ok(())
    }
}
