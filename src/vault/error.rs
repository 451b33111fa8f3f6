//! Why an operation on the vault failed.

use crate::format::{Corrupt, NameDefect};
use crate::sys::Errno;

/// The result of an operation on the vault.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an operation on the vault failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The backing file system (or a rule of the vault) said no.
    #[error("{0}")]
    Os(#[from] Errno),
    /// Bytes in the vault do not authenticate or make no sense.
    #[error("inode {ino}: {what}")]
    Corrupt {
        /// The backing inode that holds them.
        ino: u64,
        /// What is wrong with them.
        what: Corrupt,
    },
}

impl Error {
    /// Corruption in the backing inode `ino`.
    pub(crate) fn corrupt(ino: u64, what: impl Into<Corrupt>) -> Error {
        Error::Corrupt {
            ino,
            what: what.into(),
        }
    }
}

/// A plain name that cannot be stored: too long is `ENAMETOOLONG`, anything else `EBADMSG`.
impl From<NameDefect> for Error {
    fn from(defect: NameDefect) -> Error {
        Error::Os(match defect {
            NameDefect::TooLong => Errno::NAMETOOLONG,
            _ => Errno::BADMSG,
        })
    }
}
