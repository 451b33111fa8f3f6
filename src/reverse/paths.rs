//! Answers to those outside: whole paths, translated one component after the other on the way down
//! from the top, and figures.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::format::{DiskName, NameDefect, PlainName, ViewPath};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::member::Name;
use crate::sys::Errno;
use crate::vfs::{CacheFigures, Error, Figures, NodeId, Paths, Result};

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

    /// Long names are looked for in their directories; apart from these, no component needs to
    /// exist. Paths of what was removed since can be told, too.
    fn decrypt_path(&self, encrypted: &Path) -> Result<PathBuf> {
        let mut path = ViewPath::default();
        let mut names: Vec<Arc<Name>> = Vec::new();
        for shown in encrypted {
            let name = match self.codecs.names.classify(shown, false, false) {
                DiskName::Short(text) => self.decode_alone(&path, text)?,
                DiskName::Long(hash) => self.long_name(&*self.walk(&names)?, hash)?,
                _ => return Err(Error::Os(Errno::NOENT)),
            };
            path = path.join(shown);
            names.push(name);
        }
        Ok(names.iter().map(|name| &*name.plain).collect())
    }

    fn figures(&self) -> Figures {
        Figures {
            cache: CacheFigures {
                directories: self.dirs.hits_and_misses().into(),
                ..CacheFigures::default()
            },
            ..Figures::default()
        }
    }
}

impl Reverse {
    /// The name that is shown as `text` in `dir`, which need not exist.
    fn decode_alone(&self, dir: &ViewPath, text: &OsStr) -> Result<Arc<Name>> {
        let plain = self.codecs.names.decode(&self.iv_of(dir), text);
        let plain = plain.map_err(|_| Errno::NOENT)?;
        Ok(Arc::new(Name {
            plain: plain.as_os_str().into(),
            shown: text.into(),
            full: None,
        }))
    }

    /// The directory to which these names lead from the top.
    fn walk(&self, names: &[Arc<Name>]) -> Result<Arc<ViewDir>> {
        let mut dir = self.dir(NodeId::ROOT)?;
        for name in names {
            dir = Arc::new(self.subdir(&dir, name)?);
        }
        Ok(dir)
    }
}

fn refusal(defect: NameDefect) -> Error {
    Error::Os(match defect {
        NameDefect::TooLong => Errno::NAMETOOLONG,
        _ => Errno::BADMSG,
    })
}
