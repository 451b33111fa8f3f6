//! How the password becomes a key: the parameters of scrypt as a configuration file has them.
//!
//! The file may hold any numbers. They are checked twice: against what makes sense at all, and,
//! only when a key is wanted, against what can be computed.

use super::document::{BASE64, Entries, assign, assign_base64};
use crate::crypto::{ScryptCost, random};
use base64::Engine;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::error::Result;

/// Length of a new salt and least length of any, in bytes.
const SALT_LEN: usize = 32;
/// Length of the derived key in bytes; the only one that AES-256 can use.
const KEY_LEN: i64 = 32;
/// Block size and parallelism of new files, which are also the least that any may have.
const R: i64 = 8;
const P: i64 = 1;

/// The parameters of scrypt, named as in the file.
#[derive(Clone, Debug, Default)]
pub struct ScryptObject {
    /// The salt.
    pub salt: Vec<u8>,
    /// CPU and memory cost.
    pub n: i64,
    /// Block size, in units of 128 bytes.
    pub r: i64,
    /// Parallelism.
    pub p: i64,
    /// Length of the derived key in bytes.
    pub key_len: i64,
    /// Keys that mean nothing here.
    foreign: Entries,
}

/// Why parameters are refused: they would make a password too easy to guess, or no key at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScryptDefect {
    /// N is below 2^10.
    #[error("fatal: scryptn below 10 is too low to make sense")]
    LowCost,
    /// Another parameter is too small.
    #[error("fatal: scrypt {what} below minimum: value={value}, min={min}")]
    TooSmall {
        /// Which one.
        what: &'static str,
        /// Its value.
        value: i64,
        /// The least value.
        min: i64,
    },
    /// RFC 7914 wants a power of two.
    #[error("scrypt parameter N={0} is not a power of two")]
    NotPowerOfTwo(i64),
    /// A number that no scrypt takes.
    #[error("scrypt parameter {what} is too large: {value}")]
    TooLarge {
        /// Which one.
        what: &'static str,
        /// Its value.
        value: i64,
    },
}

impl ScryptObject {
    /// Parameters for a newly wrapped key, with a fresh salt. `log_n` from 0 to 62.
    pub(super) fn renewed(&self, log_n: u8) -> Self {
        let mut salt = vec![0; SALT_LEN];
        random::fill(&mut salt);
        Self {
            salt,
            n: 1_i64.checked_shl(log_n.into()).unwrap_or_default(),
            r: R,
            p: P,
            key_len: KEY_LEN,
            foreign: self.foreign.clone(),
        }
    }

    pub(super) fn set_all(&mut self, entries: Entries) -> Result<()> {
        for (key, value) in entries.0 {
            match key.to_ascii_lowercase().as_str() {
                "salt" => assign_base64(&mut self.salt, &key, &value)?,
                "n" => assign(&mut self.n, &key, &value)?,
                "r" => assign(&mut self.r, &key, &value)?,
                "p" => assign(&mut self.p, &key, &value)?,
                "keylen" => assign(&mut self.key_len, &key, &value)?,
                _ => self.foreign.0.push((key, value)),
            }
        }
        Ok(())
    }

    /// Whether the parameters make sense.
    pub(super) fn check(&self) -> std::result::Result<(), ScryptDefect> {
        if self.n < 1 << 10 {
            return Err(ScryptDefect::LowCost);
        }
        let salt_len = i64::try_from(self.salt.len()).unwrap_or(i64::MAX);
        let minima = [
            ("parameter R", self.r, R),
            ("parameter P", self.p, P),
            ("salt length", salt_len, 32),
            ("parameter KeyLen", self.key_len, KEY_LEN),
        ];
        match minima.into_iter().find(|(_, value, min)| value < min) {
            Some((what, value, min)) => Err(ScryptDefect::TooSmall { what, value, min }),
            None => Ok(()),
        }
    }

    /// The cost, as far as it can be computed at all.
    ///
    /// # Errors
    /// A parameter that scrypt is not defined for.
    pub fn cost(&self) -> std::result::Result<ScryptCost, ScryptDefect> {
        if !u64::try_from(self.n).is_ok_and(u64::is_power_of_two) {
            return Err(ScryptDefect::NotPowerOfTwo(self.n));
        }
        if self.key_len != KEY_LEN {
            let (what, value) = ("KeyLen", self.key_len);
            return Err(ScryptDefect::TooLarge { what, value });
        }
        let narrow = |what, value: i64| {
            u32::try_from(value).map_err(|_| ScryptDefect::TooLarge { what, value })
        };
        Ok(ScryptCost {
            log_n: self.log_n(),
            r: narrow("R", self.r)?,
            p: narrow("P", self.p)?,
        })
    }

    /// The logarithm of N to the base 2, rounded down.
    pub(super) fn log_n(&self) -> u8 {
        let log = self.n.checked_ilog2().unwrap_or_default();
        u8::try_from(log).unwrap_or_default()
    }
}

impl Serialize for ScryptObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Salt", &BASE64.encode(&self.salt))?;
        map.serialize_entry("N", &self.n)?;
        map.serialize_entry("R", &self.r)?;
        map.serialize_entry("P", &self.p)?;
        map.serialize_entry("KeyLen", &self.key_len)?;
        self.foreign.write_to(&mut map)?;
        map.end()
    }
}
