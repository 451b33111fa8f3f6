//! Paths as the user gives them: made absolute and clean by their text alone, so that a symlink
//! on the way keeps the name that the user knows.

use super::exit::{ExitCode, Failure};
use super::values::quoted;
use crate::sys::Dir;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// `path` without `.`, `..` and doubled slashes, starting at the root.
///
/// # Errors
/// The working directory of the process is gone.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_absolute() {
        return Ok(clean(path));
    }
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(
            ExitCode::Other,
            format!("Cannot find the working directory: {error}"),
        )
    })?;
    Ok(clean(&here.join(path)))
}

fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    cleaned
}

/// What a directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be the volume that it is.
    Volume,
    /// To become a volume.
    NewVolume,
    /// To become the mount point.
    Mountpoint,
}

/// Why a directory cannot be used.
#[derive(Debug)]
pub(crate) struct BadDir {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for BadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = quoted(&self.path);
        match self.error.kind() {
            ErrorKind::NotADirectory => write!(f, "{path} is not a directory"),
            _ => write!(f, "{path}: {}", self.error),
        }
    }
}

impl BadDir {
    /// The failure with this code, `what` being what the directory is for.
    pub(crate) fn failure(&self, code: ExitCode, what: Purpose) -> Failure {
        let name = match what {
            Purpose::Volume | Purpose::NewVolume => "cipherdir",
            Purpose::Mountpoint => "mountpoint",
        };
        let failure = Failure::new(code, format!("Invalid {name}: {self}"));
        match self.advice(what) {
            Some(advice) => failure.advise(advice),
            None => failure,
        }
    }

    fn new(path: &Path, error: impl Into<io::Error>) -> Self {
        Self {
            path: path.to_owned(),
            error: error.into(),
        }
    }

    /// What to do about it, if that is known.
    fn advice(&self, what: Purpose) -> Option<String> {
        let path = quoted(&self.path);
        Some(match (self.error.kind(), what) {
            (ErrorKind::NotFound, Purpose::Volume) => {
                "Is the path right, and is the disk mounted that it leads to?".to_owned()
            }
            (ErrorKind::NotFound, _) => format!("This makes it: mkdir {path}"),
            (ErrorKind::NotConnected, _) => format!(
                "A file system that has died is still mounted there. This removes it:\n\
                 fusermount3 -u {path}"
            ),
            _ => return None,
        })
    }
}

/// Fails unless `path` is a directory or leads to one.
///
/// # Errors
/// What is in the way.
pub(crate) fn check_dir(path: &Path) -> Result<(), BadDir> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(BadDir::new(path, ErrorKind::NotADirectory)),
        Err(error) => Err(BadDir::new(path, error)),
    }
}

/// Whether the directory at `path` has no entries.
///
/// # Errors
/// It cannot be read.
pub(crate) fn is_empty_dir(path: &Path) -> Result<bool, BadDir> {
    let empty = Dir::open(path).and_then(|dir| dir.is_empty());
    empty.map_err(|errno| BadDir::new(path, errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_their_text() {
        let cleaned = |text: &str| absolute(Path::new(text)).unwrap();
        assert_eq!(cleaned("/a//b/./c/../d/"), Path::new("/a/b/d"));
        assert_eq!(cleaned("/../.."), Path::new("/"));
        assert_eq!(cleaned("x/.."), std::env::current_dir().unwrap());
    }

    #[test]
    fn only_a_directory_passes_for_one() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_dir(dir.path()).is_ok());
        let missing = check_dir(&dir.path().join("missing")).unwrap_err();
        let advice = missing.advice(Purpose::Mountpoint).unwrap();
        assert!(advice.starts_with("This makes it: mkdir \"/"), "{advice}");
        let advice = missing.advice(Purpose::Volume).unwrap();
        assert!(advice.starts_with("Is the path right"), "{advice}");
        let device = check_dir(Path::new("/dev/null")).unwrap_err();
        assert_eq!(device.to_string(), "\"/dev/null\" is not a directory");
        assert_eq!(device.advice(Purpose::NewVolume), None);
    }
}
