//! Where an object is: an open directory and a name in it, and the paths that lead there.
//!
//! A directory stays open while something in it waits to be checked. Paths are put together only
//! for messages, never to reach a file.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use super::ledger::Ticket;
use crate::format::DirIv;
use crate::sys::Dir;

/// A directory.
pub(super) struct Place {
    /// Finished together with everything in the directory. In front of `spot`, for fields are
    /// dropped in this order: nothing is finished before what is in it.
    pub(super) ticket: Ticket,
    /// What it is part of; `None` for the top.
    pub(super) spot: Option<Spot>,
    pub(super) dir: Dir,
    /// The IV of the names in it, unless that is damaged.
    pub(super) iv: Option<DirIv>,
}

/// An entry of a directory.
#[derive(Clone)]
pub(super) struct Spot {
    pub(super) place: Arc<Place>,
    /// The name on disk.
    pub(super) disk: OsString,
    /// The plain name, if it could be decrypted.
    pub(super) plain: Option<OsString>,
}

impl Place {
    /// Whether this is the top directory of the volume.
    pub(super) fn is_top(&self) -> bool {
        self.spot.is_none()
    }

    /// Path in the encrypted directory.
    pub(super) fn path(&self) -> PathBuf {
        let names = self.spots().map(|spot| Some(spot.disk.as_os_str()));
        joined(names).unwrap_or_default()
    }

    /// Path as the user knows it.
    pub(super) fn plain_path(&self) -> Option<PathBuf> {
        joined(self.spots().map(|spot| spot.plain.as_deref()))
    }

    /// The entries that lead here, the last one first.
    fn spots(&self) -> impl Iterator<Item = &Spot> {
        std::iter::successors(self.spot.as_ref(), |spot| spot.place.spot.as_ref())
    }
}

impl Spot {
    pub(super) fn new(place: &Arc<Place>, disk: &OsStr, plain: Option<&OsStr>) -> Spot {
        Spot {
            place: Arc::clone(place),
            disk: disk.to_owned(),
            plain: plain.map(OsStr::to_owned),
        }
    }

    /// The backing inode number, 0 if it cannot be told.
    pub(super) fn ino(&self) -> u64 {
        let stat = self.place.dir.stat_at(&self.disk);
        stat.map_or(0, |stat| stat.key.ino)
    }

    /// Path in the encrypted directory.
    pub(super) fn path(&self) -> PathBuf {
        self.place.path().join(&self.disk)
    }

    /// Path as the user knows it.
    pub(super) fn plain_path(&self) -> Option<PathBuf> {
        Some(self.place.plain_path()?.join(self.plain.as_ref()?))
    }
}

fn joined<'a>(names: impl Iterator<Item = Option<&'a OsStr>>) -> Option<PathBuf> {
    let names: Option<Vec<&OsStr>> = names.collect();
    Some(names?.into_iter().rev().collect())
}
