//! Findings as lines for people. Where the Go program finds the same, the first line has its
//! words; the second one leads to the object on disk.

use crate::cli::values::quoted;
use crate::fsck::{Damage, Finding};
use std::ffi::OsStr;
use std::path::Path;

/// The lines for a finding, without a newline at the end.
pub(super) fn finding(finding: &Finding) -> String {
    let Finding { ino, damage, .. } = finding;
    let shown = finding.plain.as_ref().unwrap_or(&finding.path);
    let file = quoted(shown);
    let first = match damage {
        Damage::Conf(_) => format!("fsck: error loading config file {file}: {damage}"),
        Damage::DirIvMissing
        | Damage::DirIvLength(_)
        | Damage::DirIvZero
        | Damage::DirIvUnreadable(_) => {
            format!("fsck: error reading dir {file}: could not read gocryptfs.diriv: {damage}")
        }
        Damage::NameEncoding { .. }
        | Damage::NameUndecryptable
        | Damage::NameTwice
        | Damage::NameMisplaced
        | Damage::NameFileMissing
        | Damage::NameFileUnreadable(_)
        | Damage::NameFileContent(_)
        | Damage::NameFileMismatch
        | Damage::NameFileStale
        | Damage::Leftover => entry(finding),
        Damage::HeaderCut { .. } => format!("fsck: corrupt file {file} (inode {ino})"),
        Damage::Header(_)
        | Damage::Blocks { .. }
        | Damage::BlockTorn { .. }
        | Damage::BlocksUnreadable { .. } => {
            format!("fsck: error reading file {file} (inum {ino}): {damage}")
        }
        Damage::Target(_) => format!("fsck: error reading symlink {file}: {damage}"),
        Damage::XattrName { disk, .. } => {
            format!("fsck: corrupt xattr name on file {file}: {}", quoted(disk))
        }
        Damage::XattrValue { name, .. } => {
            let name = quoted(name);
            format!("fsck: error reading xattr {name} from {file}: {damage}")
        }
        Damage::Unreadable(_) | Damage::Skipped(_) => {
            format!("fsck: error opening file {file} (inum {ino}): {damage}")
        }
        Damage::NameNoise => format!("fsck: the name {file} {damage}"),
        Damage::SharedId { .. } => format!("fsck: file {file} (inode {ino}) {damage}"),
    };
    match where_on_disk(finding, &first) {
        Some(second) => format!("{first}\n    {second}"),
        None => first,
    }
}

/// An entry that has no name.
fn entry(finding: &Finding) -> String {
    let disk_dir = finding.path.parent();
    let dir = finding.plain_dir.as_deref().or(disk_dir);
    let dir = quoted(dir.unwrap_or(Path::new("")));
    let name = quoted(finding.path.file_name().unwrap_or(OsStr::new("")));
    format!("fsck: corrupt entry in dir {dir}: {name}")
}

/// The path on disk, and what is wrong if the first line does not say it.
fn where_on_disk(finding: &Finding, first: &str) -> Option<String> {
    let reason = finding.damage.to_string();
    let reason = (!first.ends_with(&reason)).then_some(reason);
    let is_elsewhere = finding.plain.as_ref() != Some(&finding.path);
    let path = is_elsewhere.then(|| format!("on disk: {}", quoted(&finding.path)));
    match (path, reason) {
        (Some(path), Some(reason)) => Some(format!("{path}: {reason}")),
        (path, reason) => path.or(reason),
    }
}
