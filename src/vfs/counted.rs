//! A file system that counts what it is asked for, and tells what goes wrong. It answers as the one
//! inside does.
//!
//! The counters are independent of each other: a look at them while requests are answered may see
//! one of a pair that belongs together and not yet the other.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use crate::vfs::tell::tell;
use crate::vfs::{
    Attr, Caller, Changes, Control, CopyRange, DirEntry, Entry, Errno, Error, ErrorFigures,
    Fallocate, Figures, FsStat, Handle, NodeId, OpenFlags, Opened, Paths, PlainOffset, RenameMode,
    Result, Seek, Take, Timeouts, Vfs,
};

/// Declares the operations that are counted, with their names.
macro_rules! operations {
    ($($operation:ident $name:literal,)*) => {
        #[derive(Clone, Copy)]
        enum Operation { $($operation),* }
        const NAMES: &[&str] = &[$($name),*];
    };
}

operations! {
    Lookup "lookup",
    Forget "forget",
    Getattr "getattr",
    Setattr "setattr",
    DropPrivileges "drop_privileges",
    Readlink "readlink",
    Mknod "mknod",
    Mkdir "mkdir",
    Symlink "symlink",
    Link "link",
    Unlink "unlink",
    Rmdir "rmdir",
    Rename "rename",
    Open "open",
    Create "create",
    Read "read",
    Write "write",
    Flush "flush",
    Fsync "fsync",
    Release "release",
    Fallocate "fallocate",
    Seek "seek",
    CopyRange "copy_range",
    Control "control",
    Opendir "opendir",
    Readdir "readdir",
    Readdirplus "readdirplus",
    Fsyncdir "fsyncdir",
    Releasedir "releasedir",
    Statfs "statfs",
    Access "access",
    Getxattr "getxattr",
    Setxattr "setxattr",
    Listxattr "listxattr",
    Removexattr "removexattr",
}

/// The counters.
struct Counters {
    begun: Instant,
    operations: [AtomicU64; NAMES.len()],
    read: AtomicU64,
    written: AtomicU64,
    corrupt: AtomicU64,
    io: AtomicU64,
    other: AtomicU64,
}

impl Counters {
    fn count(&self, operation: Operation) {
        self.operations[operation as usize].fetch_add(1, Relaxed);
    }

    fn count_error(&self, error: &Error) {
        let counter = match error {
            Error::Corrupt { .. } => &self.corrupt,
            Error::Os(Errno::IO) => &self.io,
            Error::Os(_) => &self.other,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// A file system whose requests are counted.
pub struct Counted<V> {
    fs: V,
    counters: Counters,
}

impl<V> Counted<V> {
    /// Counts from now on.
    pub fn new(fs: V) -> Counted<V> {
        let counters = Counters {
            begun: Instant::now(),
            operations: [const { AtomicU64::new(0) }; NAMES.len()],
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            corrupt: AtomicU64::new(0),
            io: AtomicU64::new(0),
            other: AtomicU64::new(0),
        };
        Counted { fs, counters }
    }
}

impl<V: Vfs> Counted<V> {
    fn note<T>(&self, operation: Operation, result: Result<T>) -> Result<T> {
        self.counters.count(operation);
        result.inspect_err(|error| {
            self.counters.count_error(error);
            let name = NAMES[operation as usize];
            tell(name, error, |ino| self.fs.disk_path(ino));
        })
    }
}

impl<V: Paths> Paths for Counted<V> {
    fn encrypt_path(&self, plain: &Path) -> Result<PathBuf> {
        self.fs.encrypt_path(plain)
    }

    fn decrypt_path(&self, encrypted: &Path) -> Result<PathBuf> {
        self.fs.decrypt_path(encrypted)
    }

    fn figures(&self) -> Figures {
        let counters = &self.counters;
        let counts = counters.operations.iter().map(|count| count.load(Relaxed));
        let operations: BTreeMap<_, _> = NAMES.iter().copied().zip(counts).collect();
        Figures {
            seconds: counters.begun.elapsed().as_secs(),
            operations,
            bytes_read: counters.read.load(Relaxed),
            bytes_written: counters.written.load(Relaxed),
            errors: ErrorFigures {
                corrupt: counters.corrupt.load(Relaxed),
                io: counters.io.load(Relaxed),
                other: counters.other.load(Relaxed),
            },
            ..self.fs.figures()
        }
    }
}

impl<V: Vfs> Vfs for Counted<V> {
    fn timeouts(&self) -> Timeouts {
        self.fs.timeouts()
    }

    fn disk_path(&self, ino: u64) -> Option<PathBuf> {
        self.fs.disk_path(ino)
    }

    fn lookup(&self, parent: NodeId, name: &OsStr) -> Result<Entry> {
        self.note(Operation::Lookup, self.fs.lookup(parent, name))
    }

    fn forget(&self, node: NodeId, count: u64) {
        self.counters.count(Operation::Forget);
        self.fs.forget(node, count);
    }

    fn getattr(&self, node: NodeId, handle: Option<Handle>) -> Result<Attr> {
        self.note(Operation::Getattr, self.fs.getattr(node, handle))
    }

    fn setattr(&self, node: NodeId, handle: Option<Handle>, changes: &Changes) -> Result<Attr> {
        self.note(Operation::Setattr, self.fs.setattr(node, handle, changes))
    }

    fn drop_privileges(&self, caller: Caller, node: NodeId, handle: Option<Handle>) -> Result<()> {
        self.note(
            Operation::DropPrivileges,
            self.fs.drop_privileges(caller, node, handle),
        )
    }

    fn readlink(&self, node: NodeId) -> Result<Vec<u8>> {
        self.note(Operation::Readlink, self.fs.readlink(node))
    }

    fn mknod(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        rdev: u64,
    ) -> Result<Entry> {
        self.note(
            Operation::Mknod,
            self.fs.mknod(caller, parent, name, mode, rdev),
        )
    }

    fn mkdir(&self, caller: Caller, parent: NodeId, name: &OsStr, mode: u32) -> Result<Entry> {
        self.note(Operation::Mkdir, self.fs.mkdir(caller, parent, name, mode))
    }

    fn symlink(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        target: &OsStr,
    ) -> Result<Entry> {
        self.note(
            Operation::Symlink,
            self.fs.symlink(caller, parent, name, target),
        )
    }

    fn link(&self, node: NodeId, parent: NodeId, name: &OsStr) -> Result<Entry> {
        self.note(Operation::Link, self.fs.link(node, parent, name))
    }

    fn unlink(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        self.note(Operation::Unlink, self.fs.unlink(parent, name))
    }

    fn rmdir(&self, parent: NodeId, name: &OsStr) -> Result<()> {
        self.note(Operation::Rmdir, self.fs.rmdir(parent, name))
    }

    fn rename(&self, from: (NodeId, &OsStr), to: (NodeId, &OsStr), mode: RenameMode) -> Result<()> {
        self.note(Operation::Rename, self.fs.rename(from, to, mode))
    }

    fn open(&self, node: NodeId, flags: OpenFlags) -> Result<Opened> {
        self.note(Operation::Open, self.fs.open(node, flags))
    }

    fn create(
        &self,
        caller: Caller,
        parent: NodeId,
        name: &OsStr,
        mode: u32,
        flags: OpenFlags,
    ) -> Result<(Entry, Opened)> {
        self.note(
            Operation::Create,
            self.fs.create(caller, parent, name, mode, flags),
        )
    }

    fn read<'b>(
        &self,
        handle: Handle,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let read = self.note(Operation::Read, self.fs.read(handle, at, len, buf))?;
        self.counters.read.fetch_add(read.len() as u64, Relaxed);
        Ok(read)
    }

    fn write(&self, handle: Handle, at: PlainOffset, data: &[u8]) -> Result<()> {
        self.note(Operation::Write, self.fs.write(handle, at, data))?;
        self.counters.written.fetch_add(data.len() as u64, Relaxed);
        Ok(())
    }

    fn flush(&self, handle: Handle) -> Result<()> {
        self.note(Operation::Flush, self.fs.flush(handle))
    }

    fn fsync(&self, handle: Handle, data_only: bool) -> Result<()> {
        self.note(Operation::Fsync, self.fs.fsync(handle, data_only))
    }

    fn release(&self, handle: Handle) {
        self.counters.count(Operation::Release);
        self.fs.release(handle);
    }

    fn fallocate(&self, handle: Handle, at: PlainOffset, len: u64, what: Fallocate) -> Result<()> {
        self.note(
            Operation::Fallocate,
            self.fs.fallocate(handle, at, len, what),
        )
    }

    fn seek(&self, handle: Handle, at: PlainOffset, what: Seek) -> Result<PlainOffset> {
        self.note(Operation::Seek, self.fs.seek(handle, at, what))
    }

    fn copy_range(&self, copy: CopyRange) -> Result<u64> {
        self.note(Operation::CopyRange, self.fs.copy_range(copy))
    }

    fn control(&self, handle: Handle, control: Control) -> Result<u64> {
        self.note(Operation::Control, self.fs.control(handle, control))
    }

    fn opendir(&self, node: NodeId) -> Result<Handle> {
        self.note(Operation::Opendir, self.fs.opendir(node))
    }

    fn readdir(&self, handle: Handle, offset: u64, take: Take<'_, DirEntry>) -> Result<()> {
        self.note(Operation::Readdir, self.fs.readdir(handle, offset, take))
    }

    fn readdirplus(
        &self,
        handle: Handle,
        offset: u64,
        take: Take<'_, (DirEntry, Entry)>,
    ) -> Result<()> {
        self.note(
            Operation::Readdirplus,
            self.fs.readdirplus(handle, offset, take),
        )
    }

    fn fsyncdir(&self, handle: Handle, data_only: bool) -> Result<()> {
        self.note(Operation::Fsyncdir, self.fs.fsyncdir(handle, data_only))
    }

    fn releasedir(&self, handle: Handle) {
        self.counters.count(Operation::Releasedir);
        self.fs.releasedir(handle);
    }

    fn statfs(&self) -> Result<FsStat> {
        self.note(Operation::Statfs, self.fs.statfs())
    }

    fn access(&self, node: NodeId, mask: u32) -> Result<()> {
        self.note(Operation::Access, self.fs.access(node, mask))
    }

    fn getxattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>> {
        self.note(Operation::Getxattr, self.fs.getxattr(node, name))
    }

    fn setxattr(
        &self,
        caller: Caller,
        node: NodeId,
        name: &OsStr,
        value: &[u8],
        flags: u32,
    ) -> Result<()> {
        self.note(
            Operation::Setxattr,
            self.fs.setxattr(caller, node, name, value, flags),
        )
    }

    fn listxattr(&self, node: NodeId) -> Result<Vec<OsString>> {
        self.note(Operation::Listxattr, self.fs.listxattr(node))
    }

    fn removexattr(&self, node: NodeId, name: &OsStr) -> Result<()> {
        self.note(Operation::Removexattr, self.fs.removexattr(node, name))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_request_is_passed_on() {
        let (_, trait_of_all) = include_str!("mod.rs").split_once("pub trait Vfs").unwrap();
        let passed_on = include_str!("counted.rs");
        let requests = trait_of_all.split("\n    fn ").skip(1);
        let names = requests.filter_map(|text| text.split(['(', '<']).next());
        let forgotten: Vec<&str> = names
            .filter(|name| !passed_on.contains(&format!("self.fs.{name}(")))
            .collect();
        // One with an answer of its own in the trait would be lost silently.
        assert_eq!(forgotten, [""; 0]);
    }
}
