//! The nodes themselves, found by number or by place, in as little memory as that takes.
//!
//! A node is 48 bytes and its name; the two indices hold positions of nodes. With 200,000 nodes of
//! short names that is less than 20 MB.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::slice;

use hashbrown::HashTable;
use slab::Slab;

use super::Place;
use crate::tree::NodeId;

/// Fewer nodes than this are not worth moving together.
const SMALL: usize = 4096;

/// What the kernel holds.
pub(super) struct Node<N> {
    id: NodeId,
    lookups: u32,
    /// How many objects had this number, and are gone.
    pub(super) generation: u32,
    places: Places<N>,
}

/// Nearly every node has one place. The most recent one is the last.
enum Places<N> {
    One(Place<N>),
    /// Several, or none.
    Other(Option<Box<Several<N>>>),
}

struct Several<N>(Vec<Place<N>>);

/// The nodes of a table.
pub(super) struct Slots<N> {
    nodes: Slab<Node<N>>,
    by_id: HashTable<u32>,
    by_place: HashTable<Indexed>,
    hasher: RandomState,
}

/// That a place which has this hash is one of the places of a node.
struct Indexed {
    hash: u32,
    slot: u32,
}

impl<N> Default for Slots<N> {
    fn default() -> Slots<N> {
        Slots {
            nodes: Slab::new(),
            by_id: HashTable::new(),
            by_place: HashTable::new(),
            hasher: RandomState::new(),
        }
    }
}

impl<N: PartialEq> Slots<N> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node by its number.
    pub(super) fn get(&self, id: NodeId) -> Option<&Node<N>> {
        self.nodes.get(self.slot(id)?)
    }

    /// As [`Slots::get`].
    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node<N>> {
        let slot = self.slot(id)?;
        self.nodes.get_mut(slot)
    }

    /// The node with a number, made if there is none.
    pub(super) fn insert(&mut self, id: NodeId) -> &mut Node<N> {
        let slot = self.slot(id).unwrap_or_else(|| {
            let slot = self.nodes.insert(Node {
                id,
                lookups: 0,
                generation: 1,
                places: Places::Other(None),
            });
            let (nodes, hasher) = (&self.nodes, &self.hasher);
            let hash = |slot: &u32| hasher.hash_one(nodes[wide(*slot)].id);
            self.by_id
                .insert_unique(hasher.hash_one(id), narrow(slot), hash);
            slot
        });
        &mut self.nodes[slot]
    }

    /// Removes a node that has no places.
    pub(super) fn remove(&mut self, id: NodeId) {
        let same = |slot: &u32| self.nodes[wide(*slot)].id == id;
        if let Ok(entry) = self.by_id.find_entry(self.hasher.hash_one(id), same) {
            self.nodes.remove(wide(entry.remove().0));
        }
    }

    /// The node at a place that has this hash.
    pub(super) fn at(&self, hash: u64, place: &Place<N>) -> Option<NodeId> {
        let hash = Indexed::hash(hash);
        let node = |entry: &Indexed| &self.nodes[wide(entry.slot)];
        let found = self.by_place.find(spread(hash), |entry| {
            entry.hash == hash && node(entry).places().contains(place)
        });
        found.map(|entry| node(entry).id)
    }

    /// Adds a place, which has this hash, to a node, as its most recent one.
    pub(super) fn attach(&mut self, hash: u64, place: Place<N>, id: NodeId) {
        if let Some(slot) = self.slot(id) {
            // The index must not lead to one place twice, for it leaves once.
            self.detach_from(slot, hash, &place);
            self.nodes[slot].places.push(place);
            let hash = Indexed::hash(hash);
            let slot = narrow(slot);
            let entry = Indexed { hash, slot };
            self.by_place
                .insert_unique(spread(hash), entry, |entry| spread(entry.hash));
        }
    }

    /// Takes a place, which has this hash, from a node if it has it.
    pub(super) fn detach(&mut self, hash: u64, place: &Place<N>, id: NodeId) {
        if let Some(slot) = self.slot(id) {
            self.detach_from(slot, hash, place);
        }
    }

    fn detach_from(&mut self, slot: usize, hash: u64, place: &Place<N>) {
        if self.nodes[slot].places.remove(place) {
            let (hash, slot) = (Indexed::hash(hash), narrow(slot));
            let same = |entry: &Indexed| entry.hash == hash && entry.slot == slot;
            if let Ok(entry) = self.by_place.find_entry(spread(hash), same) {
                entry.remove();
            }
        }
    }

    /// Moves the nodes together if most of the memory for them is unused; `true` if so.
    pub(super) fn shrink(&mut self) -> bool {
        if self.nodes.capacity() <= SMALL || self.nodes.len() > self.nodes.capacity() / 4 {
            return false;
        }
        let mut moved = HashMap::new();
        self.nodes.compact(|_, from, to| {
            moved.insert(narrow(from), narrow(to));
            true
        });
        let slots = self.by_id.iter_mut();
        for slot in slots.chain(self.by_place.iter_mut().map(|entry| &mut entry.slot)) {
            *slot = moved.get(slot).copied().unwrap_or(*slot);
        }
        self.nodes.shrink_to_fit();
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.by_id
            .shrink_to_fit(|slot| hasher.hash_one(nodes[wide(*slot)].id));
        self.by_place.shrink_to_fit(|entry| spread(entry.hash));
        true
    }

    fn slot(&self, id: NodeId) -> Option<usize> {
        let same = |slot: &u32| self.nodes[wide(*slot)].id == id;
        let found = self.by_id.find(self.hasher.hash_one(id), same);
        found.map(|slot| wide(*slot))
    }
}

impl<N> Node<N> {
    /// Where it can be reached, the most recent place last.
    pub(super) fn places(&self) -> &[Place<N>] {
        self.places.all()
    }

    /// Whether the kernel holds it.
    pub(super) fn is_known(&self) -> bool {
        self.lookups > 0
    }

    /// Counts a lookup. Who is looked up more often than can be counted is never forgotten.
    pub(super) fn count_lookup(&mut self) {
        self.lookups = self.lookups.saturating_add(1);
    }

    /// Takes lookups back; whether any are left.
    pub(super) fn take_back(&mut self, count: u64) -> bool {
        if self.lookups != u32::MAX {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.lookups = self.lookups.saturating_sub(count);
        }
        self.is_known()
    }
}

impl<N> Places<N> {
    fn all(&self) -> &[Place<N>] {
        match self {
            Places::One(place) => slice::from_ref(place),
            Places::Other(Some(several)) => &several.0,
            Places::Other(None) => &[],
        }
    }

    /// All of them, to be changed and put back by [`Places::set`].
    fn take(&mut self) -> Vec<Place<N>> {
        match std::mem::replace(self, Places::Other(None)) {
            Places::One(place) => vec![place],
            Places::Other(several) => several.map_or_else(Vec::new, |several| several.0),
        }
    }

    fn set(&mut self, mut places: Vec<Place<N>>) {
        *self = match places.pop() {
            None => Places::Other(None),
            Some(only) if places.is_empty() => Places::One(only),
            Some(last) => {
                places.push(last);
                Places::Other(Some(Box::new(Several(places))))
            }
        };
    }

    fn push(&mut self, place: Place<N>) {
        if self.all().is_empty() {
            *self = Places::One(place);
        } else {
            let mut places = self.take();
            places.push(place);
            self.set(places);
        }
    }
}

impl<N: PartialEq> Places<N> {
    /// Removes a place; whether it was there.
    fn remove(&mut self, place: &Place<N>) -> bool {
        let was_there = self.all().contains(place);
        if was_there {
            let mut places = self.take();
            places.retain(|known| known != place);
            self.set(places);
        }
        was_there
    }
}

impl Indexed {
    /// As much of a hash as is kept.
    fn hash(hash: u64) -> u32 {
        let [.., a, b, c, d] = hash.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// What is kept of a hash as one that differs at both ends, which is where a table looks.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

fn narrow(slot: usize) -> u32 {
    u32::try_from(slot).expect("memory ends before four billion nodes")
}

fn wide(slot: u32) -> usize {
    usize::try_from(slot).expect("a position in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_takes_48_bytes() {
        assert_eq!(size_of::<Option<Node<Box<str>>>>(), 48);
    }

    #[test]
    fn nodes_are_found_after_they_have_moved_together() {
        let mut slots = Slots::default();
        let place = |ino| Place {
            parent: NodeId::ROOT,
            name: ino,
        };
        for ino in 0..10_000 {
            slots.insert(NodeId(ino)).count_lookup();
            slots.attach(ino * 77, place(ino), NodeId(ino));
        }
        for ino in (0..10_000).filter(|ino| ino % 10 != 3) {
            slots.detach(ino * 77, &place(ino), NodeId(ino));
            slots.remove(NodeId(ino));
        }
        assert!(slots.shrink() && !slots.shrink());
        assert_eq!(slots.nodes.capacity(), 1000);
        for ino in 0..10_000 {
            let is_there = ino % 10 == 3;
            assert_eq!(slots.get(NodeId(ino)).is_some(), is_there);
            let found = slots.at(ino * 77, &place(ino));
            assert_eq!(found, is_there.then_some(NodeId(ino)));
        }
    }
}
