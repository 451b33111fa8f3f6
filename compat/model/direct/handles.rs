//! Operations on open files.

use super::{CALLER, Direct, done, facts, resize};
use crate::model::op::{Answer, Op, Outcome, Path};
use gocryptfs_rs::vfs::{CopyRange, Handle, Kind, NodeId, OpenFlags, PlainOffset, Seek, Vfs};
use rustix::io::Errno;

impl<V: Vfs, F: Fn() -> V> Direct<V, F> {
    fn slot(&self, slot: usize) -> Result<(NodeId, Handle), Errno> {
        self.slots[slot].ok_or(Errno::BADF)
    }

    /// Takes an open file into a slot; its node stays known as long as it is open.
    fn hold(&mut self, slot: usize, node: NodeId, handle: Handle) {
        let _ = self.close(slot);
        if let Some(at) = self.seen.iter().position(|seen| *seen == node) {
            self.seen.swap_remove(at);
        }
        self.slots[slot] = Some((node, handle));
    }

    pub(super) fn close(&mut self, slot: usize) -> Outcome {
        let (node, handle) = self.slots[slot].take().ok_or(Errno::BADF)?;
        self.fs.flush(handle).map_err(|error| error.errno())?;
        self.fs.release(handle);
        self.fs.forget(node, 1);
        Ok(Answer::Done)
    }

    pub(super) fn create(&mut self, path: &Path, slot: usize) -> Outcome {
        let (parent, name) = self.parent(path)?;
        let made = self
            .fs
            .create(CALLER, parent, &name, 0o600, OpenFlags::RDWR);
        let (entry, opened) = made.map_err(|error| error.errno())?;
        self.keep(entry);
        self.hold(slot, entry.node, opened.handle);
        Ok(Answer::Done)
    }

    pub(super) fn open(&mut self, path: &Path, slot: usize) -> Outcome {
        let entry = self.find(path)?;
        match entry.attr.stat.kind() {
            Kind::File => {}
            Kind::Dir => return Err(Errno::ISDIR),
            Kind::Symlink => return Err(Errno::LOOP),
            _ => return Err(Errno::NXIO),
        }
        let opened = self.fs.open(entry.node, OpenFlags::RDWR);
        let opened = opened.map_err(|error| error.errno())?;
        self.hold(slot, entry.node, opened.handle);
        Ok(Answer::Done)
    }

    pub(super) fn on_handle(&mut self, slot: usize, op: &Op) -> Outcome {
        let (node, handle) = self.slot(slot)?;
        match op {
            Op::Read { offset, len, .. } => self.read(handle, *offset, *len).map(Answer::Data),
            Op::ReadSegments { .. } => self.read_segments(node, handle),
            Op::Write { offset, data, .. } => {
                done(self.fs.write(handle, PlainOffset(*offset), data))
            }
            Op::Resize { size, .. } => self.change(node, Some(handle), &resize(*size)),
            Op::Allocate {
                what, offset, len, ..
            } => done(self.fs.fallocate(handle, PlainOffset(*offset), *len, *what)),
            Op::Sync { data_only, .. } => done(self.fs.fsync(handle, *data_only)),
            _ => {
                let attr = self.fs.getattr(node, Some(handle));
                Ok(facts(&attr.map_err(|error| error.errno())?))
            }
        }
    }

    pub(super) fn copy(&self, from: usize, to: usize, op: &Op) -> Outcome {
        let Op::Copy {
            from_offset,
            to_offset,
            len,
            ..
        } = op
        else {
            return Err(Errno::NOSYS);
        };
        let ((node, source), (_, target)) = (self.slot(from)?, self.slot(to)?);
        // a file that is copied behind its own end would never end
        let attr = self.fs.getattr(node, Some(source));
        let size = attr.map_err(|error| error.errno())?.stat.size;
        let len = size.saturating_sub(*from_offset).min(*len);
        let mut done = 0;
        while done < len {
            let copied = self.fs.copy_range(CopyRange {
                source,
                source_at: PlainOffset(from_offset + done),
                target,
                target_at: PlainOffset(to_offset + done),
                len: len - done,
            });
            match copied.map_err(|error| error.errno())? {
                0 => break,
                copied => done += copied,
            }
        }
        Ok(Answer::Done)
    }

    fn read(&self, handle: Handle, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
        let mut buffer = Vec::new();
        let found = self.fs.read(handle, PlainOffset(offset), len, &mut buffer);
        Ok(found.map_err(|error| error.errno())?.to_vec())
    }

    fn read_segments(&self, node: NodeId, handle: Handle) -> Outcome {
        let attr = self.fs.getattr(node, Some(handle));
        let size = attr.map_err(|error| error.errno())?.stat.size;
        let seek = |at, what| self.fs.seek(handle, PlainOffset(at), what);
        let mut content = vec![0; usize::try_from(size).unwrap()];
        let mut at = 0;
        loop {
            let start = match seek(at, Seek::Data).map_err(|error| error.errno()) {
                Err(Errno::NXIO) => return Ok(Answer::Data(content)),
                other => other?.0,
            };
            let end = seek(start, Seek::Hole).map_err(|error| error.errno())?.0;
            let len = usize::try_from(end - start).unwrap();
            let segment = self.read(handle, start, len)?;
            let start = usize::try_from(start).unwrap();
            content[start..start + segment.len()].copy_from_slice(&segment);
            at = end;
        }
    }
}
