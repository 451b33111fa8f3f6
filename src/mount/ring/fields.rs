//! The fields of requests and answers, in the byte order of the machine (`linux/fuse.h`).

#![allow(
    clippy::host_endian_bytes,
    reason = "what programs and their kernel tell each other"
)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use crate::mount::convert::{rdev, small};
use crate::mount::reply::{attr_timeout, open_flags};
use crate::vfs::{
    Attr, DirEntry, Entry, Errno, Error, Kind, OpenFlags, Opened, Result, Stat, Timeouts,
};

/// The units in which directory entries are laid out, bytes.
const ALIGNMENT: usize = 8;

/// Reads one field after the other.
#[derive(Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    fn field<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk().ok_or(Error::Os(Errno::IO))?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_ne_bytes(self.field()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_ne_bytes(self.field()?))
    }

    pub(super) fn skip(&mut self, len: usize) -> Result<()> {
        self.0 = self.0.get(len..).ok_or(Error::Os(Errno::IO))?;
        Ok(())
    }

    /// A name with its NUL.
    pub(super) fn name(&mut self) -> Result<&'a OsStr> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let end = end.ok_or(Error::Os(Errno::IO))?;
        let name = OsStr::from_bytes(&self.0[..end]);
        self.0 = &self.0[end + 1..];
        Ok(name)
    }

    /// All that is left, `len` bytes.
    pub(super) fn data(self, len: u32) -> Result<&'a [u8]> {
        self.0.get(..len as usize).ok_or(Error::Os(Errno::IO))
    }
}

/// Writes one field after the other.
pub(super) struct Output<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl<'a> Output<'a> {
    pub(super) fn new(room: &'a mut [u8]) -> Output<'a> {
        Output { room, len: 0 }
    }

    /// The length of what was written.
    ///
    /// # Errors
    /// `EIO` if that was more than there is room for.
    pub(super) fn finish(self) -> Result<usize> {
        if self.len <= self.room.len() {
            Ok(self.len)
        } else {
            Err(Error::Os(Errno::IO))
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(place) = self.room.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.bytes(&number.to_ne_bytes());
    }

    pub(super) fn u64(&mut self, number: u64) {
        self.bytes(&number.to_ne_bytes());
    }

    /// `struct fuse_attr`.
    fn plain_attr(&mut self, ino: u64, stat: &Stat) {
        let times = [stat.atime, stat.mtime, stat.ctime];
        self.u64(ino);
        self.u64(stat.size);
        self.u64(stat.blocks);
        for time in &times {
            self.u64(time.secs.cast_unsigned());
        }
        for time in &times {
            self.u32(time.nanos);
        }
        self.u32(mode(stat));
        self.u32(small(stat.nlink));
        self.u32(stat.uid);
        self.u32(stat.gid);
        self.u32(rdev(stat));
        self.u32(stat.blksize);
        self.u32(0);
    }

    /// `struct fuse_attr_out`.
    pub(super) fn attr(&mut self, timeouts: &Timeouts, attr: &Attr) {
        self.u64(timeouts.attr.as_secs());
        self.u32(timeouts.attr.subsec_nanos());
        self.u32(0);
        self.plain_attr(attr.ino, &attr.stat);
    }

    /// `struct fuse_entry_out`.
    pub(super) fn entry(&mut self, timeouts: &Timeouts, entry: &Entry) {
        let node = (entry.node.0, entry.generation);
        let validity = (timeouts.entry, attr_timeout(timeouts, entry));
        self.entry_for(node, validity, &entry.attr.stat);
    }

    /// Node 0: the kernel remembers that there is no such name.
    pub(super) fn no_entry(&mut self, timeouts: &Timeouts) {
        self.entry_for(
            (0, 0),
            (timeouts.negative, Duration::ZERO),
            &Stat::default(),
        );
    }

    fn entry_for(
        &mut self,
        (node, generation): (u64, u64),
        (entry_valid, attr_valid): (Duration, Duration),
        stat: &Stat,
    ) {
        self.u64(node);
        self.u64(generation);
        self.u64(entry_valid.as_secs());
        self.u64(attr_valid.as_secs());
        self.u32(entry_valid.subsec_nanos());
        self.u32(attr_valid.subsec_nanos());
        self.plain_attr(node, stat);
    }

    /// `struct fuse_open_out`, for what was opened as `asked`.
    pub(super) fn opened(&mut self, opened: &Opened, asked: OpenFlags) {
        self.u64(opened.handle.0);
        self.u32(open_flags(opened, asked).bits());
        self.u32(0);
    }

    /// `struct fuse_dirent`, if there is room for one.
    pub(super) fn dir_entry(&mut self, ino: u64, entry: &DirEntry) -> bool {
        self.if_room(entry, 24, |output| output.plain_dir_entry(ino, entry))
    }

    /// `struct fuse_direntplus`, if there is room for one.
    pub(super) fn dir_entry_plus(
        &mut self,
        timeouts: &Timeouts,
        entry: &DirEntry,
        found: &Entry,
    ) -> bool {
        self.if_room(entry, 152, |output| {
            // A name whose attributes cannot be had is looked up when they are wanted.
            let validity = attr_timeout(timeouts, found);
            let node = (found.node.0, found.generation);
            output.entry_for(node, (validity, validity), &found.attr.stat);
            output.plain_dir_entry(found.node.0, entry);
        })
    }

    fn if_room(&mut self, entry: &DirEntry, fixed: usize, write: impl FnOnce(&mut Self)) -> bool {
        let len = (fixed + entry.name.len()).next_multiple_of(ALIGNMENT);
        let fits = len <= self.room.len() - self.len;
        if fits {
            write(self);
        }
        fits
    }

    fn plain_dir_entry(&mut self, ino: u64, entry: &DirEntry) {
        let name = entry.name.as_bytes();
        self.u64(ino);
        self.u64(entry.next);
        self.u32(u32::try_from(name.len()).unwrap_or_default());
        self.u32(type_bits(entry.kind) >> 12);
        self.bytes(name);
        let padding = self.len.next_multiple_of(ALIGNMENT) - self.len;
        self.bytes(&[0; ALIGNMENT][..padding]);
    }
}

/// Type and permissions.
fn mode(stat: &Stat) -> u32 {
    type_bits(stat.kind()) | stat.mode & 0o7777
}

/// What has no type is a file.
fn type_bits(kind: Kind) -> u32 {
    match kind.bits() {
        0 => Kind::File.bits(),
        bits => bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::NodeId;

    fn entry() -> Entry {
        Entry {
            node: NodeId(7),
            generation: 1,
            attr: Attr::new(7, Stat::default()),
        }
    }

    const TIMEOUTS: Timeouts = Timeouts {
        entry: Duration::from_millis(1500),
        attr: Duration::from_secs(1),
        negative: Duration::ZERO,
    };

    #[test]
    fn answers_have_the_length_that_the_kernel_expects() {
        let mut room = [0; 200];
        let mut len_of = |write: &dyn Fn(&mut Output<'_>)| {
            let mut output = Output::new(&mut room);
            write(&mut output);
            output.finish().unwrap()
        };
        assert_eq!(len_of(&|output| output.attr(&TIMEOUTS, &entry().attr)), 104);
        assert_eq!(len_of(&|output| output.entry(&TIMEOUTS, &entry())), 128);
        assert_eq!(len_of(&|output| output.no_entry(&TIMEOUTS)), 128);
    }

    #[test]
    fn directory_entries_are_padded_and_end_with_the_room() {
        let named = |name: &str| DirEntry {
            name: name.into(),
            ino: 7,
            kind: Kind::File,
            next: 1,
        };
        let mut room = [0; 80];
        let mut output = Output::new(&mut room);
        assert!(output.dir_entry(7, &named("123456789")));
        assert!(!output.dir_entry(7, &named("12345678901234567")));
        assert!(output.dir_entry(7, &named("1234567890123456")));
        assert!(!output.dir_entry_plus(&TIMEOUTS, &named("1"), &entry()));
        assert_eq!(output.finish().unwrap(), 80);
        assert_eq!(&room[..8], &7_u64.to_ne_bytes());
        assert_eq!(&room[24..40], b"123456789\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_request_that_is_too_short_is_an_error() {
        assert!(Input(&[0; 3]).u32().is_err());
        assert!(Input(&[0; 7]).u64().is_err());
        assert!(Input(b"no end").name().is_err());
        assert!(Input(b"short").data(6).is_err());
        assert!(Input(b"").skip(1).is_err());
        let mut names = Input(b"one\0two\0");
        assert_eq!(
            [names.name().unwrap(), names.name().unwrap()],
            ["one", "two"]
        );
    }

    #[test]
    fn an_answer_that_does_not_fit_is_an_error() {
        let mut room = [0; 7];
        let mut output = Output::new(&mut room);
        output.u64(1);
        assert!(output.finish().is_err());
    }
}
