//! What a security token needs to give the secret that takes the place of the password.
//!
//! The token makes the secret of its own key and these values (CTAP 2.1, section 12.5).

use super::document::{BASE64, Entries, assign, assign_base64};
use base64::Engine;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::error::Result;
use serde_json::value::RawValue;

/// The values for the token.
#[derive(Clone, Debug, Default)]
pub struct Fido2Object {
    /// The token's own name for its key.
    pub credential_id: Vec<u8>,
    /// The salt, 32 bytes.
    pub hmac_salt: Vec<u8>,
    /// Options for the program that asks the token.
    pub assert_options: Vec<String>,
    /// Keys that mean nothing here.
    foreign: Entries,
}

impl Fido2Object {
    /// The values for a new volume.
    pub fn new(credential_id: Vec<u8>, hmac_salt: Vec<u8>, assert_options: Vec<String>) -> Self {
        Self {
            credential_id,
            hmac_salt,
            assert_options,
            foreign: Entries::default(),
        }
    }

    pub(super) fn set_all(&mut self, entries: Entries) -> Result<()> {
        for (key, value) in entries.0 {
            self.set(key, value)?;
        }
        Ok(())
    }

    fn set(&mut self, key: String, value: Box<RawValue>) -> Result<()> {
        match key.to_ascii_lowercase().as_str() {
            "credentialid" => assign_base64(&mut self.credential_id, &key, &value),
            "hmacsalt" => assign_base64(&mut self.hmac_salt, &key, &value),
            "assertoptions" => assign(&mut self.assert_options, &key, &value),
            _ => {
                self.foreign.0.push((key, value));
                Ok(())
            }
        }
    }
}

impl Serialize for Fido2Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("CredentialID", &BASE64.encode(&self.credential_id))?;
        map.serialize_entry("HMACSalt", &BASE64.encode(&self.hmac_salt))?;
        if !self.assert_options.is_empty() {
            map.serialize_entry("AssertOptions", &self.assert_options)?;
        }
        self.foreign.write_to(&mut map)?;
        map.end()
    }
}
