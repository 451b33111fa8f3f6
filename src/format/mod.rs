//! The disk format as pure functions: sizes and offsets, file headers, content blocks, names,
//! extended attributes, symlink targets and feature flags.
//!
//! Invariant: nothing here does I/O (random bytes for nonces and ids come from [`crate::crypto`]),
//! nothing logs, nothing panics for any input, and a plain byte and a cipher byte never share a
//! type where offsets and names are concerned.

mod badname;
mod base64url;
mod block;
mod corrupt;
mod diriv;
mod features;
mod flag;
mod glob;
mod header;
mod layout;
mod name;
mod name_codec;
mod name_text;
mod nonzero;
mod params;
mod pathiv;
mod target;
mod xattr;

#[cfg(test)]
mod tests;

pub use badname::BadNames;
pub use block::ContentCodec;
pub use corrupt::{BlockDefect, Corrupt, DirIvDefect, HeaderDefect, NameDefect, ValueDefect};
pub use diriv::{CONF_NAME, DIRIV_NAME, DirIv, REVERSE_CONF_NAME};
pub use features::{FeatureDefect, FeatureFlags, InitChoices};
pub use flag::Flag;
pub use glob::Pattern;
pub use header::FileId;
pub use layout::{BlockNo, CipherOffset, HEADER_LEN, Layout, PLAIN_BLOCK, PlainOffset, SizeDefect};
pub use name::{
    CipherName, DiskName, HashedName, PlainName, StoredName, name_file, object_of_name_file,
};
pub use name_codec::{EncryptedNames, NAME_FILE_MAX, NameCodec};
pub use params::{Codecs, NameParams, Params};
pub use pathiv::{FileIvs, ViewPath};
pub use target::{
    open_target, seal_target, seal_target_with, sealed_target_size, target_size,
    target_size_from_len,
};
pub use xattr::{XattrCodec, is_passed_through};
