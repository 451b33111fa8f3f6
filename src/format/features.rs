//! The feature flags of a volume: which exist, which belong together and what they mean.
//!
//! Invariant: a [`FeatureFlags`] obeys the rules that exclude contradicting or unsupported
//! volumes; whoever holds one can turn it into [`Params`] without further checks.

use super::flag::Flag;
use super::params::{NameParams, Params};
use crate::crypto::ContentSuite;

/// The length limit of encrypted names when the volume sets no other.
const LONG_NAME_DEFAULT: u8 = 255;

/// Why a set of flags makes no volume.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureDefect {
    /// Not a flag, or one of a newer program.
    #[error("unknown feature flag {0:?}")]
    Unknown(String),
    /// Two content ciphers.
    #[error("can't have both XChaCha20Poly1305 and AESSIV feature flags")]
    TwoCiphers,
    /// A flag without another one that it needs.
    #[error("{who} requires {needs} feature flag")]
    Missing {
        /// The flag, or the cipher that needs none.
        who: &'static str,
        /// What it needs.
        needs: Flag,
    },
    /// Two flags that exclude each other.
    #[error("{who} conflicts with {with} feature flag")]
    Conflict {
        /// One flag.
        who: Flag,
        /// The other one.
        with: Flag,
    },
    /// A length limit without the flag.
    #[error("LongNameMax={0} but the LongNameMax feature flag is NOT set")]
    LimitWithoutFlag(u8),
    /// The flag without a length limit.
    #[error("LongNameMax=0 but the LongNameMax feature flag IS set")]
    FlagWithoutLimit,
}

/// What the creator of a new volume chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitChoices {
    /// The content cipher.
    pub content: ContentSuite,
    /// Store names as they are. Wins over the next two.
    pub plaintext_names: bool,
    /// Encrypt equal names equally, without directory IVs.
    pub deterministic_names: bool,
    /// The length above which encrypted names are hashed; 0 and 255 are the default.
    pub long_name_max: u8,
    /// The password comes from a security token.
    pub fido2: bool,
}

/// A valid set of feature flags with the one number that belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureFlags {
    /// Bit `flag as u16` is set for each flag.
    set: u16,
    long_name_max: u8,
}

impl FeatureFlags {
    /// Understands the flags of a configuration file. Order and repetitions do not matter.
    /// `long_name_max` is the number of the same name there, 0 if absent.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(
        names: &[impl AsRef<str>],
        long_name_max: u8,
    ) -> Result<FeatureFlags, FeatureDefect> {
        let mut flags = FeatureFlags {
            set: 0,
            long_name_max,
        };
        for name in names {
            let name = name.as_ref();
            let flag = Flag::parse(name).ok_or_else(|| FeatureDefect::Unknown(name.into()))?;
            flags.insert(flag);
        }
        flags.check_cipher()?;
        flags.check_names()?;
        Ok(flags)
    }

    /// The flags of a new volume.
    pub fn for_init(choices: InitChoices) -> FeatureFlags {
        let mut flags = FeatureFlags {
            set: 0,
            long_name_max: 0,
        };
        flags.insert(Flag::Hkdf);
        match choices.content {
            ContentSuite::XChaCha => flags.insert(Flag::XChaCha),
            ContentSuite::AesGcm => flags.insert(Flag::GcmIv128),
            ContentSuite::AesSiv => {
                flags.insert(Flag::GcmIv128);
                flags.insert(Flag::AesSiv);
            }
        }
        if choices.plaintext_names {
            flags.insert(Flag::PlaintextNames);
        } else {
            flags.encrypt_names(choices);
        }
        if choices.fido2 {
            flags.insert(Flag::Fido2);
        }
        flags
    }

    /// Whether a flag is set.
    pub fn has(self, flag: Flag) -> bool {
        self.set & bit(flag) != 0
    }

    /// The names of the flags, in the order of new volumes.
    pub fn names(self) -> Vec<&'static str> {
        let set = Flag::ALL.into_iter().filter(|&flag| self.has(flag));
        set.map(Flag::name).collect()
    }

    /// The number that belongs to the flag `LongNameMax`; 0 without it.
    pub fn long_name_max(self) -> u8 {
        self.long_name_max
    }

    /// What the volume is. `long_names`: whether long names may be hashed, which is an option of
    /// the mount and not a property of the volume.
    pub fn params(self, long_names: bool) -> Params {
        let content = match (self.has(Flag::XChaCha), self.has(Flag::AesSiv)) {
            (true, _) => ContentSuite::XChaCha,
            (false, true) => ContentSuite::AesSiv,
            (false, false) => ContentSuite::AesGcm,
        };
        let names = if self.has(Flag::PlaintextNames) {
            NameParams::Plain
        } else {
            NameParams::encrypted(long_names, self.long_name_max, self.has(Flag::DirIv))
        };
        Params {
            content,
            names,
            padded: !self.has(Flag::Raw64),
            hkdf: self.has(Flag::Hkdf),
        }
    }

    fn insert(&mut self, flag: Flag) {
        self.set |= bit(flag);
    }

    fn encrypt_names(&mut self, choices: InitChoices) {
        for flag in [Flag::EmeNames, Flag::LongNames, Flag::Raw64] {
            self.insert(flag);
        }
        if !choices.deterministic_names {
            self.insert(Flag::DirIv);
        }
        if !matches!(choices.long_name_max, 0 | LONG_NAME_DEFAULT) {
            self.insert(Flag::LongNameMax);
            self.long_name_max = choices.long_name_max;
        }
    }

    fn check_cipher(self) -> Result<(), FeatureDefect> {
        let xchacha = self.has(Flag::XChaCha);
        let siv = self.has(Flag::AesSiv);
        if xchacha && siv {
            return Err(FeatureDefect::TwoCiphers);
        }
        if xchacha {
            self.exclude(Flag::XChaCha, Flag::GcmIv128)?;
            return self.need(Flag::XChaCha.name(), Flag::Hkdf);
        }
        let who = if siv { Flag::AesSiv.name() } else { "AES-GCM" };
        self.need(who, Flag::GcmIv128)
    }

    fn check_names(self) -> Result<(), FeatureDefect> {
        if self.has(Flag::PlaintextNames) {
            let encrypted = [
                Flag::EmeNames,
                Flag::DirIv,
                Flag::LongNames,
                Flag::Raw64,
                Flag::LongNameMax,
            ];
            for flag in encrypted {
                self.exclude(Flag::PlaintextNames, flag)?;
            }
        }
        match (self.has(Flag::LongNameMax), self.long_name_max) {
            (true, 0) => Err(FeatureDefect::FlagWithoutLimit),
            (false, limit) if limit != 0 => Err(FeatureDefect::LimitWithoutFlag(limit)),
            _ => Ok(()),
        }
    }

    fn need(self, who: &'static str, needs: Flag) -> Result<(), FeatureDefect> {
        if !self.has(needs) {
            return Err(FeatureDefect::Missing { who, needs });
        }
        Ok(())
    }

    fn exclude(self, who: Flag, with: Flag) -> Result<(), FeatureDefect> {
        if self.has(with) {
            return Err(FeatureDefect::Conflict { who, with });
        }
        Ok(())
    }
}

impl NameParams {
    /// Encrypted names. `long_names`: whether long ones are hashed at all; `long_name_max`: above
    /// which length, 0 for the default of 255.
    pub fn encrypted(long_names: bool, long_name_max: u8, dir_iv: bool) -> NameParams {
        let limit = match long_name_max {
            0 => LONG_NAME_DEFAULT,
            limit => limit,
        };
        NameParams::Encrypted {
            long_limit: long_names.then_some(limit),
            dir_iv,
        }
    }
}

fn bit(flag: Flag) -> u16 {
    1 << (flag as u16)
}
