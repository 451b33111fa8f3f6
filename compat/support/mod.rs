//! What the tests share: programs, vaults and mounts that clean up after themselves, trees to
//! fill them with, and a reproducible source of chance.

pub(crate) mod cells;
pub(crate) mod digest;
pub(crate) mod disk;
pub(crate) mod mount;
pub(crate) mod program;
pub(crate) mod random;
pub(crate) mod skip;
pub(crate) mod tracer;
pub(crate) mod tree;
pub(crate) mod vault;
pub(crate) mod wait;
pub(crate) mod watch;
pub(crate) mod write_log;
