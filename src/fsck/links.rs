//! What has to be remembered of files that were checked: those that have more names, and, if
//! clones are of interest, the file IDs. Checkpoints do not have it: who goes on from one may check
//! such a file once more, by another of its names.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::format::FileId;
use crate::sys::{FileKey, Stat};

/// Files that will be met again.
pub(super) struct Links {
    /// How many more names of a file are to come.
    names: Mutex<HashMap<FileKey, u64>>,
    /// The file that has an ID; only if clones are of interest.
    ids: Option<Mutex<HashMap<FileId, FileKey>>>,
}

impl Links {
    pub(super) fn new(clones: bool) -> Links {
        Links {
            names: Mutex::default(),
            ids: clones.then(Mutex::default),
        }
    }

    /// Whether this file has not been met by another name.
    pub(super) fn is_new(&self, stat: &Stat) -> bool {
        if stat.nlink < 2 {
            return true;
        }
        let mut names = self.names.lock();
        match names.get_mut(&stat.key) {
            None => {
                names.insert(stat.key, stat.nlink - 1);
                true
            }
            Some(1) => {
                names.remove(&stat.key);
                false
            }
            Some(to_come) => {
                *to_come -= 1;
                false
            }
        }
    }

    /// Another file that has the same ID.
    pub(super) fn clone_of(&self, key: FileKey, id: FileId) -> Option<FileKey> {
        let first = *self.ids.as_ref()?.lock().entry(id).or_insert(key);
        (first != key).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_new_once_for_all_its_names() {
        let links = Links::new(false);
        let file = Stat {
            key: FileKey { dev: 1, ino: 2 },
            nlink: 3,
            ..Stat::default()
        };
        assert_eq!([(); 3].map(|()| links.is_new(&file)), [true, false, false]);
        assert!(links.names.lock().is_empty());
    }

    #[test]
    fn clones_are_told_apart_from_links() {
        let links = Links::new(true);
        let (one, other) = (FileKey { dev: 1, ino: 2 }, FileKey { dev: 1, ino: 3 });
        let id = FileId([7; 16]);
        assert_eq!(links.clone_of(one, id), None);
        assert_eq!(links.clone_of(one, id), None);
        assert_eq!(links.clone_of(other, id), Some(one));
        assert_eq!(links.clone_of(other, FileId([8; 16])), None);
        assert_eq!(Links::new(false).clone_of(other, id), None);
    }
}
