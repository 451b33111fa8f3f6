//! Giving an object the attributes of another one.

use crate::reader::Attribute;
use crate::sys::process::effective_uid;
use crate::sys::{self, Dir, Errno, SetTime, Stat};
use std::ffi::OsStr;

/// Makes the entry `new` have the owner (for root), extended attributes, mode and times of the
/// original, in the order in which none of them takes another one back.
///
/// # Errors
/// The first that cannot be set; the others are.
pub(crate) fn set(stat: &Stat, attributes: &[Attribute], to: &Dir, new: &OsStr) -> sys::Result<()> {
    let mut done = Ok(());
    let mut step = |result: sys::Result<()>| {
        if done.is_ok() {
            done = result;
        }
    };
    if effective_uid() == 0 {
        step(to.chown(new, Some(stat.uid), Some(stat.gid)));
    }
    if !stat.is_symlink() {
        for (name, value) in attributes {
            step(set_attribute(to, new, name, value));
        }
        step(to.chmod(new, stat.mode & 0o7777));
    }
    step(to.set_times(new, SetTime::At(stat.atime), SetTime::At(stat.mtime)));
    done
}

fn set_attribute(to: &Dir, new: &OsStr, name: &OsStr, value: &[u8]) -> sys::Result<()> {
    match to.set_xattr(new, name, value, 0) {
        // Others belong to the system, which may keep them to itself.
        Err(Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP) if !is_of_user(name) => Ok(()),
        set => set,
    }
}

/// Whether an attribute belongs to the users, as against the system.
pub(crate) fn is_of_user(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"user.")
}
