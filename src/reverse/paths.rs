//! Whole paths, translated one component after the other on the way down from the top.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::format::{NameDefect, PlainName, ViewPath};
use crate::reverse::Reverse;
use crate::reverse::member::Member;
use crate::sys::Errno;
use crate::vfs::{Error, NodeId, Paths, Result};

impl Paths for Reverse {
    /// Nothing but computation: no component needs to exist.
    fn encrypt_path(&self, plain: &Path) -> Result<PathBuf> {
        let mut dir = ViewPath::default();
        let mut encrypted = PathBuf::new();
        for name in plain {
            let name = PlainName::new(name).map_err(refusal)?;
            let names = &self.codecs.names;
            let stored = names.encode(&self.iv_of(&dir), &name).map_err(refusal)?;
            encrypted.push(stored.disk());
            dir = dir.join(stored.disk());
        }
        Ok(encrypted)
    }

    fn decrypt_path(&self, encrypted: &Path) -> Result<PathBuf> {
        let mut dir = self.dir(NodeId::ROOT)?;
        let mut plain = PathBuf::new();
        let mut names = encrypted.iter().peekable();
        while let Some(shown) = names.next() {
            let Member::Object(name) = self.member(&dir, shown)? else {
                return Err(Error::Os(Errno::NOENT));
            };
            plain.push(&*name.plain);
            if names.peek().is_some() {
                dir = Arc::new(self.subdir(&dir, &name)?);
            }
        }
        Ok(plain)
    }
}

fn refusal(defect: NameDefect) -> Error {
    Error::Os(match defect {
        NameDefect::TooLong => Errno::NAMETOOLONG,
        _ => Errno::BADMSG,
    })
}
