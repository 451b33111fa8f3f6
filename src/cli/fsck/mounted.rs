//! Whether a volume is in use: what the list of mounts tells.

use crate::sys::Dir;
use crate::vault::Vault;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Room for the list of mounts, bytes.
const MOUNTS_MAX: usize = 1 << 26;

/// Where the volume is mounted, by whatever path; `None` also if its mount is called differently.
pub(super) fn mountpoint(vault: &Vault) -> Option<PathBuf> {
    let volume = vault.root_key().ok()?;
    let process = Dir::open(Path::new("/proc/self")).ok()?;
    let mounts = process.read_small(OsStr::new("mountinfo"), MOUNTS_MAX);
    let mounts = mounts.ok()?;
    let mut lines = mounts.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let (source, mountpoint) = mount(line)?;
        let stat = Dir::open(&source).and_then(|dir| dir.stat());
        (stat.ok()?.key == volume).then_some(mountpoint)
    })
}

/// CIPHERDIR and mount point in a line of `/proc/self/mountinfo` (see `proc(5)`).
fn mount(line: &[u8]) -> Option<(PathBuf, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mountpoint = unescaped(fields.nth(4)?);
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let is_ours = fields.next()? == b"fuse.gocryptfs";
    let source = unescaped(fields.next()?);
    is_ours.then(|| (source.into(), mountpoint.into()))
}

/// Blanks and the like are written as a backslash and three octal digits there.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| *first == b'\\');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_a_volume_is_recognised() {
        let line = b"33 28 0:31 / /mnt/my\\040files rw shared:1 - fuse.gocryptfs /a\\040b rw";
        let wanted = (PathBuf::from("/a b"), PathBuf::from("/mnt/my files"));
        assert_eq!(mount(line), Some(wanted));
        assert_eq!(mount(b"33 28"), None);
        assert_eq!(mount(b"33 28 0:31 / /mnt rw - ext4 /a rw"), None);
    }

    #[test]
    fn escapes_are_octal() {
        assert_eq!(unescaped(b"a\\134b\\011"), OsString::from("a\\b\t"));
        assert_eq!(unescaped(b"\\9"), OsStr::new("\\9"));
    }
}
