//! The names of directory entries on both sides, valid by construction.
//!
//! Invariant: a [`PlainName`] is one path component that the kernel could have sent; a
//! [`StoredName`] is what one is called in the backing directory. The sides never mix.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::corrupt::NameDefect;
use super::name_text::TEXT_MAX;

/// What the names of hashed entries begin with.
pub(super) const LONG_PREFIX: &str = "gocryptfs.longname.";
/// What the helper file of a hashed entry is called on top of it.
pub(super) const NAME_SUFFIX: &str = ".name";

/// One component of a plaintext path: 1 to 255 bytes, no NUL, no slash, neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlainName(OsString);

impl PlainName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NameDefect::TooLong`] above 255 bytes, [`NameDefect::Invalid`] for what no directory
    /// entry can be called.
    pub fn new(name: &OsStr) -> Result<PlainName, NameDefect> {
        let bytes = name.as_bytes();
        if bytes.len() > TEXT_MAX {
            return Err(NameDefect::TooLong);
        }
        let special = matches!(bytes, b"" | b"." | b"..");
        if special || bytes.iter().any(|&byte| byte == 0 || byte == b'/') {
            return Err(NameDefect::Invalid);
        }
        Ok(PlainName(name.to_owned()))
    }

    /// The name as the kernel knows it.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

/// The complete encrypted form of a name (the name itself when names are not encrypted).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CipherName(pub(super) OsString);

impl CipherName {
    /// The text: a directory entry, or the content of a `.name` file.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

/// The name of an entry whose encrypted name is too long: a prefix and the hash of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HashedName(pub(super) OsString);

impl HashedName {
    /// The name of the entry in the backing directory.
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }

    /// The name of the helper file beside it that holds the complete encrypted name.
    pub fn name_file(&self) -> OsString {
        name_file(&self.0)
    }
}

/// The name of the helper file that belongs to the hashed entry `disk`.
pub fn name_file(disk: &OsStr) -> OsString {
    let mut name = disk.to_owned();
    name.push(NAME_SUFFIX);
    name
}

/// The hashed entry that the helper file `file` belongs to; `None` if it is no helper file.
pub fn object_of_name_file(file: &OsStr) -> Option<&OsStr> {
    let object = file.as_bytes().strip_suffix(NAME_SUFFIX.as_bytes())?;
    object
        .starts_with(LONG_PREFIX.as_bytes())
        .then(|| OsStr::from_bytes(object))
}

/// How a plaintext name is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StoredName {
    /// Under its encrypted form.
    Short(CipherName),
    /// Under a hash, with the encrypted form in a file beside it.
    Long {
        /// The name of the entry.
        hash: HashedName,
        /// The content of its `.name` file.
        full: CipherName,
    },
}

impl StoredName {
    /// The name of the entry in the backing directory.
    pub fn disk(&self) -> &OsStr {
        match self {
            StoredName::Short(name) => name.as_os_str(),
            StoredName::Long { hash, .. } => hash.as_os_str(),
        }
    }

    /// The hash and the content of the `.name` file, if the name has one.
    pub fn long(&self) -> Option<(&HashedName, &CipherName)> {
        match self {
            StoredName::Short(_) => None,
            StoredName::Long { hash, full } => Some((hash, full)),
        }
    }
}

/// What an entry of a backing directory is, judged by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskName<'a> {
    /// The configuration file of the volume.
    Config,
    /// The IV of the directory.
    DirIv,
    /// The helper file of a hashed entry.
    NameFile,
    /// An entry of the user under a hashed name.
    Long(&'a OsStr),
    /// An entry of the user under its encrypted name, if it decrypts.
    Short(&'a OsStr),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_one_component_of_at_most_255_bytes() {
        let valid = |bytes: &[u8]| PlainName::new(OsStr::from_bytes(bytes)).map(|_| ());
        for bad in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", b"\0"] {
            assert_eq!(valid(bad), Err(NameDefect::Invalid), "{bad:?}");
        }
        for good in [&b"a"[..], b"...", b".a", b"\n", b"\xff\xfe", b" "] {
            assert_eq!(valid(good), Ok(()), "{good:?}");
        }
        assert_eq!(valid(&[b'n'; 255]), Ok(()));
        assert_eq!(valid(&[b'n'; 256]), Err(NameDefect::TooLong));
        assert_eq!(valid(&[b'/'; 256]), Err(NameDefect::TooLong));
    }
}
