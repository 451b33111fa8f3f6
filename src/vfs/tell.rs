//! Telling the owner of a volume what went wrong with it: in words, and as fields for logs that
//! keep them. No plain name is told.

use std::path::Path;

use tracing::warn;

use crate::format::Corrupt;
use crate::vfs::{Error, LogLevel};

/// Tells of an error, unless it is an everyday answer. `disk_path` finds the path on disk of an
/// inode there.
pub(super) fn tell<P: AsRef<Path>>(
    operation: &str,
    error: &Error,
    disk_path: impl FnOnce(u64) -> Option<P>,
) {
    if error.level() == LogLevel::Debug {
        return;
    }
    let (inode, block) = match error {
        Error::Corrupt { ino, what } => match what {
            Corrupt::Block { no, .. } => (Some(*ino), Some(no.0)),
            _ => (Some(*ino), None),
        },
        Error::Os(_) => (None, None),
    };
    let path = inode.and_then(disk_path);
    let path = path.as_ref().map(|path| path.as_ref().display());
    warn!(
        operation,
        inode,
        block,
        errno = error.errno().raw_os_error(),
        encrypted_path = path.map(tracing::field::display),
        "{operation}: {error}"
    );
}
