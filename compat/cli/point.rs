//! Mount points of the command lines that mount.

use super::desk::Desk;
use crate::support::wait;
use rustix::mount::UnmountFlags;
use std::fs;
use std::path::{Path, PathBuf};

/// A mount point that is free again when this is dropped.
pub(crate) struct Point(PathBuf);

impl Point {
    pub(crate) fn new(desk: &Desk) -> Self {
        Self::at(desk.path("M"))
    }

    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Type and options in the list of mounts, the latter without those that depend on the
    /// version of the program.
    pub(crate) fn shown(&self) -> Option<String> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = mounts
            .lines()
            .find(|line| line.split(' ').nth(1) == self.0.to_str())?;
        let words: Vec<&str> = line.split(' ').collect();
        let options: Vec<&str> = words[3].split(',').collect();
        let options = options
            .iter()
            .filter(|option| !option.starts_with("max_read="));
        let options: Vec<&str> = options.copied().collect();
        Some(format!("{} {}", words[2], options.join(",")))
    }

    pub(crate) fn unmount(&self) {
        let done = wait::until(|| rustix::mount::unmount(&self.0, UnmountFlags::empty()).ok());
        assert!(done.is_some(), "{} stays busy", self.0.display());
    }
}

impl Drop for Point {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, UnmountFlags::DETACH);
    }
}
