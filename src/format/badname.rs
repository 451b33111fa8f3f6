//! Names that do not decrypt, shown all the same to those who ask for it.
//!
//! The longest part from the start that decrypts is shown decrypted, the rest as it is on disk, and
//! a mark says so. Invariant: no other name has the mark, unless a user chose it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::diriv::DirIv;
use super::glob::Pattern;
use super::name::{CipherName, HashedName, PlainName, StoredName};
use super::name_codec::NameCodec;

/// The end of a name that does not decrypt.
const MARK: &str = " GOCRYPTFS_BAD_NAME";

/// Which undecryptable names are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadNames(Vec<Pattern>);

impl BadNames {
    /// Those whose encrypted form matches any of the patterns.
    ///
    /// # Errors
    /// The first pattern that is none.
    pub fn new<T: AsRef<OsStr>>(patterns: &[T]) -> Result<BadNames, &OsStr> {
        let patterns = patterns.iter().map(AsRef::as_ref);
        let parsed = patterns.map(|pattern| Pattern::parse(pattern).ok_or(pattern));
        Ok(BadNames(parsed.collect::<Result<_, _>>()?))
    }

    /// What the undecryptable encrypted name `text` is shown as, if it is.
    pub fn show(&self, names: &NameCodec, iv: &DirIv, text: &OsStr) -> Option<PlainName> {
        if text.is_empty() || !self.0.iter().any(|pattern| pattern.matches(text)) {
            return None;
        }
        let mut shown = Vec::new();
        let rest = match names.decode_prefix(iv, text) {
            Some((plain, rest)) => {
                shown.extend_from_slice(plain.as_os_str().as_bytes());
                rest
            }
            None => text,
        };
        shown.extend_from_slice(rest.as_bytes());
        shown.extend_from_slice(MARK.as_bytes());
        PlainName::new(OsStr::from_bytes(&shown)).ok()
    }

    /// Whether `name` may be one that is shown for an undecryptable one.
    pub fn may_be(&self, name: &OsStr) -> bool {
        !self.0.is_empty() && name.as_bytes().ends_with(MARK.as_bytes())
    }

    /// Whether `name` may be one that is shown for the entry `disk`, which has no `.name` file: of
    /// such an entry the end at least is shown as it is.
    pub fn ends_alike(name: &OsStr, disk: &OsStr) -> bool {
        let unmarked = name.as_bytes().strip_suffix(MARK.as_bytes());
        unmarked.is_some_and(|unmarked| unmarked.last() == disk.as_bytes().last())
    }
}

impl StoredName {
    /// The name of an entry as it was found on disk. `text` is the content of its `.name` file, if
    /// it has one.
    pub fn found(disk: &OsStr, text: Option<&OsStr>) -> StoredName {
        match text {
            None => StoredName::Short(CipherName(disk.to_owned())),
            Some(text) => StoredName::Long {
                hash: HashedName(disk.to_owned()),
                full: CipherName(text.to_owned()),
            },
        }
    }
}
