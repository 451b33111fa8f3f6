//! The file system by its trait: a vault in a temporary directory, and neither mount nor kernel.

mod bytes;
mod errors;
mod everything;
mod hostile;
mod listing;
mod load;
mod operations;
mod races;
mod unlinked;
mod unprivileged;

use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Secret};
use gocryptfs_rs::format::{DIRIV_NAME, DirIv, NameParams, Params};
use gocryptfs_rs::forward::{self, Forward};
use gocryptfs_rs::vault;
use gocryptfs_rs::vfs::{
    Attr, Caller, Changes, DirEntry, Entry, Error, Handle, Kind, NodeId, OpenFlags, PlainOffset,
    Vfs,
};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Result<T> = std::result::Result<T, Errno>;

const ROOT: NodeId = NodeId::ROOT;
const CALLER: Caller = Caller {
    uid: 0,
    gid: 0,
    pid: 0,
    umask: 0,
};
/// Nothing is to change.
const NO_CHANGES: Changes = Changes {
    mode: None,
    uid: None,
    gid: None,
    size: None,
    atime: None,
    mtime: None,
};
const ENCRYPTED: NameParams = NameParams::Encrypted {
    long_limit: Some(255),
    dir_iv: true,
};

/// A file system over a vault of its own.
struct Fs {
    view: Forward,
    names: NameParams,
    dir: TempDir,
}

impl Fs {
    fn new() -> Self {
        Self::with(ENCRYPTED)
    }

    fn with(names: NameParams) -> Self {
        let dir = TempDir::new().unwrap();
        if let NameParams::Encrypted { dir_iv: true, .. } = names {
            fs::write(dir.path().join(DIRIV_NAME), DirIv::random().0).unwrap();
        }
        let view = open(dir.path(), names);
        Self { view, names, dir }
    }

    /// Forgets all that is not stored.
    fn restart(&mut self) {
        self.view = open(self.dir.path(), self.names);
    }

    /// The encrypted directory.
    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where the encrypted form of a plain path is.
    fn stored(&self, plain: &str) -> PathBuf {
        use gocryptfs_rs::vfs::Paths as _;
        let encrypted = self.view.encrypt_path(Path::new(plain)).unwrap();
        self.path().join(encrypted)
    }

    /// Everything below the encrypted directory, sorted.
    fn on_disk(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).unwrap() {
                let entry = entry.unwrap();
                found.push(entry.path());
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.path(), &mut found);
        found.sort();
        found
    }

    fn lookup(&self, parent: NodeId, name: &str) -> Result<Entry> {
        errno(self.view.lookup(parent, name.as_ref()))
    }

    /// The node at a path.
    fn node(&self, path: &str) -> Result<NodeId> {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.into_iter().try_fold(ROOT, |parent, name| {
            self.lookup(parent, name).map(|found| found.node)
        })
    }

    fn mkdir(&self, parent: NodeId, name: &str) -> Result<NodeId> {
        let made = self.view.mkdir(CALLER, parent, name.as_ref(), 0o700);
        errno(made).map(|made| made.node)
    }

    /// Makes a file with this content; its node.
    fn file(&self, parent: NodeId, name: &str, content: &[u8]) -> NodeId {
        let (node, handle) = self.create(parent, name).unwrap();
        self.view.write(handle, PlainOffset(0), content).unwrap();
        self.view.release(handle);
        node
    }

    fn create(&self, parent: NodeId, name: &str) -> Result<(NodeId, Handle)> {
        let flags = OpenFlags::RDWR;
        let made = self
            .view
            .create(CALLER, parent, name.as_ref(), 0o600, flags);
        errno(made).map(|(entry, opened)| (entry.node, opened.handle))
    }

    fn open(&self, node: NodeId, flags: OpenFlags) -> Result<Handle> {
        errno(self.view.open(node, flags)).map(|opened| opened.handle)
    }

    fn read(&self, handle: Handle, at: u64, len: usize) -> Result<Vec<u8>> {
        let mut buf = Vec::new();
        let read = self.view.read(handle, PlainOffset(at), len, &mut buf);
        errno(read).map(<[u8]>::to_vec)
    }

    /// The whole content of a file.
    fn content(&self, node: NodeId) -> Result<Vec<u8>> {
        let handle = self.open(node, OpenFlags::RDONLY)?;
        let content = self.read(handle, 0, 1 << 20);
        self.view.release(handle);
        content
    }

    fn rename(&self, old: &str, new: &str, mode: gocryptfs_rs::vfs::RenameMode) -> Result<()> {
        let [old, new] = [old, new].map(AsRef::<OsStr>::as_ref);
        errno(self.view.rename((ROOT, old), (ROOT, new), mode))
    }

    fn change(&self, node: NodeId, handle: Option<Handle>, changes: Changes) -> Result<Attr> {
        errno(self.view.setattr(node, handle, &changes))
    }

    /// All entries of a directory, `.` and `..` left out.
    fn list(&self, node: NodeId) -> Result<Vec<DirEntry>> {
        let handle = errno(self.view.opendir(node))?;
        let mut entries = Vec::new();
        let read = self.view.readdir(handle, 0, &mut |entry| {
            entries.push(entry.clone());
            true
        });
        self.view.releasedir(handle);
        errno(read)?;
        entries.retain(|entry| entry.name != "." && entry.name != "..");
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn names(&self, node: NodeId) -> Result<Vec<String>> {
        let entries = self.list(node)?;
        let names = entries.into_iter().map(|entry| entry.name);
        Ok(names.map(|name| name.into_string().unwrap()).collect())
    }
}

fn open(dir: &Path, names: NameParams) -> Forward {
    let params = Params {
        content: ContentSuite::AesGcm,
        names,
        padded: false,
        hkdf: true,
    };
    let key = MasterKey(Secret::new([0; 32]));
    let options = vault::Options {
        preallocate: true,
        shared_storage: false,
    };
    let vault = vault::Vault::open(dir, &params, &key, options).unwrap();
    Forward::new(vault, forward::Options::default()).unwrap()
}

fn errno<T>(result: std::result::Result<T, Error>) -> Result<T> {
    result.map_err(|error| error.errno())
}

fn kind(entry: &Entry) -> Kind {
    entry.attr.stat.kind()
}

/// A name that is stored hashed.
fn long(letter: &str) -> String {
    letter.repeat(200)
}

fn size(size: u64) -> Changes {
    Changes {
        size: Some(PlainOffset(size)),
        ..NO_CHANGES
    }
}

fn mode(mode: u32) -> Changes {
    Changes {
        mode: Some(mode),
        ..NO_CHANGES
    }
}
