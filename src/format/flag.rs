//! The feature flags that exist.
//!
//! Invariant: the order of declaration is the order in which new volumes list their flags.

use std::fmt;

/// A feature flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Working keys and the wrapping key are derived with HKDF.
    Hkdf,
    /// Content cipher XChaCha20-Poly1305.
    XChaCha,
    /// 16-byte nonces, mandatory with the AES ciphers.
    GcmIv128,
    /// Names and symlink targets are stored as they are.
    PlaintextNames,
    /// Each directory has an IV for the names in it.
    DirIv,
    /// Encrypted names are hashed above a length of their own.
    LongNameMax,
    /// Names are encrypted with EME. Says nothing: nothing else was ever supported.
    EmeNames,
    /// Long names are hashed. Says nothing: the command line decides.
    LongNames,
    /// Base64 without padding.
    Raw64,
    /// Content cipher AES-SIV.
    AesSiv,
    /// The password comes from a security token.
    Fido2,
}

impl Flag {
    /// Every flag, in declaration order.
    pub(super) const ALL: [Flag; 11] = [
        Flag::Hkdf,
        Flag::XChaCha,
        Flag::GcmIv128,
        Flag::PlaintextNames,
        Flag::DirIv,
        Flag::LongNameMax,
        Flag::EmeNames,
        Flag::LongNames,
        Flag::Raw64,
        Flag::AesSiv,
        Flag::Fido2,
    ];

    /// The name in the configuration file.
    pub const fn name(self) -> &'static str {
        match self {
            Flag::Hkdf => "HKDF",
            Flag::XChaCha => "XChaCha20Poly1305",
            Flag::GcmIv128 => "GCMIV128",
            Flag::PlaintextNames => "PlaintextNames",
            Flag::DirIv => "DirIV",
            Flag::LongNameMax => "LongNameMax",
            Flag::EmeNames => "EMENames",
            Flag::LongNames => "LongNames",
            Flag::Raw64 => "Raw64",
            Flag::AesSiv => "AESSIV",
            Flag::Fido2 => "FIDO2",
        }
    }

    /// The flag of that name; case matters.
    pub(super) fn parse(name: &str) -> Option<Flag> {
        Flag::ALL.into_iter().find(|flag| flag.name() == name)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
