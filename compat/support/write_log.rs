//! A disk that remembers every write: a file in a FUSE file system of its own, for a loop device to
//! lie on.
//!
//! What reaches a real disk before its power fails is everything up to the last flush, and of what
//! came later anything or nothing: [`Log::image_at`] makes such an image.

use super::random::Random;
use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation, INodeNo, LockOwner,
    OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyWrite, Request, WriteFlags,
};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

/// The name of the file.
pub(crate) const NAME: &str = "image";
const FILE: INodeNo = INodeNo(2);
/// The kernel may remember attributes as long as it likes: they never change.
const EVER: Duration = Duration::from_secs(1 << 20);

enum Event {
    Write(u64, Vec<u8>),
    Flush,
}

/// All that was written, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    /// How much has happened.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Writes to `image`, which is as it was in the beginning, what a power failure leaves after so
    /// many events.
    pub(crate) fn image_at(&self, len: usize, image: &File, chance: &mut Random) {
        let events = self.0.lock().unwrap();
        let events = &events[..len];
        let flushed = events
            .iter()
            .rposition(|event| matches!(event, Event::Flush));
        for (at, event) in events.iter().enumerate() {
            let is_safe = flushed.is_some_and(|flushed| at < flushed);
            match event {
                Event::Write(offset, data) if is_safe || chance.below(2) == 0 => {
                    image.write_all_at(data, *offset).unwrap();
                }
                _ => {}
            }
        }
    }
}

/// The file system.
struct Disk {
    image: File,
    log: Log,
}

/// Shows the file at `image` in the directory `point`, and writes down what is done to it.
pub(crate) fn mount(
    image: &Path,
    point: &Path,
) -> std::io::Result<(fuser::BackgroundSession, Log)> {
    let image = File::options().read(true).write(true).open(image)?;
    let log = Log::default();
    let disk = Disk {
        image,
        log: log.clone(),
    };
    Ok((fuser::spawn_mount(disk, point, &Config::default())?, log))
}

impl Disk {
    fn attr(&self, ino: INodeNo) -> FileAttr {
        let is_file = ino == FILE;
        FileAttr {
            ino,
            size: self.image.metadata().map_or(0, |found| found.len()),
            blocks: 0,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_file {
                FileType::RegularFile
            } else {
                FileType::Directory
            },
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Disk {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&EVER, &self.attr(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&EVER, &self.attr(ino));
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut data = vec![0; size as usize];
        match self.image.read_at(&mut data, offset) {
            Ok(got) => reply.data(&data[..got]),
            Err(_) => reply.error(Errno::EIO),
        }
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        if self.image.write_all_at(data, offset).is_err() {
            return reply.error(Errno::EIO);
        }
        let event = Event::Write(offset, data.to_vec());
        self.log.0.lock().unwrap().push(event);
        reply.written(u32::try_from(data.len()).unwrap());
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.log.0.lock().unwrap().push(Event::Flush);
        reply.ok();
    }
}
