//! From a plain path to an object. Symlinks are followed inside the vault only: the mount point,
//! against which a path from the root would count, does not exist.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use super::fault::{Cause, Fault};
use super::object::Object;
use crate::sys::Errno;
use crate::vault::{BackingName, Vault};

/// As many symlinks as the kernel follows, see `path_resolution(7)`.
const LINKS: usize = 40;

/// Finds what is at `path`, relative to the top of the vault; a leading slash does not matter. A
/// symlink at the end is followed if `follow`.
///
/// # Errors
/// A fault of what is missing or damaged on the way: [`Cause::is_absence`] tells the two apart.
/// `EXDEV` if the path or a symlink leads out of the vault.
pub fn find(vault: &Vault, path: &Path, follow: bool) -> Result<Object, Fault> {
    let at_path = |cause: Cause| cause.at(Path::new(""), path);
    let top = Object::top(vault).map_err(|error| at_path(error.into()))?;
    let mut above: Vec<Object> = Vec::new();
    let mut here = top;
    let mut names = steps(path);
    let mut links = 0;
    while let Some(name) = names.pop() {
        if name == ".." {
            here = above.pop().ok_or_else(|| at_path(Errno::XDEV.into()))?;
            continue;
        }
        let next = look_up(vault, &here, &name)?;
        if !next.stat.is_symlink() || (names.is_empty() && !follow) {
            above.push(std::mem::replace(&mut here, next));
            continue;
        }
        links += 1;
        if links > LINKS {
            return Err(next.fault(Errno::LOOP));
        }
        let target = next.target(vault).map_err(|error| next.fault(error))?;
        let target = Path::new(OsStr::from_bytes(&target));
        if target.is_absolute() {
            return Err(next.fault(Errno::XDEV));
        }
        names.extend(steps(target));
    }
    Ok(here)
}

/// The names in a path and its `..`, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let steps = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut steps: Vec<_> = steps.collect();
    steps.reverse();
    steps
}

fn look_up(vault: &Vault, parent: &Object, name: &OsStr) -> Result<Object, Fault> {
    let dir = parent
        .open_dir(vault)
        .map_err(|error| parent.fault(error))?;
    match vault.encode(&dir, name) {
        Ok(stored) => parent.child(vault, &dir, name, BackingName::from(&stored)),
        Err(error) => Err(Cause::from(error).at(&parent.disk, &parent.plain.join(name))),
    }
}
