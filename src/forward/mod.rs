//! The plain view of a vault: a file system over encrypted files.
//!
//! Invariant: every operation reaches its object through a directory handle and one name, or
//! through an open file; the kernel's path plays no part.

mod create;
mod dirs;
mod files;
mod listing;
mod lookup;
mod open_files;
mod paths;
mod remove;
mod setattr;
mod xattr;

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::format::PlainOffset;
use crate::forward::open_files::{OpenFile, OpenFiles};
use crate::sys::{FsStat, OpenFlags};
use crate::tree::{DirCache, Handles, Nodes};
use crate::vault::{self, BackingName, CipherDir, Listing, Owner, Vault};
use crate::vfs::{
    Attr, Caller, Changes, Control, CopyRange, DirEntry, Entry, Error, Fallocate, Handle, NodeId,
    Opened, RenameMode, Result, Seek, Take, Timeouts, Vfs,
};

/// How many directories are kept open.
const DIRS: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How long the kernel may believe names and attributes.
const TIMEOUT: Duration = Duration::from_secs(1);
/// What `statfs` says is the longest name, bytes.
const NAME_MAX: u64 = 255;

/// How the view behaves.
#[expect(clippy::struct_excessive_bools, reason = "each is one mount option")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// New objects belong to the caller. Needs root.
    pub preserve_owner: bool,
    /// Everything appears to belong to this user and group.
    pub force_owner: Option<(u32, u32)>,
    /// Somebody else writes the vault at the same time.
    pub shared_storage: bool,
    /// Pages cached by the kernel stay valid across opens.
    pub kernel_cache: bool,
    /// Whether copies inside the mount may share storage.
    pub reflink: bool,
    /// Set-user-ID bits and file capabilities count.
    pub suid: bool,
}

/// The plain view of a vault.
pub struct Forward {
    vault: Vault,
    options: Options,
    nodes: Nodes<BackingName>,
    dirs: DirCache<CipherDir>,
    files: OpenFiles,
    listings: Handles<OpenDir>,
    /// Copies that share storage, and how many bytes they share.
    clones: AtomicU64,
    bytes_cloned: AtomicU64,
    /// Held exclusively while a file is briefly readable that should not be.
    opening: parking_lot::RwLock<()>,
    /// Shared by whoever moves or removes an object and has not told the node table yet. Comes
    /// before all other locks.
    moving: parking_lot::RwLock<()>,
}

struct OpenDir {
    node: NodeId,
    listing: parking_lot::Mutex<Listing>,
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Error {
        match error {
            vault::Error::Os(errno) => Error::Os(errno),
            vault::Error::Corrupt { ino, what } => Error::Corrupt { ino, what },
        }
    }
}

impl Forward {
    /// The view of `vault`.
    ///
    /// # Errors
    /// What looking at its top directory says.
    pub fn new(vault: Vault, options: Options) -> Result<Forward> {
        let root = vault.root_key()?;
        Ok(Forward {
            vault,
            options,
            nodes: Nodes::new(root, options.shared_storage),
            dirs: DirCache::new(DIRS),
            files: OpenFiles::default(),
            listings: Handles::default(),
            clones: AtomicU64::new(0),
            bytes_cloned: AtomicU64::new(0),
            opening: parking_lot::RwLock::new(()),
            moving: parking_lot::RwLock::new(()),
        })
    }

    /// The file of a handle, which is about to change.
    fn changing(&self, handle: Handle) -> Result<Arc<OpenFile>> {
        let open = self.files.get(handle)?;
        open.written.store(true, Ordering::Relaxed);
        Ok(open)
    }

    /// Whom a new object shall belong to.
    fn owner(&self, caller: Caller) -> Option<Owner> {
        self.options.preserve_owner.then_some(Owner {
            uid: caller.uid,
            gid: caller.gid,
            pid: caller.pid,
        })
    }
}

/// The permissions of a new object. Without ACLs the kernel has taken the umask off already, and
/// taking it off twice changes nothing.
fn masked(dir: &CipherDir, caller: Caller, mode: u32) -> u32 {
    if caller.umask & mode == 0 || dir.has_default_acl() {
        mode
    } else {
        mode & !caller.umask
    }
}

/// Asks for the attributes after a change, and once more if that fails: what was done must not look
/// as if it had failed for an error that passes.
fn twice<T>(ask: impl Fn() -> Result<T>) -> Result<T> {
    ask().or_else(|_| ask())
}

impl Vfs for Forward {
    fn timeouts(&self) -> Timeouts {
        let timeout = if self.options.shared_storage {
            Duration::ZERO
        } else {
            TIMEOUT
        };
        Timeouts {
            entry: timeout,
            attr: timeout,
            negative: timeout,
        }
    }

    fn disk_path(&self, ino: u64) -> Option<PathBuf> {
        self.known_path(ino)
    }

    fn lookup(&self, parent: NodeId, name: &OsStr) -> Result<Entry> {
        self.look_up(parent, name)
    }

    fn forget(&self, node: NodeId, count: u64) {
        if self.nodes.forget(node, count) {
            self.dirs.remove(node);
        }
    }

    fn getattr(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        self.attributes(node, handle)
    }

    fn setattr(&self, node: NodeId, handle: Option<Handle>, changes: &Changes) -> Result<Attr> {
        self.change(node, handle, changes)?;
        twice(|| self.attributes(node, handle))
    }

    fn drop_privileges(&self, caller: Caller, node: NodeId, handle: Option<Handle>) -> Result<()> {
        // A daemon that is nobody special leaves it to the system below.
        if self.options.preserve_owner {
            self.drop_set_ids(caller, node, handle)
        } else {
            Ok(())
        }
    }

    fn readlink(&self, node: NodeId) -> Result<Vec<u8>> {
        self.by_name(node, |dir, name| Ok(self.vault.readlink(dir, name)?))
    }

    fn mknod(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        rdev: u64,
    ) -> Result<Entry> {
        self.make(parent, name, |dir, stored| {
            let mode = masked(dir, caller, mode);
            self.vault
                .mknod(dir, stored, mode, rdev, self.owner(caller))
        })
    }

    fn mkdir(&self, caller: Caller, parent: NodeId, name: &OsStr, mode: u32) -> Result<Entry> {
        self.make(parent, name, |dir, stored| {
            let mode = masked(dir, caller, mode);
            self.vault.mkdir(dir, stored, mode, self.owner(caller))
        })
    }

    fn symlink(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Entry> {
        self.make(parent, name, |dir, stored| {
            self.vault.symlink(dir, stored, target, self.owner(caller))
        })
    }

    fn link(&self, node: NodeId, parent: NodeId, name: &OsStr) -> Result<Entry> {
        let inode = self.held(node)?;
        self.make(parent, name, |dir, stored| {
            self.vault.link(&inode, dir, stored)
        })
    }

    fn unlink(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        self.remove_file(parent, name)
    }

    fn rmdir(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        self.remove_dir(parent, name)
    }

    fn rename(&self, from: (NodeId, &OsStr), to: (NodeId, &OsStr), mode: RenameMode) -> Result<()> {
        self.move_object(from, to, mode)
    }

    fn open(&self, node: NodeId, flags: OpenFlags) -> Result<Opened> {
        self.open_file(node, flags)
    }

    fn create(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        flags: OpenFlags,
    ) -> Result<(Entry, Opened)> {
        self.create_file(caller, parent, name, mode, flags)
    }

    fn read<'b>(
        &self,
        handle: Handle,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        Ok(self.files.get(handle)?.file.read(at, len, buf)?)
    }

    fn write(&self, handle: Handle, at: PlainOffset, data: &[u8]) -> Result<()> {
        Ok(self.changing(handle)?.file.write(at, data)?)
    }

    fn flush(&self, handle: Handle) -> Result<()> {
        let open = self.files.get(handle)?;
        if open.written.swap(false, Ordering::Relaxed) {
            open.file.backing().flush()?;
        }
        Ok(())
    }

    fn fsync(&self, handle: Handle, data_only: bool) -> Result<()> {
        let open = self.files.get(handle)?;
        self.vault.sync_helpers()?;
        Ok(open.file.sync(data_only)?)
    }

    fn release(&self, handle: Handle) {
        self.files.remove(handle);
    }

    fn fallocate(&self, handle: Handle, at: PlainOffset, len: u64, what: Fallocate) -> Result<()> {
        let file = &self.changing(handle)?.file;
        match what {
            Fallocate::Grow => file.reserve_and_grow(at, len)?,
            Fallocate::KeepSize => file.reserve(at, len)?,
            Fallocate::Punch => file.punch(at, len)?,
            Fallocate::ZeroAndGrow => {
                file.punch(at, len)?;
                file.reserve_and_grow(at, len)?;
            }
            Fallocate::Zero => {
                file.punch(at, len)?;
                file.reserve(at, len)?;
            }
        }
        Ok(())
    }

    fn seek(&self, handle: Handle, at: PlainOffset, what: Seek) -> Result<PlainOffset> {
        let open = self.files.get(handle)?;
        Ok(match what {
            Seek::Data => open.file.seek_data(at)?,
            Seek::Hole => open.file.seek_hole(at)?,
        })
    }

    fn copy_range(&self, copy: CopyRange) -> Result<u64> {
        self.copy(copy)
    }

    fn control(&self, handle: Handle, control: Control) -> Result<u64> {
        self.control_copies(handle, control)
    }

    fn opendir(&self, node: NodeId) -> Result<Handle> {
        self.open_listing(node)
    }

    fn readdir(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()> {
        self.list(handle, offset, take)
    }

    fn readdirplus(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()> {
        self.list_with_attributes(handle, offset, take)
    }

    fn fsyncdir(&self, handle: Handle, data_only: bool) -> Result<()> {
        let open = self.listings.get(handle)?;
        self.vault.sync_helpers()?;
        Ok(open.listing.lock().sync(data_only)?)
    }

    fn releasedir(&self, handle: Handle) {
        self.listings.remove(handle);
    }

    fn statfs(&self) -> Result<FsStat> {
        let mut stat = self.vault.statfs()?;
        stat.namelen = NAME_MAX;
        Ok(stat)
    }

    fn access(&self, node: NodeId, mask: u32) -> Result<()> {
        self.by_name(node, |dir, name| {
            Ok(dir.dir().access(name.as_ref(), mask)?)
        })
    }

    fn getxattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>> {
        self.get_xattr(node, name)
    }

    fn setxattr(
        &self,
        caller: Caller,
        node: NodeId,
        name: &OsStr,
        value: &[u8],
        flags: u32,
    ) -> Result<()> {
        self.set_xattr(caller, node, name, value, flags)
    }

    fn listxattr(&self, node: NodeId) -> Result<Vec<OsString>> {
        self.list_xattr(node)
    }

    fn removexattr(&self, node: NodeId, name: &OsStr) -> Result<()> {
        self.remove_xattr(node, name)
    }
}
