//! The least that a file system in user space costs: the files of one directory as they are, through
//! the same adapter, without encryption. What the speed of the real thing is compared with.
//!
//! `floor DIR MOUNTPOINT`. There are no subdirectories, and only what moving data takes.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool goes by paths, as a user does"
)]

use gocryptfs_rs::mount::{Options, Session};
use gocryptfs_rs::sys::{self, Dir, File};
use gocryptfs_rs::vfs::{
    Attr, Caller, Changes, CopyRange, DirEntry, Entry, Errno, Error, Fallocate, FsStat, Handle,
    NodeId, OpenFlags, Opened, PlainOffset, RenameMode, Result, Seek, Stat, Take, Timeouts, Vfs,
};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// The files of a directory.
struct Floor {
    dir: Dir,
    names: Mutex<HashMap<NodeId, OsString>>,
    open: RwLock<Vec<Option<Arc<File>>>>,
}

fn os<T>(result: sys::Result<T>) -> Result<T> {
    result.map_err(Error::Os)
}

fn missing<T>() -> Result<T> {
    Err(Error::Os(Errno::NOSYS))
}

impl Floor {
    fn new(path: &Path) -> sys::Result<Floor> {
        Ok(Floor {
            dir: Dir::open(path)?,
            names: Mutex::default(),
            open: RwLock::default(),
        })
    }

    fn name(&self, node: NodeId) -> Result<OsString> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&node).cloned().ok_or(Error::Os(Errno::NOENT))
    }

    fn file(&self, handle: Handle) -> Result<Arc<File>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let slot = usize::try_from(handle.0).ok().and_then(|at| open.get(at));
        slot.cloned().flatten().ok_or(Error::Os(Errno::BADF))
    }

    fn insert(&self, file: File) -> Opened {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.push(Some(Arc::new(file)));
        Opened {
            handle: Handle(open.len() as u64 - 1),
            keep_cache: false,
        }
    }

    fn entry(&self, name: &OsStr, stat: Stat) -> Entry {
        let node = NodeId(stat.key.ino);
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(node, name.to_owned());
        Entry {
            node,
            generation: 0,
            attr: Attr::new(node.0, stat),
        }
    }
}

impl Vfs for Floor {
    fn timeouts(&self) -> Timeouts {
        let second = Duration::from_secs(1);
        Timeouts {
            entry: second,
            attr: second,
            negative: second,
        }
    }

    fn lookup(&self, _: NodeId, name: &OsStr) -> Result<Entry> {
        Ok(self.entry(name, os(self.dir.stat_at(name))?))
    }

    fn forget(&self, _: NodeId, _: u64) {}

    fn getattr(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        let stat = match handle {
            Some(handle) => os(self.file(handle)?.stat())?,
            None if node == NodeId::ROOT => os(self.dir.stat())?,
            None => os(self.dir.stat_at(&self.name(node)?))?,
        };
        Ok(Attr::new(node.0, stat))
    }

    fn setattr(&self, node: NodeId, handle: Option<Handle>, changes: &Changes) -> Result<Attr> {
        if let Some(PlainOffset(size)) = changes.size {
            let file = match handle {
                Some(handle) => self.file(handle)?,
                None => Arc::new(os(self.dir.open_file(&self.name(node)?, OpenFlags::RDWR))?),
            };
            os(sys::Backing::set_len(&*file, size))?;
        }
        self.getattr(node, handle)
    }

    fn unlink(&self, _: NodeId, name: &OsStr) -> Result<()> {
        os(self.dir.unlink(name))
    }

    fn open(&self, node: NodeId, flags: OpenFlags) -> Result<Opened> {
        let flags = flags & OpenFlags::ACCMODE;
        Ok(self.insert(os(self.dir.open_file(&self.name(node)?, flags))?))
    }

    fn create(
        &self,
        _: Caller,
        _: NodeId,
        name: &OsStr,
        mode: u32,
        _: OpenFlags,
    ) -> Result<(Entry, Opened)> {
        let file = os(self.dir.create_file(name, OpenFlags::RDWR, mode))?;
        let entry = self.entry(name, os(file.stat())?);
        Ok((entry, self.insert(file)))
    }

    fn read<'b>(
        &self,
        handle: Handle,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        if buf.len() < len {
            buf.resize(len, 0);
        }
        let got = os(sys::Backing::read_at(
            &*self.file(handle)?,
            &mut buf[..len],
            at.0,
        ))?;
        Ok(&buf[..got])
    }

    fn write(&self, handle: Handle, at: PlainOffset, data: &[u8]) -> Result<()> {
        let written = sys::Backing::write_at(&*self.file(handle)?, data, at.0);
        written.map_err(|short| Error::Os(short.errno))
    }

    fn flush(&self, _: Handle) -> Result<()> {
        Ok(())
    }

    fn release(&self, handle: Handle) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = usize::try_from(handle.0)
            .ok()
            .and_then(|at| open.get_mut(at))
        {
            *slot = None;
        }
    }

    fn statfs(&self) -> Result<FsStat> {
        os(self.dir.statfs())
    }

    fn access(&self, _: NodeId, _: u32) -> Result<()> {
        Ok(())
    }

    // What follows moves no data.

    fn readlink(&self, _: NodeId) -> Result<Vec<u8>> {
        missing()
    }

    fn mknod(&self, _: Caller, _: NodeId, _: &OsStr, _: u32, _: u64) -> Result<Entry> {
        missing()
    }

    fn mkdir(&self, _: Caller, _: NodeId, _: &OsStr, _: u32) -> Result<Entry> {
        missing()
    }

    fn symlink(&self, _: Caller, _: NodeId, _: &OsStr, _: &OsStr) -> Result<Entry> {
        missing()
    }

    fn link(&self, _: NodeId, _: NodeId, _: &OsStr) -> Result<Entry> {
        missing()
    }

    fn rmdir(&self, _: NodeId, _: &OsStr) -> Result<()> {
        missing()
    }

    fn rename(&self, _: (NodeId, &OsStr), _: (NodeId, &OsStr), _: RenameMode) -> Result<()> {
        missing()
    }

    fn fsync(&self, _: Handle, _: bool) -> Result<()> {
        missing()
    }

    fn fallocate(&self, _: Handle, _: PlainOffset, _: u64, _: Fallocate) -> Result<()> {
        missing()
    }

    fn seek(&self, _: Handle, _: PlainOffset, _: Seek) -> Result<PlainOffset> {
        missing()
    }

    fn copy_range(&self, _: CopyRange) -> Result<u64> {
        missing()
    }

    fn opendir(&self, _: NodeId) -> Result<Handle> {
        missing()
    }

    fn readdir(&self, _: Handle, _: u64, _: Take<'_, DirEntry>) -> Result<()> {
        missing()
    }

    fn readdirplus(&self, _: Handle, _: u64, _: Take<'_, (DirEntry, Entry)>) -> Result<()> {
        missing()
    }

    fn fsyncdir(&self, _: Handle, _: bool) -> Result<()> {
        missing()
    }

    fn releasedir(&self, _: Handle) {}

    fn getxattr(&self, _: NodeId, _: &OsStr) -> Result<Vec<u8>> {
        missing()
    }

    fn setxattr(&self, _: Caller, _: NodeId, _: &OsStr, _: &[u8], _: u32) -> Result<()> {
        missing()
    }

    fn listxattr(&self, _: NodeId) -> Result<Vec<OsString>> {
        missing()
    }

    fn removexattr(&self, _: NodeId, _: &OsStr) -> Result<()> {
        missing()
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [dir, mountpoint] = &paths[..] else {
        return Err("usage: floor DIR MOUNTPOINT".into());
    };
    let options = Options {
        mountpoint: mountpoint.clone(),
        fsname: "floor".into(),
        subtype: "floor",
        allow_other: false,
        default_permissions: false,
        acl: false,
        xattr: false,
        writeback: false,
        read_only: false,
        dev: false,
        suid: false,
        exec: false,
        kernel_options: Vec::new(),
    };
    Session::mount(Arc::new(Floor::new(dir)?), &options)?.run()?;
    Ok(())
}
