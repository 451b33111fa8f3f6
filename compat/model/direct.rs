//! The operations on the `Vfs` trait itself: no mount, no kernel, no root. The few checks that the
//! kernel makes before it asks a file system are made here.

mod handles;

use super::op::{self, Answer, Driver, Op, Outcome, Path, Rename, SLOTS, XattrMode};
use gocryptfs_rs::vfs::{
    Attr, Caller, Changes, Entry, Handle, Kind, NodeId, PlainOffset, RenameMode, SetTime, Time, Vfs,
};
use rustix::fs::{FileType, XattrFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};

const CALLER: Caller = Caller {
    uid: 0,
    gid: 0,
    pid: 0,
    umask: 0,
};

/// A file system made by `open`, as often as it is restarted.
pub(crate) struct Direct<V: Vfs, F: Fn() -> V> {
    open: F,
    fs: V,
    slots: [Option<(NodeId, Handle)>; SLOTS],
    /// What the current operation looked up, to be forgotten after it.
    seen: Vec<NodeId>,
}

impl<V: Vfs, F: Fn() -> V> Direct<V, F> {
    pub(crate) fn new(open: F) -> Self {
        let fs = open();
        Self {
            open,
            fs,
            slots: [None; SLOTS],
            seen: Vec::new(),
        }
    }

    fn keep(&mut self, entry: Entry) -> Entry {
        self.seen.push(entry.node);
        entry
    }

    fn lookup(&mut self, parent: NodeId, name: &OsStr) -> Result<Entry, Errno> {
        let found = self
            .fs
            .lookup(parent, name)
            .map_err(|error| error.errno())?;
        Ok(self.keep(found))
    }

    fn parent(&mut self, path: &Path) -> Result<(NodeId, OsString), Errno> {
        let (name, above) = path.split_last().ok_or(Errno::INVAL)?;
        let mut node = NodeId::ROOT;
        for step in above {
            let entry = self.lookup(node, step.text().as_ref())?;
            node = match entry.attr.stat.kind() {
                Kind::Dir => entry.node,
                Kind::Symlink => return Err(Errno::NOENT),
                _ => return Err(Errno::NOTDIR),
            };
        }
        Ok((node, name.text().into()))
    }

    fn find(&mut self, path: &Path) -> Result<Entry, Errno> {
        let (parent, name) = self.parent(path)?;
        self.lookup(parent, &name)
    }

    /// As [`Self::find`], but goes through a symlink at the end, and all of them dangle.
    fn follow(&mut self, path: &Path) -> Result<Entry, Errno> {
        let found = self.find(path)?;
        match found.attr.stat.kind() {
            Kind::Symlink => Err(Errno::NOENT),
            _ => Ok(found),
        }
    }

    fn change(&mut self, node: NodeId, handle: Option<Handle>, changes: &Changes) -> Outcome {
        let attr = self.fs.setattr(node, handle, changes);
        let attr = attr.map_err(|error| error.errno())?;
        let mtime = attr.stat.mtime;
        Ok(match changes.mtime {
            Some(_) => Answer::Time(mtime.secs, mtime.nanos.into()),
            None => Answer::Done,
        })
    }

    fn make(&mut self, path: &Path, op: &Op) -> Outcome {
        let (parent, name) = self.parent(path)?;
        let fifo = FileType::Fifo.as_raw_mode() | 0o600;
        let made = match op {
            Op::Mkdir { .. } => self.fs.mkdir(CALLER, parent, &name, 0o700),
            Op::Symlink { target, .. } => self.fs.symlink(CALLER, parent, &name, target.as_ref()),
            _ => self.fs.mknod(CALLER, parent, &name, fifo, 0),
        };
        self.keep(made.map_err(|error| error.errno())?);
        Ok(Answer::Done)
    }

    fn on_names(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Link { from, to } => {
                let node = self.find(from)?.node;
                let (parent, name) = self.parent(to)?;
                let made = self.fs.link(node, parent, &name);
                self.keep(made.map_err(|error| error.errno())?);
                Ok(Answer::Done)
            }
            Op::Rename { from, to, how } => {
                let (old_parent, old) = self.parent(from)?;
                let (new_parent, new) = self.parent(to)?;
                let mode = match how {
                    Rename::Replace => RenameMode::Replace,
                    Rename::NoReplace => RenameMode::NoReplace,
                    Rename::Exchange => RenameMode::Exchange,
                };
                done(self.fs.rename((old_parent, &old), (new_parent, &new), mode))
            }
            Op::Unlink { path } => {
                let (parent, name) = self.parent(path)?;
                done(self.fs.unlink(parent, &name))
            }
            Op::Rmdir { path } => {
                let (parent, name) = self.parent(path)?;
                done(self.fs.rmdir(parent, &name))
            }
            Op::Readlink { path } => {
                let entry = self.find(path)?;
                match entry.attr.stat.kind() {
                    Kind::Symlink => data(self.fs.readlink(entry.node)),
                    _ => Err(Errno::INVAL),
                }
            }
            Op::List { path } => self.list(path),
            _ => Err(Errno::NOSYS),
        }
    }

    fn list(&mut self, path: &Path) -> Outcome {
        let entry = self.find(path)?;
        if entry.attr.stat.kind() != Kind::Dir {
            return Err(Errno::NOTDIR);
        }
        let handle = self.fs.opendir(entry.node).map_err(|error| error.errno())?;
        let (mut names, mut cookie) = (Vec::new(), 0);
        loop {
            let from = cookie;
            let mut room = 2;
            let read = self.fs.readdir(handle, from, &mut |entry| {
                if room > 0 {
                    room -= 1;
                    cookie = entry.next;
                    names.push(entry.name.to_str().unwrap().to_owned());
                    return true;
                }
                false
            });
            read.map_err(|error| error.errno())?;
            if cookie == from {
                break;
            }
        }
        self.fs.releasedir(handle);
        names.retain(|name| name != "." && name != "..");
        names.sort();
        Ok(Answer::Names(names))
    }

    fn on_attributes(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Stat { path } => Ok(facts(&self.find(path)?.attr)),
            Op::Truncate { path, size } => {
                let entry = self.follow(path)?;
                match entry.attr.stat.kind() {
                    Kind::File => self.change(entry.node, None, &resize(*size)),
                    Kind::Dir => Err(Errno::ISDIR),
                    _ => Err(Errno::NXIO),
                }
            }
            Op::Chmod { path, mode } => {
                let node = self.follow(path)?.node;
                let mode = Some(*mode);
                self.change(
                    node,
                    None,
                    &Changes {
                        mode,
                        ..Changes::default()
                    },
                )
            }
            Op::SetMtime { path, secs, nanos } => {
                let node = self.find(path)?.node;
                let nanos = u32::try_from(*nanos).unwrap();
                let mtime = Some(SetTime::At(Time { secs: *secs, nanos }));
                self.change(
                    node,
                    None,
                    &Changes {
                        mtime,
                        ..Changes::default()
                    },
                )
            }
            _ => Err(Errno::NOSYS),
        }
    }

    fn on_xattr(&mut self, path: &Path, op: &Op) -> Outcome {
        let node = self.find(path)?.node;
        match op {
            Op::SetXattr {
                name, value, how, ..
            } => {
                let flags = match how {
                    XattrMode::Any => XattrFlags::empty(),
                    XattrMode::Create => XattrFlags::CREATE,
                    XattrMode::Replace => XattrFlags::REPLACE,
                };
                done(
                    self.fs
                        .setxattr(CALLER, node, name.as_ref(), value, flags.bits()),
                )
            }
            Op::GetXattr { name, .. } => data(self.fs.getxattr(node, name.as_ref())),
            Op::RemoveXattr { name, .. } => done(self.fs.removexattr(node, name.as_ref())),
            _ => {
                let found = self.fs.listxattr(node).map_err(|error| error.errno())?;
                let names = found.iter().map(|name| name.to_str().unwrap().to_owned());
                let mut names: Vec<_> = names.collect();
                names.sort();
                Ok(Answer::Names(names))
            }
        }
    }

    fn dispatch(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Create { path, slot } => self.create(path, *slot),
            Op::Open { path, slot } => self.open(path, *slot),
            Op::Close { slot } => self.close(*slot),
            Op::Mkdir { path } | Op::MakeFifo { path } | Op::Symlink { path, .. } => {
                self.make(path, op)
            }
            Op::Read { slot, .. }
            | Op::ReadSegments { slot }
            | Op::Write { slot, .. }
            | Op::Resize { slot, .. }
            | Op::Allocate { slot, .. }
            | Op::Sync { slot, .. }
            | Op::StatOpen { slot } => self.on_handle(*slot, op),
            Op::Copy { from, to, .. } => self.copy(*from, *to, op),
            Op::SetXattr { path, .. }
            | Op::GetXattr { path, .. }
            | Op::ListXattrs { path }
            | Op::RemoveXattr { path, .. } => self.on_xattr(path, op),
            Op::Stat { .. } | Op::Truncate { .. } | Op::Chmod { .. } | Op::SetMtime { .. } => {
                self.on_attributes(op)
            }
            Op::Link { .. }
            | Op::Rename { .. }
            | Op::Unlink { .. }
            | Op::Rmdir { .. }
            | Op::Readlink { .. }
            | Op::List { .. } => self.on_names(op),
        }
    }
}

impl<V: Vfs, F: Fn() -> V> Driver for Direct<V, F> {
    fn apply(&mut self, op: &Op) -> Outcome {
        let outcome = self.dispatch(op);
        for node in self.seen.drain(..) {
            self.fs.forget(node, 1);
        }
        outcome
    }

    fn restart(&mut self) {
        for slot in 0..SLOTS {
            let _ = self.close(slot);
        }
        self.fs = (self.open)();
    }
}

fn resize(size: u64) -> Changes {
    Changes {
        size: Some(PlainOffset(size)),
        ..Changes::default()
    }
}

fn facts(attr: &Attr) -> Answer {
    let kind = match attr.stat.kind() {
        Kind::File => op::Kind::File,
        Kind::Dir => op::Kind::Dir,
        Kind::Symlink => op::Kind::Symlink,
        _ => op::Kind::Fifo,
    };
    let is_dir = kind == op::Kind::Dir;
    Answer::Facts {
        kind,
        mode: attr.stat.mode & 0o7777,
        links: if is_dir { 0 } else { attr.stat.nlink },
        size: if is_dir { 0 } else { attr.stat.size },
    }
}

fn done(result: gocryptfs_rs::vfs::Result<()>) -> Outcome {
    result.map(|()| Answer::Done).map_err(|error| error.errno())
}

fn data(result: gocryptfs_rs::vfs::Result<Vec<u8>>) -> Outcome {
    result.map(Answer::Data).map_err(|error| error.errno())
}
