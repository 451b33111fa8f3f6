//! The table of nodes: which places (parent and backing name) lead to which object.
//!
//! A node is kept while the kernel holds lookups of it. The names of one hard-linked file share
//! one node, so a node may have several places; a removed object that is still open has none.
//!
//! The kernel may hold a node for every file of a volume, so they are small (see `slot`).

mod slot;

use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::sys::{self, FileKey};
use crate::tree::NodeId;
use crate::tree::inomap::{Identity, InoMap};
use slot::{Node, Slots};

/// Where a node can be reached: a name in the directory of another node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place<N> {
    /// The node of the directory.
    pub parent: NodeId,
    /// The name in the backing directory.
    pub name: N,
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRef {
    /// The node.
    pub id: NodeId,
    /// The number of its object, which is that of the node unless another name took it first.
    pub ino: u64,
    /// Its generation: a number that was used before for another object gets a new one.
    pub generation: u64,
}

/// The table of nodes, shared by all threads.
pub struct Nodes<N> {
    table: Mutex<Table<N>>,
    hasher: RandomState,
    /// Whether each name has a node of its own.
    unshared: bool,
}

struct Table<N> {
    slots: Slots<N>,
    numbers: InoMap,
}

impl<N: Clone + Eq + Hash> Nodes<N> {
    /// A table with nothing but the root in it.
    pub fn new(root: FileKey, unshared: bool) -> Nodes<N> {
        let mut slots = Slots::default();
        slots.insert(NodeId::ROOT).count_lookup();
        Nodes {
            table: Mutex::new(Table {
                slots,
                numbers: InoMap::new(root),
            }),
            hasher: RandomState::new(),
            unshared,
        }
    }

    /// Records that `place` leads to an object and counts one lookup of its node.
    pub fn remember(&self, place: Place<N>, object: impl Into<Identity>) -> NodeRef {
        self.remember_as(place, object.into(), self.unshared)
    }

    /// As [`Nodes::remember`]; a place that is new gets a node of its own if `unshared`.
    pub fn remember_as(&self, place: Place<N>, identity: Identity, unshared: bool) -> NodeRef {
        let hash = self.hasher.hash_one(&place);
        let Table { slots, numbers } = &mut *self.table.lock();
        let known = slots.at(hash, &place);
        let number = numbers.number(identity);
        let id = match known {
            Some(id) if numbers.identity(id) == Some(identity) => id,
            _ if unshared && slots.get(number).is_some() => numbers.unique(identity),
            _ => number,
        };
        if known != Some(id)
            && let Some(stale) = known
        {
            slots.detach(hash, &place, stale);
        }
        let node = slots.insert(id);
        let is_reused = node.places().is_empty() && node.is_known();
        node.count_lookup();
        if is_reused {
            node.generation += 1;
        }
        let generation = node.generation.into();
        // Where it was found just now is where it will be looked for first.
        if node.places().last() != Some(&place) {
            slots.attach(hash, place, id);
        }
        NodeRef {
            id,
            ino: number.0,
            generation,
        }
    }

    /// The number that an object has or would get, without counting a lookup.
    pub fn number(&self, object: impl Into<Identity>) -> NodeId {
        self.table.lock().numbers.number(object.into())
    }

    /// Takes back `count` lookups; `true` if the node is gone with them.
    pub fn forget(&self, id: NodeId, count: u64) -> bool {
        let mut table = self.table.lock();
        let Table { slots, numbers } = &mut *table;
        let Some(node) = slots.get_mut(id) else {
            return false;
        };
        if node.take_back(count) || id == NodeId::ROOT {
            return false;
        }
        for place in node.places().to_vec() {
            slots.detach(self.hasher.hash_one(&place), &place, id);
        }
        slots.remove(id);
        numbers.forget(id);
        let is_less = slots.shrink();
        drop(table);
        if is_less {
            sys::process::return_free_memory();
        }
        true
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.table.lock().slots.len()
    }

    /// The object behind a node.
    pub fn key(&self, id: NodeId) -> Option<FileKey> {
        let table = self.table.lock();
        table.slots.get(id)?;
        table.numbers.identity(id).map(|identity| identity.key)
    }

    /// Where a node can be reached, the most recent place first.
    pub fn places(&self, id: NodeId) -> SmallVec<[Place<N>; 1]> {
        let table = self.table.lock();
        let places = table.slots.get(id).map_or(&[][..], Node::places);
        places.iter().rev().cloned().collect()
    }

    /// The most recent place of a node.
    pub fn place(&self, id: NodeId) -> Option<Place<N>> {
        let table = self.table.lock();
        table.slots.get(id)?.places().last().cloned()
    }

    /// The node that is known to be at `place`.
    pub fn at(&self, place: &Place<N>) -> Option<NodeId> {
        let hash = self.hasher.hash_one(place);
        self.table.lock().slots.at(hash, place)
    }

    /// Records that the name at `place` is gone; returns the node that was there.
    pub fn removed(&self, place: &Place<N>) -> Option<NodeId> {
        let hash = self.hasher.hash_one(place);
        let slots = &mut self.table.lock().slots;
        let id = slots.at(hash, place)?;
        slots.detach(hash, place, id);
        Some(id)
    }

    /// Records that what was at `from` is at `to` now; what was at `to` is gone.
    pub fn renamed(&self, from: &Place<N>, to: Place<N>) {
        let from_hash = self.hasher.hash_one(from);
        let to_hash = self.hasher.hash_one(&to);
        let slots = &mut self.table.lock().slots;
        if let Some(replaced) = slots.at(to_hash, &to) {
            slots.detach(to_hash, &to, replaced);
        }
        if let Some(moved) = slots.at(from_hash, from) {
            slots.detach(from_hash, from, moved);
            slots.attach(to_hash, to, moved);
        }
    }

    /// Records that what was at `one` and what was at `other` have swapped places.
    pub fn exchanged(&self, one: &Place<N>, other: &Place<N>) {
        let one_hash = self.hasher.hash_one(one);
        let other_hash = self.hasher.hash_one(other);
        let slots = &mut self.table.lock().slots;
        let at_one = slots.at(one_hash, one);
        let at_other = slots.at(other_hash, other);
        if let Some(id) = at_one {
            slots.detach(one_hash, one, id);
        }
        if let Some(id) = at_other {
            slots.detach(other_hash, other, id);
            slots.attach(one_hash, one.clone(), id);
        }
        if let Some(id) = at_one {
            slots.attach(other_hash, other.clone(), id);
        }
    }
}

#[cfg(test)]
mod tests;
