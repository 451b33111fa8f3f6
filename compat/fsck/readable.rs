//! What the user can read of a volume, block by block: the measure of every repair.

use gocryptfs_rs::crypto::Password;
use gocryptfs_rs::format::{PLAIN_BLOCK, PlainOffset};
use gocryptfs_rs::fsck::Start;
use gocryptfs_rs::sys::{Kind, OpenFlags};
use gocryptfs_rs::vault::conf::Conf;
use gocryptfs_rs::vault::{BackingName, CipherDir, Listed, Options, Subject, Vault};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is in a volume.
pub(super) type Tree = BTreeMap<PathBuf, Object>;

/// What can be read of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    /// Of a file its blocks, of a symlink its target; nothing where that cannot be read.
    blocks: Vec<Option<Vec<u8>>>,
    /// Extended attributes whose value can be read.
    attributes: BTreeMap<OsString, Vec<u8>>,
}

impl Object {
    /// The content, if all of it can be read.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        let blocks: Option<Vec<_>> = self.blocks.iter().cloned().collect();
        Some(blocks?.concat())
    }

    /// Whether it has content, of which nothing can be read, and no attributes.
    pub(super) fn is_lost(&self) -> bool {
        let has_content_only = !self.blocks.is_empty() && self.attributes.is_empty();
        has_content_only && self.blocks.iter().all(Option::is_none)
    }

    /// Whether all that can be read of this one is there in `other`, too; of the content no more
    /// than what is in front of the first bad block if `is_cut`.
    pub(super) fn is_kept_in(&self, other: &Self, is_cut: bool) -> bool {
        let cut = self.blocks.iter().position(Option::is_none);
        let end = cut.filter(|_| is_cut).unwrap_or(self.blocks.len());
        let mut blocks = self.blocks[..end].iter().zip(0..);
        let mut attributes = self.attributes.iter();
        blocks.all(|(block, at)| block.is_none() || other.blocks.get(at) == Some(block))
            && attributes.all(|(name, value)| other.attributes.get(name) == Some(value))
    }
}

/// Opens a volume whose configuration is healthy.
pub(super) fn open(dir: &Path) -> Vault {
    let conf = Conf::parse(&fs::read(dir.join("gocryptfs.conf")).unwrap()).unwrap();
    let key = conf.unlock(&Password::new(b"test".to_vec())).unwrap();
    let how = Options {
        preallocate: true,
        shared_storage: false,
    };
    Vault::open(dir, &conf.flags().params(true), &key, how).unwrap()
}

/// Where the object with this plain path is on disk.
pub(super) fn on_disk(dir: &Path, plain: &str) -> PathBuf {
    let start = Start::find(&open(dir), Path::new(plain)).unwrap();
    let names = start.above.into_iter().map(|(disk, _)| disk);
    let path: PathBuf = names.chain(start.entry).collect();
    dir.join(path)
}

/// Everything that the user can read, by the names that the user sees.
pub(super) fn tree(dir: &Path) -> Tree {
    let vault = open(dir);
    let mut tree = Tree::new();
    if let Ok(top) = vault.root() {
        read(&vault, top, Path::new(""), &mut tree);
    }
    tree
}

fn read(vault: &Vault, dir: CipherDir, path: &Path, tree: &mut Tree) {
    let dir = Arc::new(dir);
    let Ok(mut listing) = vault.list(Arc::clone(&dir)) else {
        return;
    };
    while let Some(entry) = vault.next_entry(&mut listing) {
        let Listed::Entry {
            name,
            backing: Some(_),
            kind,
            ..
        } = entry.unwrap()
        else {
            continue;
        };
        // by its name, as a user does
        let backing = BackingName::from(&vault.encode(&dir, &name).unwrap());
        let path = path.join(name);
        let blocks = match kind {
            Kind::Dir => {
                if let Ok(inner) = vault.subdir(&dir, &backing) {
                    read(vault, inner, &path, tree);
                }
                Vec::new()
            }
            Kind::Symlink => vec![vault.readlink(&dir, &backing).ok()],
            _ => blocks(vault, &dir, &backing),
        };
        let subject = Subject::Named(dir.dir(), backing.as_ref());
        let attributes = attributes(vault, subject);
        tree.insert(path, Object { blocks, attributes });
    }
}

fn blocks(vault: &Vault, dir: &CipherDir, name: &BackingName) -> Vec<Option<Vec<u8>>> {
    let Ok((file, stat)) = vault.open_file(dir, name, OpenFlags::RDONLY) else {
        return vec![None];
    };
    let mut buf = Vec::new();
    let starts = (0..stat.size).step_by(PLAIN_BLOCK);
    let blocks = starts.map(|start| {
        let length = usize::try_from(stat.size - start).unwrap().min(PLAIN_BLOCK);
        let block = file.read(PlainOffset(start), length, &mut buf);
        block.ok().map(<[u8]>::to_vec)
    });
    blocks.collect()
}

fn attributes(vault: &Vault, subject: Subject<'_>) -> BTreeMap<OsString, Vec<u8>> {
    let names = vault.list_xattr(subject).unwrap_or_default().good;
    let attributes = names.into_iter().filter_map(|name| {
        let value = vault.get_xattr(subject, &name).ok()?;
        Some((name, value))
    });
    attributes.collect()
}
