//! Names that are lost on disk and known by other means.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::Repair;
use super::step::Source;
use crate::format::{DirIv, NAME_FILE_MAX, PlainName, name_file, object_of_name_file};
use crate::sys::{Dir, DirStream};

/// A list of names that the user gives.
#[derive(Debug, Default)]
pub struct KnownNames {
    /// Plain names by the path or the name on disk.
    by_disk: HashMap<PathBuf, OsString>,
    /// All plain names.
    plain: Vec<OsString>,
}

impl KnownNames {
    /// Reads a list: a plain name or path in each line, or a path on disk, a tab and the plain
    /// name or path.
    pub fn parse(list: &[u8]) -> KnownNames {
        let mut known = KnownNames::default();
        for line in list.split(|byte| *byte == b'\n') {
            let mut parts = line.rsplitn(2, |byte| *byte == b'\t');
            let plain = Path::new(OsStr::from_bytes(parts.next().unwrap_or_default()));
            let Some(plain) = plain.file_name() else {
                continue;
            };
            known.plain.push(plain.to_owned());
            if let Some(disk) = parts.next() {
                let disk = Path::new(OsStr::from_bytes(disk));
                known.by_disk.insert(disk.to_owned(), plain.to_owned());
            }
        }
        known
    }

    /// The plain name of the entry at `path` on disk.
    pub(super) fn of(&self, path: &Path) -> Option<&OsStr> {
        let name = path.file_name().map(Path::new);
        let known = self.by_disk.get(path);
        let known = known.or_else(|| self.by_disk.get(name?));
        known.map(OsString::as_os_str)
    }
}

/// The encrypted names that hashed entries of one directory may have.
pub(super) struct Texts(HashMap<OsString, (OsString, Source)>);

impl Texts {
    /// The encrypted name whose hash is `disk`.
    pub(super) fn of(&self, disk: &OsStr) -> Option<(OsString, Source)> {
        self.0.get(disk).cloned()
    }
}

impl Repair<'_> {
    /// Collects what may be in the missing or wrong `.name` files of a directory.
    pub(super) fn texts(&self, path: &Path, dir: &Dir, iv: Option<&DirIv>) -> Texts {
        let mut texts = HashMap::new();
        let mut note = |text: OsString, source| {
            if let Some(hash) = self.vault.names().hashed(&text) {
                texts.insert(hash.as_os_str().to_owned(), (text, source));
            }
        };
        if let Some(iv) = iv {
            for plain in &self.choices.names.plain {
                let stored = PlainName::new(plain).and_then(|name| {
                    let stored = self.vault.names().encode(iv, &name)?;
                    Ok(stored)
                });
                if let Ok(Some((_, full))) = stored.as_ref().map(|stored| stored.long()) {
                    note(full.as_os_str().to_owned(), Source::List);
                }
            }
        }
        if let Some(backup) = self.in_backup(path) {
            name_files(&backup, |text| note(text, Source::Backup));
        }
        name_files(dir, |text| note(text, Source::Sibling));
        Texts(texts)
    }

    /// The directory at `path` in the backup.
    pub(super) fn in_backup(&self, path: &Path) -> Option<Dir> {
        let backup = self.choices.backup.as_ref()?;
        let mut dir = backup.open_dir(OsStr::new(".")).ok()?;
        for name in path {
            dir = dir.open_dir(name).ok()?;
        }
        Some(dir)
    }
}

/// Hands out the content of all `.name` files in a directory.
fn name_files(dir: &Dir, mut with: impl FnMut(OsString)) {
    let Ok(mut stream) = DirStream::open(dir) else {
        return;
    };
    while let Some(Ok(entry)) = stream.next_entry() {
        if let Some(object) = object_of_name_file(entry.name)
            && let Ok(text) = dir.read_small(&name_file(object), NAME_FILE_MAX)
        {
            with(OsString::from_vec(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_plain_names_and_pairs() {
        let known = KnownNames::parse(b"a\n/b/c\nX/Y\tb/d\n\nZ\te\tf\n");
        assert_eq!(known.plain, ["a", "c", "d", "f"]);
        assert_eq!(known.of(Path::new("X/Y")), Some(OsStr::new("d")));
        assert_eq!(known.of(Path::new("Y")), None);
        assert_eq!(known.of(Path::new("else/where")), None);
        let by_name = KnownNames::parse(b"Y\td");
        assert_eq!(by_name.of(Path::new("X/Y")), Some(OsStr::new("d")));
    }
}
