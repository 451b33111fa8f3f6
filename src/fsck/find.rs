//! Finding what a path names: plain names and names on disk both lead there, also mixed.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::format::{DirIv, PlainName};
use crate::sys::{Dir, Errno};
use crate::vault::{Result, Vault};

/// Where a check begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The directories on the way there: names on disk, and plain names if known.
    pub above: Vec<(OsString, Option<OsString>)>,
    /// The name on disk of an entry of the last of them; `None` for the directory itself.
    pub entry: Option<OsString>,
}

impl Start {
    /// Finds an object. `path` is relative to the top of the volume, a leading slash does not
    /// matter.
    ///
    /// # Errors
    /// `ENOENT` if there is none; `EINVAL` if the path leads upwards; what opening the
    /// directories on the way says.
    pub fn find(vault: &Vault, path: &Path) -> Result<Start> {
        let mut start = Start::default();
        let mut dir = vault.top().open_dir(OsStr::new("."))?;
        let mut names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(Ok(name)),
            Component::ParentDir => Some(Err(Errno::INVAL)),
            _ => None,
        });
        let mut next = names.next().transpose()?;
        while let Some(name) = next {
            let iv = vault.read_iv(&dir).ok();
            let (disk, plain) = look_up(vault, &dir, iv.as_ref(), name)?;
            next = names.next().transpose()?;
            if next.is_none() {
                start.entry = Some(disk);
            } else {
                dir = dir.open_dir(&disk)?;
                start.above.push((disk, plain));
            }
        }
        Ok(start)
    }

    /// Leaves out what is in another start, so that nothing is checked twice.
    pub(super) fn outermost(starts: Vec<Start>) -> Vec<Start> {
        let mut starts: Vec<_> = starts.into_iter().map(|one| (one.path(), one)).collect();
        starts.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut kept: Vec<(PathBuf, Start)> = Vec::new();
        for (path, start) in starts {
            if !kept
                .last()
                .is_some_and(|(outer, _)| path.starts_with(outer))
            {
                kept.push((path, start));
            }
        }
        kept.into_iter().map(|(_, start)| start).collect()
    }

    /// Path in the encrypted directory.
    fn path(&self) -> PathBuf {
        let above = self.above.iter().map(|(disk, _)| disk);
        above.chain(&self.entry).collect()
    }
}

/// The name on disk, and the plain one if it can be told.
fn look_up(
    vault: &Vault,
    dir: &Dir,
    iv: Option<&DirIv>,
    name: &OsStr,
) -> Result<(OsString, Option<OsString>)> {
    if let (Some(iv), Ok(plain)) = (iv, PlainName::new(name)) {
        let stored = vault.names().encode(iv, &plain)?;
        if dir.stat_at(stored.disk()).is_ok() {
            return Ok((stored.disk().to_owned(), Some(name.to_owned())));
        }
    }
    dir.stat_at(name)?;
    let plain = iv.and_then(|iv| vault.plain_name(dir, iv, name));
    Ok((name.to_owned(), plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(path: &str) -> Start {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let entry = names.next_back().map(OsString::from);
        let above = names.map(|name| (name.into(), None)).collect();
        Start { above, entry }
    }

    #[test]
    fn a_start_in_another_one_is_left_out() {
        let kept = |paths: &[&str]| -> Vec<PathBuf> {
            let starts = paths.iter().map(|path| start(path)).collect();
            Start::outermost(starts).iter().map(Start::path).collect()
        };
        let paths = ["a/b", "ab", "a", "a/c/d", "a"];
        assert_eq!(kept(&paths), [Path::new("a"), Path::new("ab")]);
        assert_eq!(kept(&["a", "", "b"]), [Path::new("")]);
        assert_eq!(kept(&["a/b", "a/c"]).len(), 2);
    }
}
