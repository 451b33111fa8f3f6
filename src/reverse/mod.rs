//! The encrypted view of a plain directory: what a vault with the same content could look like.
//!
//! Nothing is stored and nothing is random: IVs and IDs follow from paths, so the view is the same
//! at every mount and a backup of it finds unchanged files unchanged. Beside the encrypted entries
//! stand virtual ones: `gocryptfs.diriv` in each directory and a `.name` file for each long name.
//!
//! Invariant: every operation reaches its object through a directory handle and one plain name, and
//! never through a symlink; only the configuration file may be one, as its owner wishes. Nothing
//! can be changed.

mod dirs;
mod exclude;
mod files;
mod links;
mod listing;
mod long_names;
mod lookup;
mod member;
mod paths;
mod seek;
mod settled;
mod sizes;
mod target;
mod virtuals;
mod xattr;

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use crate::crypto::{ContentSuite, MasterKey};
use crate::format::{CipherOffset, Codecs, Params, PlainOffset};
use crate::sys::{Dir, Errno, FileKey, FsStat, OpenFlags};
use crate::tree::{DirCache, Handles, Nodes};
use crate::vfs::{
    Attr, Caller, Changes, CopyRange, DirEntry, Entry, Error, Fallocate, Handle, NodeId, Opened,
    RenameMode, Result, Seek, Take, Timeouts, Vfs,
};
use dirs::ViewDir;
use files::OpenFile;
use links::HardLinks;
use listing::OpenDir;
use member::Member;
use sizes::Sizes;

pub use exclude::Exclusions;

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
    /// Everything appears to belong to this user and group.
    pub force_owner: Option<(u32, u32)>,
    /// Pages cached by the kernel stay valid across opens.
    pub kernel_cache: bool,
    /// Directories of other file systems appear empty.
    pub one_file_system: bool,
    /// `.gocryptfs.reverse.conf` appears as `gocryptfs.conf`, not encrypted.
    pub show_config: bool,
    /// The view is that of the newest version of the original program, where it differs from
    /// that of 2.3: extended attributes appear, virtual files are ten seconds younger, and a file
    /// with several names is sealed for the one that is opened first rather than looked up last.
    pub newest: bool,
}

/// The encrypted view of a plain directory.
pub struct Reverse {
    root: Dir,
    root_key: FileKey,
    codecs: Codecs,
    dir_ivs: bool,
    options: Options,
    exclusions: Exclusions,
    nodes: Nodes<Member>,
    dirs: DirCache<ViewDir>,
    links: HardLinks,
    sizes: Sizes,
    files: Handles<OpenFile>,
    listings: Handles<OpenDir>,
}

impl Reverse {
    /// The view of the directory `plaindir`, which may be a symlink.
    ///
    /// # Errors
    /// What opening it says; `EINVAL` unless content is encrypted with AES-SIV, the only cipher
    /// that is safe with nonces that are not random.
    pub fn open(
        plaindir: &Path,
        params: &Params,
        key: &MasterKey,
        options: Options,
        exclusions: Exclusions,
    ) -> Result<Reverse> {
        if params.content != ContentSuite::AesSiv {
            return Err(Error::Os(Errno::INVAL));
        }
        let root = Dir::open(plaindir)?;
        let root_key = root.stat()?.key;
        Ok(Reverse {
            root,
            root_key,
            codecs: Codecs::new(key, params),
            dir_ivs: params.has_dir_iv(),
            options,
            exclusions,
            nodes: Nodes::new(root_key, true),
            dirs: DirCache::new(DIRS),
            links: HardLinks::default(),
            sizes: Sizes::default(),
            files: Handles::default(),
            listings: Handles::default(),
        })
    }
}

/// The seam speaks of plain offsets; here the programs see those of the other side.
fn shown_offset(at: PlainOffset) -> CipherOffset {
    CipherOffset(at.0)
}

/// The answer to every attempt to change something.
fn read_only<T>() -> Result<T> {
    Err(Error::Os(Errno::ROFS))
}

impl Vfs for Reverse {
    fn timeouts(&self) -> Timeouts {
        Timeouts {
            entry: TIMEOUT,
            attr: TIMEOUT,
            negative: TIMEOUT,
        }
    }

    fn lookup(&self, parent: NodeId, name: &OsStr) -> Result<Entry> {
        self.look_up(parent, name)
    }

    fn forget(&self, node: NodeId, count: u64) {
        if self.nodes.forget(node, count) {
            self.dirs.remove(node);
            self.sizes.forget(node);
        }
    }

    fn getattr(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        self.attributes(node, handle)
    }

    fn setattr(&self, _: NodeId, _: Option<Handle>, _: &Changes) -> Result<Attr> {
        read_only()
    }

    fn readlink(&self, node: NodeId) -> Result<Vec<u8>> {
        self.link_target(node)
    }

    fn mknod(&self, _: Caller, _: NodeId, _: &OsStr, _: u32, _: u64) -> Result<Entry> {
        read_only()
    }

    fn mkdir(&self, _: Caller, _: NodeId, _: &OsStr, _: u32) -> Result<Entry> {
        read_only()
    }

    fn symlink(&self, _: Caller, _: NodeId, _: &OsStr, _: &OsStr) -> Result<Entry> {
        read_only()
    }

    fn link(&self, _: NodeId, _: NodeId, _: &OsStr) -> Result<Entry> {
        read_only()
    }

    fn unlink(&self, _: NodeId, _: &OsStr) -> Result<()> {
        read_only()
    }

    fn rmdir(&self, _: NodeId, _: &OsStr) -> Result<()> {
        read_only()
    }

    fn rename(&self, _: (NodeId, &OsStr), _: (NodeId, &OsStr), _: RenameMode) -> Result<()> {
        read_only()
    }

    fn open(&self, node: NodeId, _: OpenFlags) -> Result<Opened> {
        self.open_file(node)
    }

    fn create(
        &self,
        _: Caller,
        _: NodeId,
        _: &OsStr,
        _: u32,
        _: OpenFlags,
    ) -> Result<(Entry, Opened)> {
        read_only()
    }

    fn read<'b>(
        &self,
        handle: Handle,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let file = self.files.get(handle)?;
        self.read_file(&file, shown_offset(at), len, buf)
    }

    fn write(&self, _: Handle, _: PlainOffset, _: &[u8]) -> Result<()> {
        read_only()
    }

    fn flush(&self, _: Handle) -> Result<()> {
        Ok(())
    }

    fn fsync(&self, _: Handle, _: bool) -> Result<()> {
        Ok(())
    }

    fn release(&self, handle: Handle) {
        self.files.remove(handle);
    }

    fn fallocate(&self, _: Handle, _: PlainOffset, _: u64, _: Fallocate) -> Result<()> {
        read_only()
    }

    fn seek(&self, handle: Handle, at: PlainOffset, what: Seek) -> Result<PlainOffset> {
        let file = self.files.get(handle)?;
        let found = self.seek_file(&file, shown_offset(at), what)?;
        Ok(PlainOffset(found.0))
    }

    fn copy_range(&self, _: CopyRange) -> Result<u64> {
        read_only()
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

    fn fsyncdir(&self, _: Handle, _: bool) -> Result<()> {
        Ok(())
    }

    fn releasedir(&self, handle: Handle) {
        self.listings.remove(handle);
    }

    fn statfs(&self) -> Result<FsStat> {
        let mut stat = self.root.statfs()?;
        stat.namelen = NAME_MAX;
        Ok(stat)
    }

    fn access(&self, node: NodeId, mask: u32) -> Result<()> {
        self.may_access(node, mask)
    }

    fn getxattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>> {
        self.get_xattr(node, name)
    }

    fn setxattr(&self, _: Caller, _: NodeId, _: &OsStr, _: &[u8], _: u32) -> Result<()> {
        read_only()
    }

    fn listxattr(&self, node: NodeId) -> Result<Vec<OsString>> {
        self.list_xattr(node)
    }

    fn removexattr(&self, _: NodeId, _: &OsStr) -> Result<()> {
        read_only()
    }
}
