//! A walk over an object and all that is in it, depth first. One descriptor a level is open,
//! however many entries there are.

use std::collections::VecDeque;
use std::sync::Arc;

use super::fault::Fault;
use super::object::{Entry, Object};
use crate::vault::{CipherDir, Vault};

/// The order of the entries of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By their plain names.
    Names,
    /// By their inode numbers, which mostly is the order of their content on the disk.
    Inodes,
}

/// What a walk comes upon.
pub enum Step {
    /// A directory; what is in it follows, then [`Step::Leave`].
    Enter(Object),
    /// The end of a directory.
    Leave(Object),
    /// Anything else.
    Other(Object),
    /// What cannot be read.
    Fault(Fault),
}

/// A walk.
pub struct Walk<'a> {
    vault: &'a Vault,
    order: Order,
    levels: Vec<Level>,
    /// What comes before the walk goes on.
    ready: VecDeque<Step>,
}

struct Level {
    object: Object,
    /// The directory and its entries, if it can be read.
    open: Option<(Arc<CipherDir>, std::vec::IntoIter<Entry>)>,
}

impl<'a> Walk<'a> {
    /// A walk that begins with `start`.
    pub fn new(vault: &'a Vault, start: Object, order: Order) -> Walk<'a> {
        let mut walk = Walk {
            vault,
            order,
            levels: Vec::new(),
            ready: VecDeque::new(),
        };
        walk.come_upon(start);
        walk
    }

    fn come_upon(&mut self, object: Object) {
        if !object.stat.is_dir() {
            return self.ready.push_back(Step::Other(object));
        }
        self.ready.push_back(Step::Enter(object.clone()));
        let open = self.open(&object);
        self.levels.push(Level { object, open });
    }

    fn open(&mut self, object: &Object) -> Option<(Arc<CipherDir>, std::vec::IntoIter<Entry>)> {
        let mut report = |fault| self.ready.push_back(Step::Fault(fault));
        let read = object.open_dir(self.vault).and_then(|dir| {
            let entries = object.entries(self.vault, &dir, &mut report)?;
            Ok((dir, entries))
        });
        match read {
            Ok((dir, mut entries)) => {
                self.order.sort(&mut entries);
                Some((dir, entries.into_iter()))
            }
            Err(error) => {
                report(object.fault(error));
                None
            }
        }
    }
}

impl Order {
    /// Puts entries into this order.
    pub fn sort(self, entries: &mut [Entry]) {
        match self {
            Order::Names => entries.sort_unstable_by(|one, other| one.name.cmp(&other.name)),
            Order::Inodes => entries.sort_by_key(|entry| entry.ino),
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Some(step);
            }
            let level = self.levels.last_mut()?;
            let next = level.open.as_mut().and_then(|(dir, entries)| {
                let Entry { name, backing, .. } = entries.next()?;
                Some(level.object.child(self.vault, dir, &name, backing))
            });
            match next {
                Some(Ok(object)) => self.come_upon(object),
                Some(Err(fault)) => self.ready.push_back(Step::Fault(fault)),
                None => return self.levels.pop().map(|level| Step::Leave(level.object)),
            }
        }
    }
}
