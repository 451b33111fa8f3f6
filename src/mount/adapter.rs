//! Requests in, replies out.
//!
//! Invariant: every lock of the file system is released before the reply goes out, since the
//! kernel may send the next request for the same object at once.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, FileHandle, Filesystem, Generation, INodeNo,
    InitFlags, IoctlFlags, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyIoctl, ReplyLseek,
    ReplyOpen, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use tracing::debug;

use crate::mount::attach::Options;
use crate::mount::convert::{self, caller, flags, handle, node, small};
use crate::mount::idle::Activity;
use crate::mount::reply::{self, failed};
use crate::vfs::{
    self, Attr, Changes, Control, CopyRange, Errno, Error, Fallocate, NodeId, Opened, PlainOffset,
    Seek, Stat, Timeouts, Vfs,
};

/// The largest request, bytes.
const MAX_WRITE: u32 = 1 << 20;
/// The most that one copy request can report in its 32-bit reply: whole blocks below 4 GiB.
const MAX_COPY: u64 = 0xffff_f000;

thread_local! {
    /// Where reads are decrypted: one buffer an event loop, reused.
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Serves a [`Vfs`] through fuser.
pub(super) struct Adapter<V> {
    fs: Arc<V>,
    timeouts: Timeouts,
    acl: bool,
    xattr: bool,
    writeback: bool,
    activity: Arc<Activity>,
}

impl<V: Vfs> Adapter<V> {
    pub(super) fn new(fs: Arc<V>, options: &Options) -> Adapter<V> {
        let timeouts = fs.timeouts();
        Adapter {
            fs,
            timeouts,
            acl: options.acl,
            xattr: options.xattr,
            writeback: options.writeback,
            activity: Arc::default(),
        }
    }

    /// What the requests note about the use of the file system.
    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    /// The node that a request is about. To look at the mount point is no use of what is inside.
    fn at(&self, ino: INodeNo) -> NodeId {
        let node = node(ino);
        if node != NodeId::ROOT {
            self.activity.used();
        }
        node
    }

    /// The directory in which a request looks for a name.
    fn inside(&self, ino: INodeNo) -> NodeId {
        self.activity.used();
        node(ino)
    }

    /// The node whose extended attributes a request is about. Without any, the kernel is told so
    /// and asks no more.
    fn with_xattrs(&self, ino: INodeNo) -> vfs::Result<NodeId> {
        if self.xattr {
            Ok(self.at(ino))
        } else {
            Err(Error::Os(Errno::NOSYS))
        }
    }

    /// Before the content of an open file changes.
    fn drop_privileges(
        &self,
        req: &Request,
        ino: INodeNo,
        fh: Option<FileHandle>,
    ) -> vfs::Result<()> {
        self.fs
            .drop_privileges(caller(req, 0), self.at(ino), fh.map(handle))
    }

    /// Counts what was opened.
    fn opened<T>(&self, result: vfs::Result<T>) -> vfs::Result<T> {
        if result.is_ok() {
            self.activity.opened();
        }
        result
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
        let _ = config.set_max_write(MAX_WRITE);
        Ok(())
    }

    fn lookup(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.fs.lookup(self.inside(parent), name) {
            Err(Error::Os(Errno::NOENT)) if self.timeouts.negative > Duration::ZERO => {
                // Node 0: the kernel remembers that there is no such name.
                let nothing = convert::attr(0, &Attr::new(0, Stat::default()));
                reply.entry(&self.timeouts.negative, &nothing, Generation(0));
            }
            found => reply::entry(&self.timeouts, "lookup", found, reply),
        }
    }

    fn forget(&self, _req: &Request, ino: INodeNo, nlookup: u64) {
        self.fs.forget(node(ino), nlookup);
    }

    fn getattr(&self, _req: &Request, ino: INodeNo, fh: Option<FileHandle>, reply: ReplyAttr) {
        let found = self.fs.getattr(self.at(ino), fh.map(handle));
        reply::attr(&self.timeouts, "getattr", found, reply);
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
            mode: mode.map(|mode| mode & 0o7777),
            uid,
            gid,
            size: size.map(PlainOffset),
            atime: atime.map(convert::set_time),
            mtime: mtime.map(convert::set_time),
        };
        let dropped = if size.is_some() || uid.or(gid).is_some() {
            self.drop_privileges(req, ino, fh)
        } else {
            Ok(())
        };
        let change = || self.fs.setattr(self.at(ino), fh.map(handle), &changes);
        let found = dropped.and_then(|()| change());
        reply::attr(&self.timeouts, "setattr", found, reply);
    }

    fn readlink(&self, _req: &Request, ino: INodeNo, reply: ReplyData) {
        match self.fs.readlink(self.at(ino)) {
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
        let created = self.fs.mknod(
            caller(req, umask),
            self.inside(parent),
            name,
            mode,
            rdev.into(),
        );
        reply::entry(&self.timeouts, "mknod", created, reply);
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
        let created = self
            .fs
            .mkdir(caller(req, umask), self.inside(parent), name, mode & 0o7777);
        reply::entry(&self.timeouts, "mkdir", created, reply);
    }

    fn unlink(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply::empty("unlink", self.fs.unlink(self.inside(parent), name), reply);
    }

    fn rmdir(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        reply::empty("rmdir", self.fs.rmdir(self.inside(parent), name), reply);
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
            .fs
            .symlink(caller(req, 0), self.inside(parent), link_name, target);
        reply::entry(&self.timeouts, "symlink", created, reply);
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
        let Some(mode) = convert::rename_mode(flags) else {
            return reply.error(fuser::Errno::EINVAL);
        };
        let from = (self.inside(parent), name);
        let to = (self.inside(newparent), newname);
        reply::empty("rename", self.fs.rename(from, to, mode), reply);
    }

    fn link(
        &self,
        _req: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let created = self.fs.link(self.at(ino), self.inside(newparent), newname);
        reply::entry(&self.timeouts, "link", created, reply);
    }

    fn open(&self, _req: &Request, ino: INodeNo, mode: OpenFlags, reply: ReplyOpen) {
        let opened = self.opened(self.fs.open(self.at(ino), flags(mode.0)));
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
        READ_BUFFER.with_borrow_mut(|buf| {
            let at = PlainOffset(offset);
            match self.fs.read(handle(fh), at, size as usize, buf) {
                Ok(data) => reply.data(data),
                Err(error) => reply.error(failed("read", &error)),
            }
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
        let dropped = if write_flags.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID) {
            self.drop_privileges(req, ino, Some(fh))
        } else {
            Ok(())
        };
        let write = || self.fs.write(handle(fh), PlainOffset(offset), data);
        match dropped.and_then(|()| write()) {
            // A request is at most MAX_WRITE long.
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(MAX_WRITE)),
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
        reply::empty("flush", self.fs.flush(handle(fh)), reply);
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
        self.fs.release(handle(fh));
        self.activity.closed();
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
        reply::empty("fsync", self.fs.fsync(handle(fh), datasync), reply);
    }

    fn opendir(&self, _req: &Request, ino: INodeNo, mode: OpenFlags, reply: ReplyOpen) {
        let opened = self.opened(self.fs.opendir(self.inside(ino)));
        let opened = opened.map(|handle| Opened {
            handle,
            keep_cache: false,
        });
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
        let done = self.fs.readdir(handle(fh), offset, &mut |entry| {
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
        let timeouts = self.timeouts;
        let done = self
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
        self.fs.releasedir(handle(fh));
        self.activity.closed();
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
        reply::empty("fsyncdir", self.fs.fsyncdir(handle(fh), datasync), reply);
    }

    fn statfs(&self, _req: &Request, _ino: INodeNo, reply: ReplyStatfs) {
        match self.fs.statfs() {
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
        let node = self.with_xattrs(ino);
        let done = node.and_then(|node| self.fs.setxattr(caller(req, 0), node, name, value, flags));
        reply::empty("setxattr", done, reply);
    }

    fn getxattr(&self, _req: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let node = self.with_xattrs(ino);
        let value = node.and_then(|node| self.fs.getxattr(node, name));
        reply::xattr("getxattr", value, size, reply);
    }

    fn listxattr(&self, _req: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        let listed = self
            .with_xattrs(ino)
            .and_then(|node| self.fs.listxattr(node));
        let listed = listed.map(|names| {
            let mut list = Vec::new();
            for name in names {
                list.extend_from_slice(name.as_encoded_bytes());
                list.push(0);
            }
            list
        });
        reply::xattr("listxattr", listed, size, reply);
    }

    fn removexattr(&self, _req: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let node = self.with_xattrs(ino);
        let done = node.and_then(|node| self.fs.removexattr(node, name));
        reply::empty("removexattr", done, reply);
    }

    fn access(&self, _req: &Request, ino: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let mask = mask.bits().cast_unsigned();
        reply::empty("access", self.fs.access(self.at(ino), mask), reply);
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
        let created = self.fs.create(
            caller(req, umask),
            self.inside(parent),
            name,
            mode & 0o7777,
            flags(bits),
        );
        match self.opened(created) {
            Ok((entry, opened)) => reply.created(
                &reply::attr_timeout(&self.timeouts, &entry),
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
        const PUNCH: i32 = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        const ZERO: i32 = libc::FALLOC_FL_ZERO_RANGE | libc::FALLOC_FL_KEEP_SIZE;
        let what = match mode {
            0 => Fallocate::Grow,
            libc::FALLOC_FL_KEEP_SIZE => Fallocate::KeepSize,
            PUNCH => Fallocate::Punch,
            libc::FALLOC_FL_ZERO_RANGE => Fallocate::ZeroAndGrow,
            ZERO => Fallocate::Zero,
            _ => return reply.error(fuser::Errno::EOPNOTSUPP),
        };
        let allocate = || {
            let at = PlainOffset(offset);
            self.fs.fallocate(handle(fh), at, length, what)
        };
        let dropped = self.drop_privileges(req, ino, Some(fh));
        let done = dropped.and_then(|()| allocate());
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
        let what = match whence {
            libc::SEEK_DATA => Seek::Data,
            libc::SEEK_HOLE => Seek::Hole,
            _ => return reply.error(fuser::Errno::EINVAL),
        };
        let Ok(at) = u64::try_from(offset) else {
            return reply.error(fuser::Errno::ENXIO);
        };
        match self.fs.seek(handle(fh), PlainOffset(at), what) {
            Ok(found) => reply.offset(i64::try_from(found.0).unwrap_or(i64::MAX)),
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
            len: len.min(MAX_COPY),
        };
        let dropped = self.drop_privileges(req, ino_out, Some(fh_out));
        match dropped.and_then(|()| self.fs.copy_range(copy)) {
            Ok(copied) => reply.written(small(copied)),
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
        let known = Control::parse(number, data);
        // Handles of directories are numbered apart.
        let Some(control) = known.filter(|_| !flags.contains(IoctlFlags::FUSE_IOCTL_DIR)) else {
            return reply.error(fuser::Errno::ENOTTY);
        };
        match self.fs.control(handle(fh), control) {
            Ok(value) => reply.ioctl(0, &control.answer(value)),
            Err(error) => reply.error(failed("ioctl", &error)),
        }
    }
}
