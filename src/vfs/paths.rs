//! Whole paths in place of nodes, and figures, for those who ask about a mounted file system from
//! outside.

use std::path::{Path, PathBuf};

use crate::vfs::{Figures, Result};

/// Both sides of a path: what it is called in the mount, and what in the backing directory.
///
/// Paths are relative to the top, are not empty, and hold neither `.` nor `..`.
pub trait Paths: Send + Sync + 'static {
    /// The encrypted form of a plain path. All but its last component must exist, where that
    /// takes part in the encryption.
    fn encrypt_path(&self, plain: &Path) -> Result<PathBuf>;

    /// The plain form of an encrypted path.
    fn decrypt_path(&self, encrypted: &Path) -> Result<PathBuf>;

    /// What it has done so far, as far as it knows.
    fn figures(&self) -> Figures {
        Figures::default()
    }
}
