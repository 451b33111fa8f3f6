//! Requests that come through the FUSE device, and their replies.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, FileHandle, Filesystem, Generation, INodeNo,
    InitFlags, IoctlFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyIoctl, ReplyLseek,
    ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use tracing::debug;

use crate::mount::attach::Options;
use crate::mount::convert::{self, caller, flags, handle, node, small};
use crate::mount::reply::{self, failed};
use crate::mount::server::{MAX_WRITE, Server};
use crate::sys;
use crate::vfs::{Changes, CopyRange, PlainOffset, Vfs};

/// Serves a [`Vfs`] through fuser.
pub(super) struct Adapter<V> {
    server: Arc<Server<V>>,
    acl: bool,
    writeback: bool,
    uses_rings: Arc<AtomicBool>,
}

impl<V: Vfs> Adapter<V> {
    pub(super) fn new(server: Arc<Server<V>>, options: &Options) -> Adapter<V> {
        Adapter {
            server,
            acl: options.acl,
            writeback: options.writeback,
            uses_rings: Arc::default(),
        }
    }

    /// Set as soon as the kernel has been told that requests shall come through `io_uring`.
    pub(super) fn uses_rings(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.uses_rings)
    }
}

impl<V: Vfs> Filesystem for Adapter<V> {
    fn init(&mut self, _req: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let wanted = [
            InitFlags::FUSE_AUTO_INVAL_DATA,
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_ASYNC_DIO,
            // Otherwise the kernel asks for file capabilities before each write.
            InitFlags::FUSE_HANDLE_KILLPRIV_V2,
        ];
        // With ACLs it depends on the directory whether the umask counts.
        let acl = [InitFlags::FUSE_POSIX_ACL, InitFlags::FUSE_DONT_MASK];
        let acl = acl.into_iter().filter(|_| self.acl);
        let writeback = self.writeback.then_some(InitFlags::FUSE_WRITEBACK_CACHE);
        for flag in wanted.into_iter().chain(acl).chain(writeback) {
            if config.add_capabilities(flag).is_err() {
                debug!("the kernel does not offer {flag:?}");
            }
        }
        // Offered where the administrator has switched it on; it cannot be taken back.
        let ring = InitFlags::FUSE_OVER_IO_URING;
        let uses_rings = config.capabilities().contains(ring)
            && sys::can_use_rings()
            && config.add_capabilities(ring).is_ok();
        self.uses_rings.store(uses_rings, Ordering::Relaxed);
        let _ = config.set_max_write(MAX_WRITE);
        Ok(())
    }

    fn lookup(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let timeouts = &self.server.timeouts;
        match self.server.lookup(node(parent), name).transpose() {
            Some(found) => reply::entry(timeouts, "lookup", found, reply),
            None => reply::no_entry(timeouts, reply),
        }
    }

    fn forget(&self, _req: &Request, ino: INodeNo, nlookup: u64) {
        self.server.fs.forget(node(ino), nlookup);
    }

    fn getattr(&self, _req: &Request, ino: INodeNo, fh: Option<FileHandle>, reply: ReplyAttr) {
        let found = self.server.getattr(node(ino), fh.map(handle));
        reply::attr(&self.server.timeouts, "getattr", found, reply);
    }

    fn setattr(
        &self,
        req: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<std::time::SystemTime>,
        fh: Option<FileHandle>,
        _crtime: Option<std::time::SystemTime>,
        _chgtime: Option<std::time::SystemTime>,
        _bkuptime: Option<std::time::SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changes = Changes {
            mode,
            uid,
            gid,
            size: size.map(PlainOffset),
            atime: atime.map(convert::set_time),
            mtime: mtime.map(convert::set_time),
        };
        let caller = caller(req, 0);
        let found = self
            .server
            .setattr(caller, node(ino), fh.map(handle), changes);
        reply::attr(&self.server.timeouts, "setattr", found, reply);
    }

    fn readlink(&self, _req: &Request, ino: INodeNo, reply: ReplyData) {
        match self.server.readlink(node(ino)) {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(failed("readlink", &error)),
        }
    }

    fn mknod(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        rdev: u32,
        reply: ReplyEntry,
    ) {
        let caller = caller(req, umask);
        let created = self.server.mknod(caller, node(parent), name, mode, rdev);
        reply::entry(&self.server.timeouts, "mknod", created, reply);
    }

    fn mkdir(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let caller = caller(req, umask);
        let created = self.server.mkdir(caller, node(parent), name, mode);
        reply::entry(&self.server.timeouts, "mkdir", created, reply);
    }

    fn unlink(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply::empty("unlink", self.server.unlink(node(parent), name), reply);
    }

    fn rmdir(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply::empty("rmdir", self.server.rmdir(node(parent), name), reply);
    }

    fn symlink(
        &self,
        req: &Request,
        parent: INodeNo,
        link_name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let target = target.as_os_str();
        let created = self
            .server
            .symlink(caller(req, 0), node(parent), link_name, target);
        reply::entry(&self.server.timeouts, "symlink", created, reply);
    }

    fn rename(
        &self,
        _req: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (from, to) = ((node(parent), name), (node(newparent), newname));
        let done = self.server.rename(from, to, flags.bits());
        reply::empty("rename", done, reply);
    }

    fn link(
        &self,
        _req: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let created = self.server.link(node(ino), node(newparent), newname);
        reply::entry(&self.server.timeouts, "link", created, reply);
    }

    fn open(&self, _req: &Request, ino: INodeNo, mode: OpenFlags, reply: ReplyOpen) {
        let opened = self.server.open(node(ino), flags(mode.0));
        reply::open("open", opened, flags(mode.0), reply);
    }

    fn read(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.server
            .read(handle(fh), offset, size, |found| match found {
                Ok(data) => reply.data(data),
                Err(error) => reply.error(failed("read", &error)),
            });
    }

    fn write(
        &self,
        req: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let file = (node(ino), handle(fh));
        let drops_privileges = write_flags.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID);
        let written = self
            .server
            .write(caller(req, 0), file, offset, data, drops_privileges);
        match written {
            Ok(len) => reply.written(len),
            Err(error) => reply.error(failed("write", &error)),
        }
    }

    fn flush(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        _lock_owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        reply::empty("flush", self.server.fs.flush(handle(fh)), reply);
    }

    fn release(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.server.release(handle(fh));
        reply.ok();
    }

    fn fsync(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        datasync: bool,
        reply: ReplyEmpty,
    ) {
        reply::empty("fsync", self.server.fs.fsync(handle(fh), datasync), reply);
    }

    fn opendir(&self, _req: &Request, ino: INodeNo, mode: OpenFlags, reply: ReplyOpen) {
        let opened = self.server.opendir(node(ino));
        reply::open("opendir", opened, flags(mode.0), reply);
    }

    fn readdir(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let done = self.server.fs.readdir(handle(fh), offset, &mut |entry| {
            let kind = convert::file_type(entry.kind);
            !reply.add(INodeNo(entry.ino), entry.next, kind, &entry.name)
        });
        match done {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(failed("readdir", &error)),
        }
    }

    fn readdirplus(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let timeouts = self.server.timeouts;
        let done = self
            .server
            .fs
            .readdirplus(handle(fh), offset, &mut |(entry, found)| {
                let attr = convert::attr(found.node.0, &found.attr);
                !reply.add(
                    INodeNo(found.node.0),
                    entry.next,
                    &entry.name,
                    &reply::attr_timeout(&timeouts, found),
                    &attr,
                    Generation(found.generation),
                )
            });
        match done {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(failed("readdirplus", &error)),
        }
    }

    fn releasedir(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.server.releasedir(handle(fh));
        reply.ok();
    }

    fn fsyncdir(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        datasync: bool,
        reply: ReplyEmpty,
    ) {
        reply::empty(
            "fsyncdir",
            self.server.fs.fsyncdir(handle(fh), datasync),
            reply,
        );
    }

    fn statfs(&self, _req: &Request, _ino: INodeNo, reply: ReplyStatfs) {
        match self.server.fs.statfs() {
            Ok(stat) => reply.statfs(
                stat.blocks,
                stat.bfree,
                stat.bavail,
                stat.files,
                stat.ffree,
                small(stat.bsize),
                small(stat.namelen),
                small(stat.frsize),
            ),
            Err(error) => reply.error(failed("statfs", &error)),
        }
    }

    fn setxattr(
        &self,
        req: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        let flags = flags.cast_unsigned();
        let caller = caller(req, 0);
        let done = self.server.setxattr(caller, node(ino), name, value, flags);
        reply::empty("setxattr", done, reply);
    }

    fn getxattr(&self, _req: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let value = self.server.getxattr(node(ino), name, size);
        reply::xattr("getxattr", value, reply);
    }

    fn listxattr(&self, _req: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let names = self.server.listxattr(node(ino), size);
        reply::xattr("listxattr", names, reply);
    }

    fn removexattr(&self, _req: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let done = self.server.removexattr(node(ino), name);
        reply::empty("removexattr", done, reply);
    }

    fn access(&self, _req: &Request, ino: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let mask = mask.bits().cast_unsigned();
        reply::empty("access", self.server.access(node(ino), mask), reply);
    }

    fn create(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        bits: i32,
        reply: ReplyCreate,
    ) {
        let caller = caller(req, umask);
        let created = self
            .server
            .create(caller, node(parent), name, mode, flags(bits));
        match created {
            Ok((entry, opened)) => reply.created(
                &reply::attr_timeout(&self.server.timeouts, &entry),
                &convert::attr(entry.node.0, &entry.attr),
                Generation(entry.generation),
                FileHandle(opened.handle.0),
                reply::open_flags(&opened, flags(bits)),
            ),
            Err(error) => reply.error(failed("create", &error)),
        }
    }

    fn fallocate(
        &self,
        req: &Request,
        ino: INodeNo,
        fh: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let file = (node(ino), handle(fh));
        let done = self
            .server
            .fallocate(caller(req, 0), file, offset, length, mode);
        reply::empty("fallocate", done, reply);
    }

    fn lseek(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        match self.server.seek(handle(fh), offset, whence.cast_unsigned()) {
            Ok(found) => reply.offset(found),
            Err(error) => reply.error(failed("lseek", &error)),
        }
    }

    fn copy_file_range(
        &self,
        req: &Request,
        _ino_in: INodeNo,
        fh_in: FileHandle,
        offset_in: u64,
        ino_out: INodeNo,
        fh_out: FileHandle,
        offset_out: u64,
        len: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        let copy = CopyRange {
            source: handle(fh_in),
            source_at: PlainOffset(offset_in),
            target: handle(fh_out),
            target_at: PlainOffset(offset_out),
            len,
        };
        match self.server.copy_range(caller(req, 0), node(ino_out), copy) {
            Ok(copied) => reply.written(copied),
            Err(error) => reply.error(failed("copy_file_range", &error)),
        }
    }

    fn ioctl(
        &self,
        _req: &Request,
        _ino: INodeNo,
        fh: FileHandle,
        flags: IoctlFlags,
        number: u32,
        data: &[u8],
        _out_size: u32,
        reply: ReplyIoctl,
    ) {
        let is_dir = flags.contains(IoctlFlags::FUSE_IOCTL_DIR);
        match self.server.ioctl(handle(fh), is_dir, number, data) {
            Ok(answer) => reply.ioctl(0, &answer),
            Err(error) => reply.error(failed("ioctl", &error)),
        }
    }
}
