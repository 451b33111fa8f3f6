//! What the kernel may name: nodes, the directories behind them, and handles of what is open.
//!
//! A node is a place (parent and backing name), not a descriptor: a descriptor for every node
//! would end in `EMFILE` on a big `find`. Generic over the backing name, so that nothing here
//! knows encryption.

mod dirs;
mod handles;
mod hit_count;
mod inomap;
mod nodes;

pub use dirs::DirCache;
pub use handles::{Handle, Handles};
pub use hit_count::HitCount;
pub use inomap::Identity;
pub use nodes::{NodeRef, Nodes, Place};

/// The name of a node in the FUSE protocol; also the inode number that programs see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The mount point, `FUSE_ROOT_ID`.
    pub const ROOT: NodeId = NodeId(1);
}
