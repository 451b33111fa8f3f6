//! A name that nobody uses, whose object is removed again unless it is moved to its place.

use crate::crypto::random;
use crate::sys::{Dir, Errno, Result};
use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;

/// What is made under this name goes when the value goes.
pub(super) struct Temporary<'a> {
    dir: &'a Dir,
    name: OsString,
    moved: Cell<bool>,
}

impl<'a> Temporary<'a> {
    /// Chooses a name in `dir`. Nothing is made yet.
    pub(super) fn new(dir: &'a Dir) -> Temporary<'a> {
        let mut bytes = [0; 8];
        random::fill(&mut bytes);
        let mut name = String::from(".gocryptfs-clone.");
        for byte in bytes {
            let _ = write!(name, "{byte:02x}");
        }
        Temporary {
            dir,
            name: name.into(),
            moved: Cell::new(false),
        }
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// The object has got its final name.
    pub(super) fn has_moved(&self) {
        self.moved.set(true);
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.moved.get() {
            // What cannot be removed stays, under a name that tells where it comes from.
            let _ = remove(self.dir, &self.name);
        }
    }
}

fn remove(dir: &Dir, name: &OsStr) -> Result<()> {
    match dir.unlink(name) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        done => return done,
    }
    // The clone of a directory may have been closed to its owner already.
    let _ = dir.chmod(name, 0o700);
    let inner = dir.open_dir(name)?;
    for entry in inner.names()? {
        remove(&inner, &entry)?;
    }
    dir.rmdir(name)
}
