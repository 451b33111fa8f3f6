//! gocryptfs-rs: an encrypted overlay file system, compatible with gocryptfs byte for byte.
//!
//! A *volume* is a folder of encrypted files (CIPHERDIR) with a `gocryptfs.conf` that holds the
//! wrapped master key. Mounted, it appears decrypted at a mount point.
//!
//! The disk format is a set of pure functions ([`format`]). A vault is those functions plus file
//! descriptors ([`vault`]). A filesystem is a vault plus the names that the kernel holds
//! ([`forward`], [`tree`]). The other way round, a plain directory appears encrypted
//! ([`reverse`]). FUSE is an adapter ([`mount`]). The command line turns words into one
//! typed command and calls it ([`cli`]).
//!
//! # Layers
//!
//! A module imports only what is listed; `compat/tidy.rs` fails on anything else.
//!
//! | module | may import | never |
//! |---|---|---|
//! | [`sys`] | - | anything of ours; it knows no encryption |
//! | [`crypto`] | - | files, names, I/O other than the random source |
//! | [`format`] | crypto | I/O of any kind, logging |
//! | [`vault`] | sys, crypto, format | fuser, node ids, printing |
//! | [`tree`] | sys | encryption (generic over the backing name type) |
//! | [`vfs`] | sys, format, tree | fuser |
//! | [`forward`] | vault, tree, vfs, format, sys | fuser |
//! | [`reverse`] | tree, vfs, format, crypto, sys | fuser, forward, vault |
//! | [`ctlsock`] | vfs | fuser, vault, forward |
//! | [`fsck`] | vault, format, sys | fuser, forward, vfs, printing |
//! | [`reader`] | vault, format, sys | fuser, forward, vfs, printing |
//! | [`mount`] | vfs, sys, and fuser: the only place that knows it | vault, forward |
//! | [`cli`] | all | `process::exit` (the binaries alone exit) |
//!
//! # Invariants
//!
//! - `format` never does I/O;
//! - only `sys` and the bindings of a second cipher backend in `crypto` may hold `unsafe`;
//! - only `mount` knows fuser; only `cli` prints and reads the environment;
//! - a cipher byte and a plain byte never share a type;
//! - no path string is ever joined to reach a file: a directory handle plus one name, never
//!   following a symlink.

pub mod cli;
pub mod crypto;
pub mod ctlsock;
pub mod format;
pub mod forward;
pub mod fsck;
pub mod mount;
pub mod reader;
pub mod reverse;
pub mod sys;
pub mod tree;
pub mod vault;
pub mod vfs;
