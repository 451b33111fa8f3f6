//! Where an object is: an open directory and a name in it.

use super::{NO_MOUNT, refused};
use crate::cli::exit::Failure;
use crate::sys::{Dir, Stat};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A directory, a name in it, and how the user calls the two together.
pub(super) struct Place {
    pub(super) dir: Dir,
    pub(super) name: OsString,
    pub(super) shown: PathBuf,
}

impl Place {
    /// The place that a path leads to; its last component need not exist and is not followed.
    pub(super) fn new(path: &Path) -> Result<Place, Failure> {
        if path.file_name().is_none() {
            return Self::resolved(path);
        }
        let above = Dir::open_above(path);
        let (dir, name) = above.map_err(|errno| refused(path, errno))?;
        Ok(Place {
            dir,
            name,
            shown: path.to_owned(),
        })
    }

    /// A place with all symlinks of its path followed, for paths like `..` that end in no name.
    fn resolved(path: &Path) -> Result<Place, Failure> {
        let real = path.canonicalize().map_err(|error| refused(path, error))?;
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(refused(path, NO_MOUNT));
        };
        Ok(Place {
            dir: Dir::open(parent).map_err(|errno| refused(path, errno))?,
            name: name.to_owned(),
            shown: path.to_owned(),
        })
    }

    /// The place of something to be cloned. A symlink is followed unless trees are cloned.
    pub(super) fn of_source(path: &Path, recursive: bool) -> Result<Place, Failure> {
        let place = Self::new(path)?;
        if !recursive && place.stat()?.is_symlink() {
            return Self::resolved(path);
        }
        Ok(place)
    }

    /// The place of the same name in the directory `parent`.
    pub(super) fn inside(parent: &Path, source: &Place) -> Result<Place, Failure> {
        let name = source.shown.file_name().unwrap_or(&source.name);
        Ok(Place {
            dir: Dir::open(parent).map_err(|errno| refused(parent, errno))?,
            name: name.to_owned(),
            shown: parent.join(name),
        })
    }

    /// The attributes of what is there.
    pub(super) fn stat(&self) -> Result<Stat, Failure> {
        let found = self.dir.stat_at(&self.name);
        found.map_err(|errno| refused(&self.shown, errno))
    }
}
