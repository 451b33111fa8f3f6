//! Reads a vault where it is: nothing is mounted, nothing is changed, no `/dev/fuse` is needed.
//!
//! Objects are found by their plain paths, or come one after the other from a walk. What cannot be
//! read is a value, a [`Fault`], and never ends a walk: everything else is still read.

mod content;
mod fault;
mod find;
mod object;
mod walk;

pub use content::{Content, PIECE, Stop};
pub use fault::{Cause, Fault};
pub use find::find;
pub use object::{Attribute, Entry, Object};
pub use walk::{Order, Step, Walk};
