//! A tree as text: one line an entry, sorted by path, equal exactly if the trees are equal.
//!
//! A line holds path, type, mode, links, size, mtime, content and extended attributes. Left out is
//! what a copy of the tree cannot keep (size and links of directories), and the content of files
//! whose owner may not read them.

use rustix::fs::{lgetxattr, llistxattr};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// Describes everything below `root`, and `root` itself.
pub(crate) fn digest(root: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    describe(root, Path::new("."), &mut lines)?;
    lines.sort();
    Ok(lines.concat())
}

fn describe(root: &Path, relative: &Path, lines: &mut Vec<String>) -> io::Result<()> {
    let path = root.join(relative);
    let found = fs::symlink_metadata(&path)?;
    let kind = kind(&found);
    let (names, size) = match kind {
        'd' => ("-".to_owned(), "-".to_owned()),
        _ => (found.nlink().to_string(), found.size().to_string()),
    };
    let mut line = format!(
        "{} {kind} {:04o} {names} {size} {}.{:09} {}",
        escaped(relative.as_os_str().as_bytes()),
        found.mode() & 0o7777,
        found.mtime(),
        found.mtime_nsec(),
        content(&path, kind, found.mode())?,
    );
    for (name, value) in xattrs(&path)? {
        let _ = write!(line, " {}={}", escaped(&name), hex(&value));
    }
    line.push('\n');
    lines.push(line);
    if kind == 'd' {
        for entry in fs::read_dir(&path)? {
            describe(root, &relative.join(entry?.file_name()), lines)?;
        }
    }
    Ok(())
}

fn kind(found: &Metadata) -> char {
    let kind = found.file_type();
    match () {
        () if kind.is_file() => 'f',
        () if kind.is_dir() => 'd',
        () if kind.is_symlink() => 'l',
        () if kind.is_fifo() => 'p',
        () if kind.is_socket() => 's',
        () if kind.is_char_device() => 'c',
        () => 'b',
    }
}

fn content(path: &Path, kind: char, mode: u32) -> io::Result<String> {
    match kind {
        'f' if mode & 0o400 != 0 => Ok(hex(&Sha256::digest(fs::read(path)?))),
        'l' => Ok(escaped(fs::read_link(path)?.as_os_str().as_bytes())),
        _ => Ok("-".to_owned()),
    }
}

/// Sorted by name; those of the `user` namespace and the ACLs, which every file system here keeps.
fn xattrs(path: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0; 65536];
    let len = llistxattr(path, &mut names)?;
    let mut found = Vec::new();
    for name in names[..len].split(|byte| *byte == 0) {
        if name.starts_with(b"user.") || name.starts_with(b"system.posix_acl") {
            let mut value = vec![0; 65536];
            let len = lgetxattr(path, OsStr::from_bytes(name), &mut value)?;
            found.push((name.to_owned(), value[..len].to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = match byte {
            b'%' | b'=' => write!(text, "%{byte:02x}"),
            b if b.is_ascii_graphic() => write!(text, "{}", char::from(*b)),
            _ => write!(text, "%{byte:02x}"),
        };
        text
    })
}
