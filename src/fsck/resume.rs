//! What an interrupted check left to be done, looked up by path.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::ledger::{Checkpoint, Mark};

/// The marks of a checkpoint, each of which is taken once.
pub(super) struct Resume {
    dirs: Marks<OsString>,
    files: Marks<(u64, u64)>,
}

type Marks<W> = Mutex<HashMap<PathBuf, Mark<Vec<W>>>>;

impl Resume {
    pub(super) fn new(checkpoint: Option<&Checkpoint>) -> Resume {
        Resume {
            dirs: by_path(checkpoint.map(|from| &from.dirs[..])),
            files: by_path(checkpoint.map(|from| &from.files[..])),
        }
    }

    /// How far the directory at `path` had been done, if it had been begun.
    pub(super) fn dir(&self, path: &Path) -> Option<Mark<Vec<OsString>>> {
        self.dirs.lock().remove(path)
    }

    /// How far the large file at `path` had been done, if it had been begun.
    pub(super) fn file(&self, path: &Path) -> Option<Mark<Vec<(u64, u64)>>> {
        self.files.lock().remove(path)
    }
}

fn by_path<W: Clone>(marks: Option<&[Mark<Vec<W>>]>) -> Marks<W> {
    let marks = marks.unwrap_or_default().iter();
    Mutex::new(
        marks
            .map(|mark| (mark.path.clone(), mark.clone()))
            .collect(),
    )
}
