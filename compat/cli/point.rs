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

    /// Source, type and options in the list of mounts.
    pub(crate) fn line(&self) -> Option<[String; 3]> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = mounts
            .lines()
            .find(|line| line.split(' ').nth(1) == self.0.to_str())?;
        let words: Vec<&str> = line.split(' ').collect();
        Some([words[0], words[2], words[3]].map(str::to_owned))
    }

    /// Type and options in the list of mounts, the latter without those that depend on the
    /// version of the program.
    pub(crate) fn shown(&self) -> Option<String> {
        let [_, kind, options] = self.line()?;
        let options = options.split(',');
        let options: Vec<&str> = options
            .filter(|option| !option.starts_with("max_read="))
            .collect();
        Some(format!("{kind} {}", options.join(",")))
    }

    /// The size of the largest read request.
    pub(crate) fn max_read(&self) -> Option<String> {
        let [.., options] = self.line()?;
        let value = options
            .split(',')
            .find_map(|option| option.strip_prefix("max_read="));
        value.map(str::to_owned)
    }

    /// Waits until the program answers: it cannot be unmounted in peace before.
    pub(crate) fn wait_for_answer(&self) {
        rustix::fs::statfs(&self.0).unwrap();
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
