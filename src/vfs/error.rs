//! What can go wrong, the errno the kernel gets for it and how loudly it is logged.

use crate::format::Corrupt;
use crate::sys::Errno;

/// The result of a file system operation.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system (or a rule of the file system) said no.
    #[error("{0}")]
    Os(#[from] Errno),
    /// Bytes on disk do not authenticate or make no sense.
    #[error("inode {ino}: {what}")]
    Corrupt {
        /// The backing inode that holds them.
        ino: u64,
        /// What is wrong with them.
        what: Corrupt,
    },
}

/// How loudly an error is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everyday answers, such as "no such file".
    Debug,
    /// Something the owner of the vault should know.
    Warn,
}

impl Error {
    /// The errno that the calling program gets.
    pub fn errno(&self) -> Errno {
        match self {
            Error::Os(errno) => *errno,
            Error::Corrupt { .. } => Errno::IO,
        }
    }

    /// How loudly this error is logged.
    pub fn level(&self) -> LogLevel {
        match self {
            Error::Corrupt { .. } | Error::Os(Errno::IO | Errno::MFILE | Errno::NFILE) => {
                LogLevel::Warn
            }
            Error::Os(_) => LogLevel::Debug,
        }
    }
}
