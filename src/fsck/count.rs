//! Counting what there is to do, ahead of the check itself: names and sizes, no content.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::links::Links;
use super::{Options, Progress};
use crate::format::DiskName;
use crate::sys::{self, Dir, DirStream, Errno, Kind};
use crate::vault::Vault;

struct Count<'a> {
    vault: &'a Vault,
    progress: &'a Progress,
    links: Links,
}

/// Counts files and their bytes until all are counted or `stopped` is set. What cannot be looked
/// at is left out; the check itself will say so.
pub(super) fn count(vault: &Vault, options: &Options, progress: &Progress, stopped: &AtomicBool) {
    let count = Count {
        vault,
        progress,
        links: Links::new(false),
    };
    let mut open = Vec::new();
    count.begin(options, &mut open);
    while let Some((dir, mut stream)) = open.pop() {
        if stopped.load(Ordering::Relaxed) {
            return;
        }
        let is_top = open.is_empty() && options.starts.is_empty();
        if let Some(inner) = count.up_to_a_directory(&dir, &mut stream, is_top) {
            open.push((dir, stream));
            open.push(inner);
        }
    }
    progress.counted();
}

impl Count<'_> {
    fn begin(&self, options: &Options, open: &mut Vec<(Dir, DirStream)>) {
        let top = || listed(self.vault.top(), OsStr::new("."));
        if options.starts.is_empty() {
            open.extend(top());
        }
        for start in &options.starts {
            let mut dir = top();
            for (disk, _) in &start.above {
                dir = dir.and_then(|(dir, _)| listed(&dir, disk));
            }
            match (&start.entry, dir) {
                (Some(name), Some((dir, _))) => {
                    open.extend(self.entry(&dir, name, Kind::Unknown, false));
                }
                (None, Some(dir)) => open.push(dir),
                (_, None) => {}
            }
        }
    }

    /// Counts entries until one is a directory that can be opened, which is then opened. `None`
    /// at the end.
    fn up_to_a_directory(
        &self,
        dir: &Dir,
        stream: &mut DirStream,
        is_top: bool,
    ) -> Option<(Dir, DirStream)> {
        while let Some(Ok(entry)) = stream.next_entry() {
            if entry.is_dots() {
                continue;
            }
            let inner = self.entry(dir, entry.name, entry.kind, is_top);
            if inner.is_some() {
                return inner;
            }
        }
        None
    }

    /// Counts an entry; of a directory, opens it.
    fn entry(&self, dir: &Dir, name: &OsStr, kind: Kind, is_top: bool) -> Option<(Dir, DirStream)> {
        match self.vault.classify(name, is_top) {
            DiskName::Config | DiskName::DirIv | DiskName::NameFile => return None,
            DiskName::Long(_) | DiskName::Short(_) => {}
        }
        match kind {
            Kind::Dir => return listed(dir, name),
            Kind::File | Kind::Unknown => {
                if self.file(dir, name) == Err(Errno::ISDIR) {
                    return listed(dir, name);
                }
            }
            _ => self.progress.expect(1, 0),
        }
        None
    }

    fn file(&self, dir: &Dir, name: &OsStr) -> sys::Result<()> {
        let stat = dir.stat_at(name)?;
        if stat.is_dir() {
            return Err(Errno::ISDIR);
        }
        let has_content = stat.is_file() && self.links.is_new(&stat);
        self.progress
            .expect(1, if has_content { stat.size } else { 0 });
        Ok(())
    }
}

fn listed(parent: &Dir, name: &OsStr) -> Option<(Dir, DirStream)> {
    let dir = parent.open_dir(name).ok()?;
    let stream = DirStream::open(&dir).ok()?;
    Some((dir, stream))
}
