//! The table of nodes: which places (parent and backing name) lead to which object.
//!
//! A node is kept while the kernel holds lookups of it. The names of one hard-linked file share
//! one node, so a node may have several places; a removed object that is still open has none.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use hashbrown::HashTable;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::sys::FileKey;
use crate::tree::NodeId;
use crate::tree::inomap::{Identity, InoMap};

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

/// A table for so many nodes is not worth making smaller.
const SMALL: usize = 1 << 12;

/// The table of nodes, shared by all threads.
pub struct Nodes<N> {
    table: Mutex<Table<N>>,
    hasher: RandomState,
    /// Whether each name has a node of its own.
    unshared: bool,
}

struct Table<N> {
    nodes: HashMap<NodeId, Node<N>>,
    by_place: HashTable<Indexed>,
    numbers: InoMap,
}

struct Node<N> {
    identity: Identity,
    generation: u64,
    lookups: u64,
    gone: bool,
    places: SmallVec<[Place<N>; 1]>,
}

struct Indexed {
    hash: u64,
    id: NodeId,
}

impl<N: Clone + Eq + Hash> Nodes<N> {
    /// A table with nothing but the root in it.
    pub fn new(root: FileKey, unshared: bool) -> Nodes<N> {
        let root_node = Node {
            identity: root.into(),
            generation: 1,
            lookups: 1,
            gone: false,
            places: SmallVec::new(),
        };
        Nodes {
            table: Mutex::new(Table {
                nodes: HashMap::from([(NodeId::ROOT, root_node)]),
                by_place: HashTable::new(),
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
        let table = &mut *self.table.lock();
        let known = table.find(hash, &place);
        let number = table.numbers.number(identity);
        let id = match known {
            Some(id) if table.nodes.get(&id).is_some_and(|n| n.identity == identity) => id,
            _ if unshared && table.nodes.contains_key(&number) => table.numbers.unique(),
            _ => number,
        };
        if known != Some(id) {
            if let Some(stale) = known {
                table.detach(hash, &place, stale);
            }
            table
                .by_place
                .insert_unique(hash, Indexed { hash, id }, |e| e.hash);
        }
        let node = table.nodes.entry(id).or_insert_with(|| Node {
            identity,
            generation: 1,
            lookups: 0,
            gone: false,
            places: SmallVec::new(),
        });
        if node.gone {
            node.gone = false;
            node.generation += 1;
        }
        // Where it was found just now is where it will be looked for first.
        if node.places.last() != Some(&place) {
            node.places.retain(|known| *known != place);
            node.places.push(place);
        }
        node.lookups += 1;
        NodeRef {
            id,
            ino: number.0,
            generation: node.generation,
        }
    }

    /// The number that an object has or would get, without counting a lookup.
    pub fn number(&self, object: impl Into<Identity>) -> NodeId {
        self.table.lock().numbers.number(object.into())
    }

    /// Takes back `count` lookups; `true` if the node is gone with them.
    pub fn forget(&self, id: NodeId, count: u64) -> bool {
        let table = &mut *self.table.lock();
        let Some(node) = table.nodes.get_mut(&id) else {
            return false;
        };
        node.lookups = node.lookups.saturating_sub(count);
        if node.lookups > 0 || id == NodeId::ROOT {
            return false;
        }
        let places = std::mem::take(&mut node.places);
        for place in &places {
            table.unindex(self.hasher.hash_one(place), id);
        }
        table.nodes.remove(&id);
        table.shrink();
        true
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.table.lock().nodes.len()
    }

    /// The object behind a node.
    pub fn key(&self, id: NodeId) -> Option<FileKey> {
        self.table
            .lock()
            .nodes
            .get(&id)
            .map(|node| node.identity.key)
    }

    /// Where a node can be reached, the most recent place first.
    pub fn places(&self, id: NodeId) -> SmallVec<[Place<N>; 1]> {
        let table = self.table.lock();
        let places = table.nodes.get(&id).map(|node| &node.places);
        places.map_or_else(SmallVec::new, |p| p.iter().rev().cloned().collect())
    }

    /// The most recent place of a node.
    pub fn place(&self, id: NodeId) -> Option<Place<N>> {
        let table = self.table.lock();
        table.nodes.get(&id)?.places.last().cloned()
    }

    /// The node that is known to be at `place`.
    pub fn at(&self, place: &Place<N>) -> Option<NodeId> {
        let hash = self.hasher.hash_one(place);
        self.table.lock().find(hash, place)
    }

    /// Records that the name at `place` is gone; returns the node that was there.
    pub fn removed(&self, place: &Place<N>) -> Option<NodeId> {
        let hash = self.hasher.hash_one(place);
        let table = &mut *self.table.lock();
        let id = table.find(hash, place)?;
        table.detach(hash, place, id);
        Some(id)
    }

    /// Records that what was at `from` is at `to` now; what was at `to` is gone.
    pub fn renamed(&self, from: &Place<N>, to: Place<N>) {
        let from_hash = self.hasher.hash_one(from);
        let to_hash = self.hasher.hash_one(&to);
        let table = &mut *self.table.lock();
        if let Some(replaced) = table.find(to_hash, &to) {
            table.detach(to_hash, &to, replaced);
        }
        if let Some(moved) = table.find(from_hash, from) {
            table.detach(from_hash, from, moved);
            table.attach(to_hash, to, moved);
        }
    }

    /// Records that what was at `one` and what was at `other` have swapped places.
    pub fn exchanged(&self, one: &Place<N>, other: &Place<N>) {
        let one_hash = self.hasher.hash_one(one);
        let other_hash = self.hasher.hash_one(other);
        let table = &mut *self.table.lock();
        let at_one = table.find(one_hash, one);
        let at_other = table.find(other_hash, other);
        if let Some(id) = at_one {
            table.detach(one_hash, one, id);
        }
        if let Some(id) = at_other {
            table.detach(other_hash, other, id);
            table.attach(one_hash, one.clone(), id);
        }
        if let Some(id) = at_one {
            table.attach(other_hash, other.clone(), id);
        }
    }
}

impl<N: Clone + Eq + Hash> Table<N> {
    /// Makes the table smaller when most of the nodes that there once were are gone.
    fn shrink(&mut self) {
        let wanted = self.nodes.len().max(SMALL) * 2;
        if self.nodes.capacity() > 4 * wanted {
            self.nodes.shrink_to(wanted);
            self.by_place.shrink_to(wanted, |entry| entry.hash);
        }
    }

    fn find(&self, hash: u64, place: &Place<N>) -> Option<NodeId> {
        let found = self.by_place.find(hash, |entry| {
            entry.hash == hash
                && self
                    .nodes
                    .get(&entry.id)
                    .is_some_and(|node| node.places.contains(place))
        });
        found.map(|entry| entry.id)
    }

    fn attach(&mut self, hash: u64, place: Place<N>, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.gone = false;
            node.places.push(place);
            self.by_place
                .insert_unique(hash, Indexed { hash, id }, |e| e.hash);
        }
    }

    fn detach(&mut self, hash: u64, place: &Place<N>, id: NodeId) {
        self.unindex(hash, id);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.places.retain(|known| known != place);
            node.gone = node.places.is_empty();
        }
    }

    fn unindex(&mut self, hash: u64, id: NodeId) {
        let same = |entry: &Indexed| entry.hash == hash && entry.id == id;
        if let Ok(entry) = self.by_place.find_entry(hash, same) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests;
