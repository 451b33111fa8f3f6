//! The configuration file as JSON, read and written the way Go programs do it.
//!
//! Keys match in any case, a repeated key counts with its last value, `null` leaves a value alone.
//! What other programs keep under keys of their own is written back unchanged.

use super::fido2_object::Fido2Object;
use super::scrypt_object::ScryptObject;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::error::Result;
use serde_json::ser::PrettyFormatter;
use serde_json::value::RawValue;
use std::fmt;

/// All values of the file. What is missing there is empty or 0 here.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) creator: String,
    /// The wrapped master key: nonce, ciphertext, tag.
    pub(super) encrypted_key: Vec<u8>,
    pub(super) scrypt: ScryptObject,
    pub(super) version: u16,
    pub(super) feature_flags: Vec<String>,
    pub(super) fido2: Option<Fido2Object>,
    pub(super) long_name_max: u8,
    /// Keys that mean nothing here.
    pub(super) foreign: Entries,
}

impl Document {
    /// Reads the text of a file, which must be one JSON object and nothing more.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let entries: Option<Entries> = serde_json::from_slice(text)?;
        let mut document = Self::default();
        for (key, value) in entries.unwrap_or_default().0 {
            document.set(key, value)?;
        }
        Ok(document)
    }

    fn set(&mut self, key: String, value: Box<RawValue>) -> Result<()> {
        match key.to_ascii_lowercase().as_str() {
            "creator" => assign(&mut self.creator, &key, &value),
            "encryptedkey" => assign_base64(&mut self.encrypted_key, &key, &value),
            "scryptobject" => self
                .scrypt
                .set_all(entries(&key, &value)?.unwrap_or_default()),
            "version" => assign(&mut self.version, &key, &value),
            "featureflags" => assign(&mut self.feature_flags, &key, &value),
            "fido2" => self.set_fido2(entries(&key, &value)?),
            "longnamemax" => assign(&mut self.long_name_max, &key, &value),
            _ => {
                self.foreign.0.push((key, value));
                Ok(())
            }
        }
    }

    fn set_fido2(&mut self, entries: Option<Entries>) -> Result<()> {
        let Some(entries) = entries else {
            self.fido2 = None;
            return Ok(());
        };
        self.fido2.get_or_insert_default().set_all(entries)
    }

    /// The text of the file, one level of indentation per tab.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        let written = self.serialize(&mut serializer);
        written.expect("strings, numbers and JSON that was read can be written to memory");
        text.push(b'\n');
        text
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Creator", &self.creator)?;
        map.serialize_entry("EncryptedKey", &BASE64.encode(&self.encrypted_key))?;
        map.serialize_entry("ScryptObject", &self.scrypt)?;
        map.serialize_entry("Version", &self.version)?;
        map.serialize_entry("FeatureFlags", &self.feature_flags)?;
        if let Some(fido2) = &self.fido2 {
            map.serialize_entry("FIDO2", fido2)?;
        }
        if self.long_name_max != 0 {
            map.serialize_entry("LongNameMax", &self.long_name_max)?;
        }
        self.foreign.write_to(&mut map)?;
        map.end()
    }
}

/// Base64 of RFC 4648, section 4, with padding. Bits behind the last byte may be anything.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The entries of a JSON object in their order, with repetitions, each value as it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries(pub(super) Vec<(String, Box<RawValue>)>);

impl Entries {
    /// Writes the entries as they were read.
    pub(super) fn write_to<M: SerializeMap>(
        &self,
        map: &mut M,
    ) -> std::result::Result<(), M::Error> {
        let mut entries = self.0.iter();
        entries.try_for_each(|(key, value)| map.serialize_entry(key, value))
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

/// Puts a value into its place. The error names the key.
pub(super) fn assign<T: DeserializeOwned>(
    place: &mut T,
    key: &str,
    value: &RawValue,
) -> Result<()> {
    let value: Option<T> = serde_json::from_str(value.get()).map_err(|error| named(key, error))?;
    if let Some(value) = value {
        *place = value;
    }
    Ok(())
}

/// Puts bytes into their place. Line breaks inside of base64 do not count.
pub(super) fn assign_base64(place: &mut Vec<u8>, key: &str, value: &RawValue) -> Result<()> {
    let mut text = BASE64.encode(&*place);
    assign(&mut text, key, value)?;
    text.retain(|c| c != '\r' && c != '\n');
    *place = BASE64.decode(text).map_err(|error| named(key, error))?;
    Ok(())
}

/// The entries of an object; `None` for `null`. The error names the key.
fn entries(key: &str, value: &RawValue) -> Result<Option<Entries>> {
    serde_json::from_str(value.get()).map_err(|error| named(key, error))
}

fn named(key: &str, error: impl fmt::Display) -> serde_json::Error {
    serde_json::Error::custom(format!("{key}: {error}"))
}
