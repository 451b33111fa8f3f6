//! The model: a file system in a few maps, with the errors that Linux gives.

mod names;

use super::op::{Answer, Driver, Kind, Name, Op, Outcome, Path, SLOTS, XattrMode};
use gocryptfs_rs::vfs::Fallocate;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ops::Range;

type Id = usize;
const ROOT: Id = 0;
/// Components of a path: the kernel takes at most 4095 bytes, a name has up to 255.
const MAX_DEPTH: usize = 12;

enum Body {
    File(Vec<u8>),
    Dir(BTreeMap<Name, Id>),
    Symlink(String),
    Fifo,
}

struct Node {
    body: Body,
    mode: u32,
    links: u64,
    xattrs: BTreeMap<String, Vec<u8>>,
}

/// Nodes are never freed: a test ends before that matters.
pub(crate) struct Memory {
    nodes: Vec<Node>,
    slots: [Option<Id>; SLOTS],
}

impl Driver for Memory {
    fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Create { path, slot } => {
                let id = self.add(path, Body::File(Vec::new()), 0o600)?;
                self.slots[*slot] = Some(id);
                Ok(Answer::Done)
            }
            Op::Open { path, slot } => self.open(path, *slot),
            Op::Close { slot } => {
                self.slots[*slot].take().ok_or(Errno::BADF)?;
                Ok(Answer::Done)
            }
            Op::Mkdir { path } => self.make(path, Body::Dir(BTreeMap::new()), 0o700),
            Op::MakeFifo { path } => self.make(path, Body::Fifo, 0o600),
            Op::Symlink { path, target } => self.make(path, Body::Symlink(target.clone()), 0o777),
            Op::Link { from, to } => self.link(from, to),
            Op::Rename { from, to, how } => self.rename(from, to, *how),
            Op::Unlink { path } => self.unlink(path),
            Op::Rmdir { path } => self.rmdir(path),
            Op::Stat { path } => Ok(self.facts(self.find(path)?)),
            Op::StatOpen { slot } => Ok(self.facts(self.slot(*slot)?)),
            Op::Truncate { path, size } => {
                let id = self.follow(path)?;
                match &mut self.nodes[id].body {
                    Body::File(data) => data.resize(to_usize(*size), 0),
                    Body::Dir(_) => return Err(Errno::ISDIR),
                    _ => return Err(Errno::NXIO),
                }
                Ok(Answer::Done)
            }
            Op::Chmod { path, mode } => {
                let id = self.follow(path)?;
                self.nodes[id].mode = *mode;
                Ok(Answer::Done)
            }
            Op::SetMtime { path, secs, nanos } => {
                self.find(path)?;
                Ok(Answer::Time(*secs, *nanos))
            }
            Op::Readlink { path } => match &self.nodes[self.find(path)?].body {
                Body::Symlink(target) => Ok(Answer::Data(target.clone().into_bytes())),
                _ => Err(Errno::INVAL),
            },
            Op::List { path } => {
                let mut names: Vec<_> = self
                    .dir(self.find(path)?)?
                    .keys()
                    .map(|n| n.text())
                    .collect();
                names.sort();
                Ok(Answer::Names(names))
            }
            Op::Copy { from, to, .. } => self.copy(self.slot(*from)?, self.slot(*to)?, op),
            Op::SetXattr { .. }
            | Op::GetXattr { .. }
            | Op::RemoveXattr { .. }
            | Op::ListXattrs { .. } => self.xattr(op),
            _ => self.content(op),
        }
    }

    fn restart(&mut self) {
        self.slots = [None; SLOTS];
    }
}

impl Memory {
    pub(crate) fn new() -> Self {
        let root = Node {
            body: Body::Dir(BTreeMap::new()),
            mode: 0o755,
            links: 1,
            xattrs: BTreeMap::new(),
        };
        Self {
            nodes: vec![root],
            slots: [None; SLOTS],
        }
    }

    /// Every path that exists.
    pub(crate) fn paths(&self) -> Vec<Path> {
        let mut found: Vec<Path> = Vec::new();
        let mut open = vec![(Vec::new(), ROOT)];
        while let Some((path, id)) = open.pop() {
            if let Body::Dir(entries) = &self.nodes[id].body {
                for (name, child) in entries {
                    let mut inner: Path = path.clone();
                    inner.push(*name);
                    found.push(inner.clone());
                    open.push((inner, *child));
                }
            }
        }
        found
    }

    /// Whether a rename would make paths that are too long for the kernel.
    pub(crate) fn is_too_deep(&self, op: &Op) -> bool {
        let Op::Rename { from, to, .. } = op else {
            return false;
        };
        let height = |path| self.find(path).map_or(0, |id| self.height(id));
        height(from) + to.len() > MAX_DEPTH || height(to) + from.len() > MAX_DEPTH
    }

    fn height(&self, id: Id) -> usize {
        match &self.nodes[id].body {
            Body::Dir(entries) => {
                let inside = entries.values().map(|child| 1 + self.height(*child));
                inside.max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn copy(&mut self, from: Id, to: Id, op: &Op) -> Outcome {
        let Op::Copy {
            from_offset,
            to_offset,
            len,
            ..
        } = op
        else {
            return Err(Errno::NOSYS);
        };
        let Body::File(source) = &self.nodes[from].body else {
            return Err(Errno::BADF);
        };
        let (start, at) = (to_usize(*from_offset), to_usize(*to_offset));
        let len = to_usize(*len).min(source.len().saturating_sub(start));
        if from == to && start.abs_diff(at) < len {
            return Err(Errno::INVAL);
        }
        let data = source.get(start..start + len).unwrap_or_default().to_vec();
        if let (Body::File(target), false) = (&mut self.nodes[to].body, data.is_empty()) {
            target.resize(target.len().max(at + len), 0);
            target[at..at + len].copy_from_slice(&data);
        }
        Ok(Answer::Done)
    }

    /// Reads and writes: operations on a slot.
    fn content(&mut self, op: &Op) -> Outcome {
        let (Op::Read { slot, .. }
        | Op::ReadSegments { slot }
        | Op::Write { slot, .. }
        | Op::Resize { slot, .. }
        | Op::Allocate { slot, .. }
        | Op::Sync { slot, .. }) = op
        else {
            return Err(Errno::NOSYS);
        };
        let id = self.slot(*slot)?;
        let Body::File(file) = &mut self.nodes[id].body else {
            return Err(Errno::BADF);
        };
        match op {
            Op::Read { offset, len, .. } => {
                let start = to_usize(*offset).min(file.len());
                let end = (start + len).min(file.len());
                return Ok(Answer::Data(file[start..end].to_vec()));
            }
            Op::ReadSegments { .. } => return Ok(Answer::Data(file.clone())),
            Op::Write { offset, data, .. } => {
                let start = to_usize(*offset);
                file.resize(file.len().max(start + data.len()), 0);
                file[start..start + data.len()].copy_from_slice(data);
            }
            Op::Resize { size, .. } => file.resize(to_usize(*size), 0),
            Op::Allocate {
                what, offset, len, ..
            } => allocate(file, *what, to_usize(*offset)..to_usize(offset + len)),
            _ => {}
        }
        Ok(Answer::Done)
    }

    fn open(&mut self, path: &Path, slot: usize) -> Outcome {
        let id = self.find(path)?;
        match self.nodes[id].body {
            Body::File(_) => {
                self.slots[slot] = Some(id);
                Ok(Answer::Done)
            }
            Body::Dir(_) => Err(Errno::ISDIR),
            Body::Symlink(_) => Err(Errno::LOOP),
            Body::Fifo => Err(Errno::NXIO),
        }
    }

    fn xattr(&mut self, op: &Op) -> Outcome {
        let (Op::SetXattr { path, .. }
        | Op::GetXattr { path, .. }
        | Op::RemoveXattr { path, .. }
        | Op::ListXattrs { path }) = op
        else {
            return Err(Errno::NOSYS);
        };
        let id = self.find(path)?;
        let node = &mut self.nodes[id];
        let can_have = matches!(node.body, Body::File(_) | Body::Dir(_));
        match op {
            Op::GetXattr { name, .. } => {
                let value = node.xattrs.get(name).ok_or(Errno::NODATA)?;
                return Ok(Answer::Data(value.clone()));
            }
            Op::ListXattrs { .. } => {
                return Ok(Answer::Names(node.xattrs.keys().cloned().collect()));
            }
            _ if !can_have => return Err(Errno::PERM),
            Op::SetXattr {
                name, value, how, ..
            } => {
                match (how, node.xattrs.contains_key(name)) {
                    (XattrMode::Create, true) => return Err(Errno::EXIST),
                    (XattrMode::Replace, false) => return Err(Errno::NODATA),
                    _ => node.xattrs.insert(name.clone(), value.clone()),
                };
            }
            Op::RemoveXattr { name, .. } => {
                node.xattrs.remove(name).ok_or(Errno::NODATA)?;
            }
            _ => {}
        }
        Ok(Answer::Done)
    }

    fn make(&mut self, path: &Path, body: Body, mode: u32) -> Outcome {
        self.add(path, body, mode).map(|_| Answer::Done)
    }

    fn add(&mut self, path: &Path, body: Body, mode: u32) -> Result<Id, Errno> {
        let (parent, name) = self.vacancy(path)?;
        let id = self.nodes.len();
        let xattrs = BTreeMap::new();
        self.nodes.push(Node {
            body,
            mode,
            links: 1,
            xattrs,
        });
        self.dir_mut(parent)?.insert(name, id);
        Ok(id)
    }

    fn facts(&self, id: Id) -> Answer {
        let node = &self.nodes[id];
        let (kind, links, size) = match &node.body {
            Body::File(data) => (Kind::File, node.links, data.len() as u64),
            Body::Dir(_) => (Kind::Dir, 0, 0),
            Body::Symlink(target) => (Kind::Symlink, node.links, target.len() as u64),
            Body::Fifo => (Kind::Fifo, node.links, 0),
        };
        Answer::Facts {
            kind,
            mode: node.mode,
            links,
            size,
        }
    }

    fn slot(&self, slot: usize) -> Result<Id, Errno> {
        self.slots[slot].ok_or(Errno::BADF)
    }

    /// As [`Self::find`], but goes through a symlink at the end, and all of them dangle.
    fn follow(&self, path: &Path) -> Result<Id, Errno> {
        let id = self.find(path)?;
        match self.nodes[id].body {
            Body::Symlink(_) => Err(Errno::NOENT),
            _ => Ok(id),
        }
    }

    fn find(&self, path: &Path) -> Result<Id, Errno> {
        let (parent, name) = self.parent(path)?;
        self.child(parent, name)
    }

    fn child(&self, parent: Id, name: Name) -> Result<Id, Errno> {
        self.dir(parent)?.get(&name).copied().ok_or(Errno::NOENT)
    }

    /// The directory and the name that `path` means, whether or not there is such an entry.
    fn parent(&self, path: &Path) -> Result<(Id, Name), Errno> {
        let (name, above) = path.split_last().ok_or(Errno::INVAL)?;
        let mut id = ROOT;
        for step in above {
            id = self.child(id, *step)?;
            match self.nodes[id].body {
                Body::Dir(_) => {}
                Body::Symlink(_) => return Err(Errno::NOENT),
                _ => return Err(Errno::NOTDIR),
            }
        }
        Ok((id, *name))
    }

    /// As [`Self::parent`], for an entry that must not exist yet.
    fn vacancy(&self, path: &Path) -> Result<(Id, Name), Errno> {
        let (parent, name) = self.parent(path)?;
        match self.child(parent, name) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => Ok((parent, name)),
        }
    }

    fn dir(&self, id: Id) -> Result<&BTreeMap<Name, Id>, Errno> {
        match &self.nodes[id].body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn dir_mut(&mut self, id: Id) -> Result<&mut BTreeMap<Name, Id>, Errno> {
        match &mut self.nodes[id].body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(Errno::NOTDIR),
        }
    }
}

fn allocate(file: &mut Vec<u8>, what: Fallocate, range: Range<usize>) {
    let size = file.len();
    match what {
        Fallocate::Grow | Fallocate::KeepSize => {}
        Fallocate::Punch | Fallocate::ZeroAndGrow | Fallocate::Zero => {
            file[range.start.min(size)..range.end.min(size)].fill(0);
        }
    }
    if matches!(what, Fallocate::Grow | Fallocate::ZeroAndGrow) {
        file.resize(size.max(range.end), 0);
    }
}

fn to_usize(size: u64) -> usize {
    usize::try_from(size).unwrap()
}
