//! What a mounted file system has done so far, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

/// The figures since the mount.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Age of the mount, seconds.
    pub seconds: u64,
    /// Requests by kind.
    pub operations: BTreeMap<&'static str, u64>,
    /// Plain bytes that programs have read, as far as the kernel had to ask for them.
    pub bytes_read: u64,
    /// Plain bytes that were written.
    pub bytes_written: u64,
    /// Copies that share storage with their source.
    pub clones: u64,
    /// Plain bytes that they share.
    pub bytes_cloned: u64,
    /// Requests that failed.
    pub errors: ErrorFigures,
    /// What did not have to be looked up.
    pub cache: CacheFigures,
}

/// Requests that failed, by reason.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ErrorFigures {
    /// What is on disk is damaged.
    pub corrupt: u64,
    /// The backing file system has reported an I/O error.
    pub io: u64,
    /// Anything else, mostly everyday answers such as "no such file".
    pub other: u64,
}

/// What did not have to be looked up.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct CacheFigures {
    /// Directories that were open already when they were needed.
    pub directories: Hits,
    /// Files that were open already when they were opened.
    pub open_files: Hits,
}

/// How often something was there already.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Hits {
    /// It was.
    pub hits: u64,
    /// It was not.
    pub misses: u64,
}

impl From<(u64, u64)> for Hits {
    fn from((hits, misses): (u64, u64)) -> Hits {
        Hits { hits, misses }
    }
}
