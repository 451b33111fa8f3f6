//! Using all that a tree has, whatever comes of it.

use super::{CALLER, Fs, ROOT, Result, errno, long};
use gocryptfs_rs::vfs::{Kind, NodeId, OpenFlags, PlainOffset, Seek, Vfs};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What each path shows: the content of a file, the target of a symlink, the attributes of
/// either. A directory shows nothing but whether it can be read.
pub(super) type Shown = BTreeMap<(PathBuf, OsString), Result<Vec<u8>>>;

/// How deep a tree is looked at: names that decrypt by accident may lead in circles.
const DEPTH: usize = 6;

/// A tree with every kind of thing that is encrypted, and with long names.
pub(super) fn plant(fs: &Fs) {
    let dir = fs.mkdir(ROOT, "dir").unwrap();
    for parent in [ROOT, dir] {
        let file = fs.file(parent, "file", &[7; 5000]);
        fs.file(parent, &long("f"), b"content");
        fs.mkdir(parent, &long("d")).unwrap();
        let target = "/the/target".as_ref();
        fs.view
            .symlink(CALLER, parent, "link".as_ref(), target)
            .unwrap();
        let attr = "user.attribute".as_ref();
        fs.view.setxattr(CALLER, file, attr, b"value", 0).unwrap();
    }
}

/// Looks at everything there is.
pub(super) fn look(fs: &Fs) -> Shown {
    let mut shown = Shown::new();
    look_at(fs, ROOT, Path::new(""), DEPTH, &mut shown);
    shown
}

fn look_at(fs: &Fs, node: NodeId, path: &Path, depth: usize, shown: &mut Shown) {
    let entries = fs.list(node);
    let listed = entries.as_ref().map(|_| Vec::new()).map_err(|e| *e);
    shown.insert((path.to_owned(), OsString::new()), listed);
    let handle = fs.view.opendir(node);
    if let Ok(handle) = handle {
        let _ = fs.view.readdirplus(handle, 0, &mut |_| true);
        fs.view.releasedir(handle);
    }
    for entry in entries.unwrap_or_default() {
        let path = path.join(&entry.name);
        let Ok(found) = fs.view.lookup(node, &entry.name) else {
            continue;
        };
        let _ = fs.view.getattr(found.node, None);
        match found.attr.stat.kind() {
            Kind::Dir if depth > 0 => look_at(fs, found.node, &path, depth - 1, shown),
            Kind::Symlink => {
                let target = errno(fs.view.readlink(found.node));
                shown.insert((path.clone(), OsString::new()), target);
            }
            Kind::File => {
                shown.insert((path.clone(), OsString::new()), read(fs, found.node));
            }
            _ => {}
        }
        for attr in fs.view.listxattr(found.node).unwrap_or_default() {
            let value = errno(fs.view.getxattr(found.node, &attr));
            shown.insert((path.clone(), attr), value);
        }
    }
}

/// Block by block, so that damage to one hides no other.
fn read(fs: &Fs, node: NodeId) -> Result<Vec<u8>> {
    let handle = fs.open(node, OpenFlags::RDONLY)?;
    let blocks = (0..4).map(|n| fs.read(handle, n * 4096, 4096));
    let content = blocks.collect::<Result<Vec<_>>>();
    for what in [Seek::Data, Seek::Hole] {
        let _ = fs.view.seek(handle, PlainOffset(0), what);
    }
    fs.view.release(handle);
    content.map(|blocks| blocks.concat())
}

/// Changes everything there is, and makes and removes things beside it.
pub(super) fn scribble(fs: &Fs) {
    for parent in [Ok(ROOT), fs.node("dir")].into_iter().flatten() {
        for entry in fs.list(parent).unwrap_or_default() {
            let Ok(found) = fs.view.lookup(parent, &entry.name) else {
                continue;
            };
            let _ = fs.change(found.node, None, super::mode(0o750));
            let _ = fs.change(found.node, None, super::size(3));
            let _ = fs
                .view
                .setxattr(CALLER, found.node, "user.x".as_ref(), b"v", 0);
            if let Ok(handle) = fs.open(found.node, OpenFlags::RDWR) {
                let _ = fs.view.write(handle, PlainOffset(10_000), b"new");
                fs.view.release(handle);
            }
            let _ = fs.view.link(found.node, parent, long("l").as_ref());
            let _ = fs.view.unlink(parent, long("l").as_ref());
            let away = "away".as_ref();
            let mode = gocryptfs_rs::vfs::RenameMode::Replace;
            let moved = fs.view.rename((parent, &entry.name), (parent, away), mode);
            if moved.is_ok() {
                let _ = fs.view.rename((parent, away), (parent, &entry.name), mode);
            }
            let _ = fs.view.unlink(parent, &entry.name);
            let _ = fs.view.rmdir(parent, &entry.name);
        }
        for name in ["new", &long("n"), &long("f")] {
            let _ = fs.mkdir(parent, name);
            let _ = fs.view.rmdir(parent, name.as_ref());
        }
    }
}

/// Whether an answer of a damaged vault is acceptable where a whole one said `wanted`. That whole
/// blocks are missing at the end is what the format cannot tell.
pub(super) fn is_honest(wanted: &Result<Vec<u8>>, found: Option<&Result<Vec<u8>>>) -> bool {
    match (wanted, found) {
        (_, None | Some(Err(Errno::IO))) => true,
        (Ok(wanted), Some(Ok(found))) => {
            found == wanted || found.len() % 4096 == 0 && wanted.starts_with(found)
        }
        (wanted, Some(found)) => wanted == found,
    }
}
