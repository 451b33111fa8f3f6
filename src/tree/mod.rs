//! What the kernel may name: nodes, and the directories behind them.
//!
//! A node is a place (parent and backing name), not a descriptor: a descriptor for every node
//! would end in `EMFILE` on a big `find`. Generic over the backing name, so that nothing here
//! knows encryption.

mod dirs;
mod inomap;
mod nodes;

pub use dirs::DirCache;
pub use nodes::{NodeRef, Nodes, Place};

/// The name of a node in the FUSE protocol; also the inode number that programs see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The mount point, `FUSE_ROOT_ID`.
    pub const ROOT: NodeId = NodeId(1);
}
