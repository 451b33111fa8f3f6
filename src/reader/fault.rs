//! What cannot be read, and why: paths for people, never used to reach a file.

use std::path::{Path, PathBuf};

use crate::sys::Errno;
use crate::vault::{BadEntry, Error};

/// Something that cannot be read.
#[derive(Debug)]
pub struct Fault {
    /// Path in the encrypted directory; empty for the top itself.
    pub disk: PathBuf,
    /// Path as the user knows it, unless a name in it is what is damaged.
    pub plain: Option<PathBuf>,
    /// Why.
    pub cause: Cause,
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// It is damaged, or the backing file system says no.
    #[error("{0}")]
    Vault(#[from] Error),
    /// Its name is damaged.
    #[error("{0}")]
    Name(#[from] BadEntry),
    /// The name of one of its extended attributes does not decrypt.
    #[error("corrupt xattr name")]
    Attribute,
    /// It ended early.
    #[error("it was cut while it was read")]
    Cut,
}

impl From<Errno> for Cause {
    fn from(errno: Errno) -> Cause {
        Cause::Vault(errno.into())
    }
}

impl Cause {
    /// The fault of the object at these paths.
    pub fn at(self, disk: &Path, plain: &Path) -> Fault {
        Fault {
            disk: disk.to_owned(),
            plain: Some(plain.to_owned()),
            cause: self,
        }
    }

    /// Whether there is no such object, or no way to it.
    pub fn is_absence(&self) -> bool {
        let absent = [
            Errno::NOENT,
            Errno::NOTDIR,
            Errno::LOOP,
            Errno::NAMETOOLONG,
            Errno::BADMSG,
            Errno::PERM,
            Errno::XDEV,
        ];
        matches!(self, Cause::Vault(Error::Os(errno)) if absent.contains(errno))
    }
}
