//! What an entry of a directory of the view is, and its names on both sides.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::sync::Arc;

use crate::format::{
    CONF_NAME, CipherName, DIRIV_NAME, DiskName, PlainName, REVERSE_CONF_NAME, name_file,
    object_of_name_file,
};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::sys::Errno;
use crate::vfs::{Error, Result};

/// The longest name that a directory entry can have, bytes.
const SHOWN_MAX: usize = 255;

/// What an entry of a directory of the view is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Member {
    /// An object of the plain directory.
    Object(Arc<Name>),
    /// The IV of the directory.
    DirIv,
    /// The complete encrypted name of an object with a long name.
    NameFile(Arc<Name>),
    /// The configuration file.
    Config,
}

/// The names of one object.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// In the plain directory.
    pub(super) plain: Box<OsStr>,
    /// In the view.
    pub(super) shown: Box<OsStr>,
    /// What `shown` is the hash of, if the name is long.
    pub(super) full: Option<CipherName>,
}

impl Member {
    /// The name in the view.
    pub(super) fn shown(&self) -> Cow<'_, OsStr> {
        match self {
            Member::Object(name) => Cow::Borrowed(&name.shown),
            Member::DirIv => Cow::Borrowed(OsStr::new(DIRIV_NAME)),
            Member::NameFile(name) => Cow::Owned(name_file(&name.shown)),
            Member::Config => Cow::Borrowed(OsStr::new(CONF_NAME)),
        }
    }
}

impl Reverse {
    /// What is shown as `shown`. Whether it is there is not looked at.
    pub(super) fn member(&self, dir: &ViewDir, shown: &OsStr) -> Result<Member> {
        if shown == CONF_NAME && self.has_config(dir) {
            return Ok(Member::Config);
        }
        if shown == DIRIV_NAME && self.dir_ivs {
            return Ok(Member::DirIv);
        }
        if dir.foreign {
            return Err(Error::Os(Errno::NOENT));
        }
        let (name, is_name_file) = match self.codecs.names.classify(shown, false, false) {
            DiskName::Short(text) => (self.short_name(dir, text)?, false),
            DiskName::Long(hash) => (self.long_name(dir, hash)?, false),
            _ => {
                let hash = object_of_name_file(shown).ok_or(Errno::NOENT)?;
                (self.long_name(dir, hash)?, true)
            }
        };
        if self.is_excluded(dir, &name.plain) {
            return Err(Error::Os(Errno::PERM));
        }
        Ok(if is_name_file {
            Member::NameFile(name)
        } else {
            Member::Object(name)
        })
    }

    /// The object that is shown as `text`, and as nothing else.
    fn short_name(&self, dir: &ViewDir, text: &OsStr) -> Result<Arc<Name>> {
        let plain = self.codecs.names.decode(&dir.iv, text);
        let plain = plain.map_err(|_| Errno::NOENT)?;
        let name = self.name(dir, plain.as_os_str());
        let name = name.filter(|name| *name.shown == *text);
        Ok(Arc::new(name.ok_or(Errno::NOENT)?))
    }

    /// The names of the object `plain`; `None` if it cannot be shown: its encrypted name is too
    /// long for an entry, or it is the configuration file or would pose as that.
    pub(super) fn name(&self, dir: &ViewDir, plain: &OsStr) -> Option<Name> {
        let names = &self.codecs.names;
        let name = PlainName::new(plain).ok()?;
        if self.has_config(dir) && (plain == REVERSE_CONF_NAME || names.hides(&name, true)) {
            return None;
        }
        let stored = names.encode(&dir.iv, &name).ok()?;
        (stored.disk().len() <= SHOWN_MAX).then(|| Name {
            plain: plain.into(),
            shown: stored.disk().into(),
            full: stored.long().map(|(_, full)| full.clone()),
        })
    }

    /// Whether the user wants the object `plain` left out.
    pub(super) fn is_excluded(&self, dir: &ViewDir, plain: &OsStr) -> bool {
        !self.exclusions.is_empty() && self.exclusions.hide(&dir.plain_path_of(plain))
    }

    /// Whether the configuration file is shown in this directory.
    pub(super) fn has_config(&self, dir: &ViewDir) -> bool {
        dir.is_root && self.options.show_config
    }
}
