//! An open file, and [`Backing`]: the one seam through which content is read and written.
//!
//! Reads and writes are complete: they end early only at the end of the file or with an error that
//! tells how far they came. Positions are explicit, a descriptor's own position is never used.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};

use rustix::fs::{self, FallocateFlags, IFlags, Mode, SeekFrom};
use rustix::io::{self, retry_on_intr};

use super::clone::{clone_range, write_out};
use super::{Errno, OpenFlags, Result, Stat, fd_path};

/// An open file.
#[derive(Debug)]
pub struct File(OwnedFd);

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> File {
        File(fd)
    }
}

/// How far a write came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortWrite {
    /// Bytes written.
    pub written: usize,
    /// Why the next byte was not.
    pub errno: Errno,
}

/// What to allocate; the size of the file never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// Space for what has none.
    KeepSize,
    /// Also space of its own for what is shared with another file. `EOPNOTSUPP` on btrfs.
    KeepSizeUnshare,
}

/// Content that can be read and written at any position: a file, or an image in memory.
pub trait Backing: Send + Sync {
    /// Reads until `buf` is full or the file ends; returns the number of bytes.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;

    /// As [`Backing::read_at`]. A read that stops at `end`, where the file once ended, is taken to
    /// have met its end without asking again.
    fn read_until(&self, buf: &mut [u8], offset: u64, _end: u64) -> Result<usize> {
        self.read_at(buf, offset)
    }

    /// Reads into the buffers one after the other until all are full or the file ends.
    fn read_vectored_at(&self, bufs: &mut [&mut [u8]], offset: u64) -> Result<usize>;

    /// Writes all of `buf`.
    fn write_at(&self, buf: &[u8], offset: u64) -> core::result::Result<(), ShortWrite>;

    /// Size in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the size is zero.
    fn is_empty(&self) -> Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Cuts the file or extends it by a hole.
    fn set_len(&self, len: u64) -> Result<()>;

    /// As [`Backing::set_len`], also through a handle for reading.
    fn cut(&self, len: u64) -> Result<()> {
        self.set_len(len)
    }

    /// Allocates space for a range.
    fn reserve(&self, offset: u64, len: u64, how: Reserve) -> Result<()>;

    /// Makes a range read as zeros and frees its space; the size stays.
    fn punch(&self, offset: u64, len: u64) -> Result<()>;

    /// The first position with data from `offset` on. `ENXIO` if there is none.
    fn seek_data(&self, offset: u64) -> Result<u64>;

    /// The first hole from `offset` on; the end of the file counts as one. `ENXIO` beyond.
    fn seek_hole(&self, offset: u64) -> Result<u64>;

    /// Makes the content durable; unless `data_only`, all metadata too.
    fn sync(&self, data_only: bool) -> Result<()>;

    /// Whether an overwrite of a range goes where its data are, and so needs no space. Not known
    /// for certain means no.
    fn is_overwritten_in_place(&self, _offset: u64, _len: u64) -> bool {
        false
    }

    /// Whether it holds data that the filesystem has no place for yet: a clone waits for that.
    fn has_unplaced_data(&self) -> bool;

    /// Has the filesystem choose the places for all data from `offset` on, which takes as long as
    /// writing them. What fails here will fail again.
    fn place_data(&self, _offset: u64) {}

    /// Makes a range share its storage with a range of `src`; a `len` of 0 means to its end.
    fn clone_range(&self, src: &Self, src_offset: u64, len: u64, dst_offset: u64) -> Result<()>
    where
        Self: Sized;
}

impl File {
    /// Metadata.
    pub fn stat(&self) -> Result<Stat> {
        Stat::of_fd(self)
    }

    /// Another descriptor of the same open file.
    pub fn try_clone(&self) -> Result<File> {
        io::fcntl_dupfd_cloexec(self, 0).map(File)
    }

    /// Opens the same inode once more with other flags, checked anew against its permissions.
    pub fn reopen(&self, flags: OpenFlags) -> Result<File> {
        let path = fd_path(self);
        // The last component is a link to the inode, so it has to be followed.
        let flags = flags.difference(OpenFlags::NOFOLLOW) | OpenFlags::CLOEXEC;
        retry_on_intr(|| fs::open(&path, flags, Mode::empty())).map(File)
    }

    /// Lets the filesystem report a delayed error, as it does when a descriptor is closed.
    pub fn flush(&self) -> Result<()> {
        let fd = self.try_clone()?.0.into_raw_fd();
        // SAFETY: `fd` was just made, is owned here alone, and is not used afterwards.
        #[allow(unsafe_code)]
        let closed = unsafe { libc::close(fd) };
        if closed == 0 {
            return Ok(());
        }
        match Errno::from_io_error(&std::io::Error::last_os_error()) {
            // On Linux the descriptor is closed even so.
            Some(Errno::INTR) => Ok(()),
            errno => Err(errno.unwrap_or(Errno::IO)),
        }
    }

    fn allocate(&self, mode: FallocateFlags, offset: u64, len: u64) -> Result<()> {
        retry_on_intr(|| fs::fallocate(self, mode | FallocateFlags::KEEP_SIZE, offset, len))
    }

    fn seek(&self, to: SeekFrom) -> Result<u64> {
        retry_on_intr(|| fs::seek(self, to))
    }
}

impl Backing for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.read_until(buf, offset, u64::MAX)
    }

    fn read_until(&self, buf: &mut [u8], offset: u64, end: u64) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            let at = position(offset, done)?;
            match retry_on_intr(|| io::pread(self, &mut buf[done..], at))? {
                0 => break,
                count => done += count,
            }
            if offset + done as u64 == end {
                break;
            }
        }
        Ok(done)
    }

    fn read_vectored_at(&self, bufs: &mut [&mut [u8]], offset: u64) -> Result<usize> {
        let mut slices: Vec<_> = bufs.iter_mut().map(|buf| IoSliceMut::new(buf)).collect();
        let mut rest = &mut slices[..];
        let mut done = 0;
        // Drops empty buffers, so that "nothing read" means the end of the file.
        IoSliceMut::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let at = position(offset, done)?;
            let batch = rest.len().min(MAX_BUFFERS);
            match retry_on_intr(|| io::preadv(self, &mut rest[..batch], at))? {
                0 => break,
                count => {
                    done += count;
                    IoSliceMut::advance_slices(&mut rest, count);
                }
            }
        }
        Ok(done)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> core::result::Result<(), ShortWrite> {
        let mut written = 0;
        while written < buf.len() {
            let wrote = position(offset, written)
                .and_then(|at| retry_on_intr(|| io::pwrite(self, &buf[written..], at)));
            match wrote {
                Ok(0) => {
                    return Err(ShortWrite {
                        written,
                        errno: Errno::IO,
                    });
                }
                Ok(count) => written += count,
                Err(errno) => return Err(ShortWrite { written, errno }),
            }
        }
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        self.stat().map(|stat| stat.size)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        retry_on_intr(|| fs::ftruncate(self, len))
    }

    fn cut(&self, len: u64) -> Result<()> {
        let cut = self.set_len(len);
        cut.or_else(|_| self.reopen(OpenFlags::RDWR)?.set_len(len))
    }

    fn reserve(&self, offset: u64, len: u64, how: Reserve) -> Result<()> {
        let mode = match how {
            Reserve::KeepSize => FallocateFlags::empty(),
            Reserve::KeepSizeUnshare => FallocateFlags::UNSHARE_RANGE,
        };
        self.allocate(mode, offset, len)
    }

    fn punch(&self, offset: u64, len: u64) -> Result<()> {
        self.allocate(FallocateFlags::PUNCH_HOLE, offset, len)
    }

    fn seek_data(&self, offset: u64) -> Result<u64> {
        self.seek(SeekFrom::Data(offset))
    }

    fn seek_hole(&self, offset: u64) -> Result<u64> {
        self.seek(SeekFrom::Hole(offset))
    }

    fn sync(&self, data_only: bool) -> Result<()> {
        retry_on_intr(|| {
            if data_only {
                fs::fdatasync(self)
            } else {
                fs::fsync(self)
            }
        })
    }

    fn is_overwritten_in_place(&self, offset: u64, len: u64) -> bool {
        let flags = fs::ioctl_getflags(self);
        let extents = self.extents_in(offset..offset.saturating_add(len));
        flags.is_ok_and(|flags| flags.contains(IFlags::NOCOW))
            && extents.is_ok_and(|extents| extents.iter().all(|extent| !extent.shared))
    }

    fn has_unplaced_data(&self) -> bool {
        self.extents()
            .is_ok_and(|extents| extents.iter().any(|extent| extent.unplaced))
    }

    fn place_data(&self, offset: u64) {
        write_out(self, offset);
    }

    fn clone_range(&self, src: &File, src_offset: u64, len: u64, dst_offset: u64) -> Result<()> {
        retry_on_intr(|| clone_range(self, src, src_offset, len, dst_offset))
    }
}

/// The most buffers that one call takes (`UIO_MAXIOV`).
const MAX_BUFFERS: usize = 1024;

/// The position `done` bytes after `offset`; `EFBIG` beyond what a file can have.
fn position(offset: u64, done: usize) -> Result<u64> {
    u64::try_from(done)
        .ok()
        .and_then(|done| offset.checked_add(done))
        .ok_or(Errno::FBIG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Scratch, name};

    fn file_with(scratch: &Scratch, content: &[u8]) -> File {
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, content, false).unwrap();
        dir.open_file(name("f"), OpenFlags::RDWR).unwrap()
    }

    #[test]
    fn many_buffers_are_filled_one_after_the_other() {
        let scratch = Scratch::new();
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(5000).collect();
        let file = file_with(&scratch, &content);
        // More buffers than one call takes, a third of them empty.
        let mut space = vec![vec![0; 2]; 3 * MAX_BUFFERS];
        space.iter_mut().step_by(3).for_each(Vec::clear);
        let mut bufs: Vec<_> = space.iter_mut().map(Vec::as_mut_slice).collect();
        let len = file.read_vectored_at(&mut bufs, 1000).unwrap();
        assert_eq!(len, 4000);
        assert_eq!(space.concat()[..len], content[1000..]);
        assert_eq!(file.read_vectored_at(&mut [&mut [], &mut []], 0), Ok(0));
    }

    #[test]
    fn a_failed_write_tells_how_far_it_came() {
        let scratch = Scratch::new();
        file_with(&scratch, b"x");
        let file = scratch.dir.open_file(name("f"), OpenFlags::RDONLY).unwrap();
        let failed = file.write_at(b"abc", 0).unwrap_err();
        assert_eq!((failed.written, failed.errno), (0, Errno::BADF));
        assert_eq!(file.write_at(b"", 0), Ok(()));
    }

    #[test]
    fn holes_are_punched_found_and_kept_within_the_size() {
        let scratch = Scratch::new();
        let file = file_with(&scratch, &vec![1; 65536]);
        file.reserve(65536, 4096, Reserve::KeepSize).unwrap();
        assert_eq!(file.len(), Ok(65536));
        file.punch(16384, 16384).unwrap();
        assert_eq!(file.seek_hole(0), Ok(16384));
        assert_eq!(file.seek_data(16384), Ok(32768));
        assert_eq!(file.seek_data(65536), Err(Errno::NXIO));
        let mut buf = [1; 2];
        file.read_at(&mut buf, 16384).unwrap();
        assert_eq!(buf, [0, 0]);
        assert_eq!(file.is_empty(), Ok(false));
        file.set_len(0).unwrap();
        assert_eq!(file.is_empty(), Ok(true));
    }

    #[test]
    fn an_unlinked_file_is_reopened() {
        let scratch = Scratch::new();
        let file = file_with(&scratch, b"still here");
        scratch.dir.unlink(name("f")).unwrap();
        let again = file.reopen(OpenFlags::RDONLY).unwrap();
        let mut buf = [0; 16];
        assert_eq!(again.read_at(&mut buf, 6), Ok(4));
        assert_eq!(buf[..4], *b"here");
        file.flush().unwrap();
        file.sync(true).unwrap();
        assert_eq!(again.write_at(b"x", 0).unwrap_err().errno, Errno::BADF);
    }

    #[test]
    fn every_descriptor_is_closed_on_exec() {
        let scratch = Scratch::new();
        let file = file_with(&scratch, b"");
        let created = scratch.dir.create_file(name("g"), OpenFlags::RDWR, 0o600);
        let all = [
            created.unwrap(),
            scratch.dir.reopen().unwrap(),
            file.try_clone().unwrap(),
            file.reopen(OpenFlags::RDONLY).unwrap(),
            file,
        ];
        for fd in all {
            let flags = io::fcntl_getfd(&fd).unwrap();
            assert!(flags.contains(io::FdFlags::CLOEXEC));
        }
        let flags = io::fcntl_getfd(&scratch.dir).unwrap();
        assert!(flags.contains(io::FdFlags::CLOEXEC));
    }

    #[test]
    fn a_cloned_range_reads_as_its_source() {
        let scratch = Scratch::new();
        let src = file_with(&scratch, &[[7; 8192], [8; 8192]].concat());
        let dst = scratch.dir.create_file(name("g"), OpenFlags::RDWR, 0o600);
        let dst = dst.unwrap();
        match dst.clone_range(&src, 8192, 0, 4096) {
            Err(Errno::OPNOTSUPP) => return eprintln!("skipped: no reflinks here"),
            cloned => cloned.unwrap(),
        }
        let mut content = [1; 4096 + 8192 + 1];
        assert_eq!(dst.read_at(&mut content, 0), Ok(4096 + 8192));
        assert!(content[..4096].iter().all(|byte| *byte == 0));
        assert!(content[4096..][..8192].iter().all(|byte| *byte == 8));
        assert_eq!(dst.clone_range(&src, 1, 4096, 0), Err(Errno::INVAL));
        let unshared = dst.reserve(4096, 8192, Reserve::KeepSizeUnshare);
        assert!(matches!(unshared, Ok(()) | Err(Errno::OPNOTSUPP)));
    }
}
