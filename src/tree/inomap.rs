//! From backing inodes to inode numbers that are unique in the mount and stable while it lasts.
//!
//! Numbers of the root's device pass through unchanged. Another device, or what is made up
//! beside the objects of one, gets the next free 15-bit prefix in front of its 48-bit numbers, so
//! that a number tells what it stands for; what does not fit is numbered one by one from 2^63 on.

use std::collections::HashMap;

use crate::sys::FileKey;
use crate::tree::NodeId;

const INO_BITS: u32 = 48;
const SPILL_BASE: u64 = 1 << 63;
const MAX_NAMESPACES: usize = 1 << 15;

/// What a number stands for: a backing object, or something that is made up beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The backing object.
    pub key: FileKey,
    /// 0 for the object itself; another number for each kind of thing beside it.
    pub role: u8,
}

impl From<FileKey> for Identity {
    fn from(key: FileKey) -> Identity {
        Identity { key, role: 0 }
    }
}

/// The map. Not synchronised: it lives behind the lock of the node table.
pub(super) struct InoMap {
    /// Device and role; the position is the prefix.
    namespaces: Vec<(u64, u8)>,
    spilled: HashMap<Identity, u64>,
    /// What numbers that do not tell stand for.
    made: HashMap<u64, Identity>,
    next_spill: u64,
}

impl InoMap {
    pub(super) fn new(root: FileKey) -> InoMap {
        InoMap {
            namespaces: vec![(root.dev, 0)],
            spilled: HashMap::new(),
            made: HashMap::from([(NodeId::ROOT.0, root.into())]),
            next_spill: SPILL_BASE,
        }
    }

    /// The number of anything but the root.
    pub(super) fn number(&mut self, identity: Identity) -> NodeId {
        let Identity { key, role } = identity;
        let fits = key.ino >> INO_BITS == 0;
        let number = self
            .namespace((key.dev, role))
            .map(|namespace| namespace << INO_BITS | key.ino);
        match number {
            // not 0, which is no number, and not the root's
            Some(number) if fits && number > NodeId::ROOT.0 => NodeId(number),
            _ => self.spill(identity),
        }
    }

    /// Another number for an object, for mounts that give each name its own node.
    pub(super) fn unique(&mut self, identity: Identity) -> NodeId {
        let number = self.next_spill;
        self.next_spill += 1;
        self.made.insert(number, identity);
        NodeId(number)
    }

    /// What a number stands for that was given out and not forgotten.
    pub(super) fn identity(&self, number: NodeId) -> Option<Identity> {
        if let Some(identity) = self.made.get(&number.0) {
            return Some(*identity);
        }
        let namespace = usize::try_from(number.0 >> INO_BITS).ok()?;
        let &(dev, role) = self.namespaces.get(namespace)?;
        let ino = number.0 & ((1 << INO_BITS) - 1);
        let key = FileKey { dev, ino };
        Some(Identity { key, role })
    }

    /// Nobody uses a number any more. Only one that was unique is given up.
    pub(super) fn forget(&mut self, number: NodeId) {
        if number.0 >= SPILL_BASE
            && let Some(identity) = self.made.get(&number.0)
            && self.spilled.get(identity) != Some(&number.0)
        {
            self.made.remove(&number.0);
        }
    }

    fn namespace(&mut self, wanted: (u64, u8)) -> Option<u64> {
        let found = self.namespaces.iter().position(|&known| known == wanted);
        let index = found.or_else(|| {
            (self.namespaces.len() < MAX_NAMESPACES).then(|| {
                self.namespaces.push(wanted);
                self.namespaces.len() - 1
            })
        })?;
        Some(index as u64)
    }

    fn spill(&mut self, identity: Identity) -> NodeId {
        if let Some(&number) = self.spilled.get(&identity) {
            return NodeId(number);
        }
        let number = self.unique(identity);
        self.spilled.insert(identity, number.0);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: FileKey = FileKey { dev: 5, ino: 2 };

    #[test]
    fn numbers_of_the_root_device_pass_through() {
        let mut map = InoMap::new(ROOT);
        assert_eq!(map.number(FileKey { dev: 5, ino: 77 }.into()), NodeId(77));
    }

    #[test]
    fn another_device_gets_a_prefix_of_its_own() {
        let mut map = InoMap::new(ROOT);
        let key = Identity::from(FileKey { dev: 9, ino: 0x77 });
        assert_eq!(map.number(key), NodeId(1 << 48 | 0x77));
        assert_eq!(map.number(key), NodeId(1 << 48 | 0x77));
    }

    #[test]
    fn only_the_first_device_must_not_use_the_numbers_of_the_root() {
        let mut map = InoMap::new(ROOT);
        let top = |dev| Identity::from(FileKey { dev, ino: 1 });
        assert_eq!(map.number(top(9)), NodeId(1 << 48 | 1));
        assert_eq!(map.number(top(5)), NodeId(SPILL_BASE));
    }

    #[test]
    fn a_number_tells_what_it_stands_for() {
        let mut map = InoMap::new(ROOT);
        assert_eq!(map.identity(NodeId::ROOT), Some(ROOT.into()));
        for (dev, ino, role) in [
            (5, 77, 0),
            (9, 77, 0),
            (5, 77, 3),
            (5, 1, 0),
            (9, 1 << 60, 0),
        ] {
            let key = FileKey { dev, ino };
            let identity = Identity { key, role };
            let number = map.number(identity);
            assert_eq!(map.identity(number), Some(identity));
            let other = map.unique(identity);
            assert_eq!(map.identity(other), Some(identity));
            map.forget(other);
            map.forget(number);
            assert_eq!(map.identity(other), None);
            assert_eq!(map.identity(number), Some(identity));
        }
    }

    #[test]
    fn a_thing_beside_an_object_gets_a_prefix_of_its_own() {
        let mut map = InoMap::new(ROOT);
        let key = FileKey { dev: 5, ino: 0x77 };
        let beside = Identity { key, role: 1 };
        assert_eq!(map.number(beside), NodeId(1 << 48 | 0x77));
        assert_eq!(map.number(key.into()), NodeId(0x77));
    }

    #[test]
    fn big_numbers_spill_and_stay_the_same() {
        let mut map = InoMap::new(ROOT);
        let big = Identity::from(FileKey {
            dev: 5,
            ino: 1 << 50,
        });
        let first = map.number(big);
        assert_eq!(first, NodeId(SPILL_BASE));
        assert_eq!(map.number(big), first);
    }

    #[test]
    fn inode_one_below_the_root_does_not_pose_as_the_root() {
        let mut map = InoMap::new(ROOT);
        assert_ne!(map.number(FileKey { dev: 5, ino: 1 }.into()), NodeId::ROOT);
    }
}
