//! Sharing storage between files: `FICLONERANGE` of `ioctl_ficlonerange(2)`, and what it waits for.

use std::os::fd::{AsFd, AsRawFd};

use rustix::ioctl::{Setter, ioctl, opcode};

use super::Result;

/// `struct file_clone_range`.
#[repr(C)]
struct FileCloneRange {
    src_fd: i64,
    src_offset: u64,
    src_length: u64,
    dest_offset: u64,
}

const FICLONERANGE: rustix::ioctl::Opcode = opcode::write::<FileCloneRange>(0x94, 13);

/// Makes `len` bytes of `dst` share their storage with `src`; a `len` of 0 means to the end of it.
///
/// Positions are multiples of the filesystem's block size, and so is the length unless it reaches
/// the end of the source: else `EINVAL`. `EOPNOTSUPP` or `EXDEV` where sharing is impossible.
pub(super) fn clone_range(
    dst: impl AsFd,
    src: impl AsFd,
    src_offset: u64,
    len: u64,
    dst_offset: u64,
) -> Result<()> {
    let range = FileCloneRange {
        src_fd: src.as_fd().as_raw_fd().into(),
        src_offset,
        src_length: len,
        dest_offset: dst_offset,
    };
    // SAFETY: the operation reads one `struct file_clone_range`, whose layout `FileCloneRange`
    // has, and writes to nothing in memory. `src` keeps the descriptor in it open.
    #[allow(unsafe_code)]
    unsafe {
        ioctl(dst, Setter::<FICLONERANGE, FileCloneRange>::new(range))
    }
}

/// Writes the data from `offset` on to the disk and waits for it, without making anything durable:
/// `sync_file_range(2)`.
pub(super) fn write_out(file: impl AsFd, offset: u64) {
    let whole = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let Ok(offset) = offset.try_into() else {
        return;
    };
    // SAFETY: the call takes numbers only, and `file` keeps the descriptor open.
    #[allow(unsafe_code)]
    unsafe {
        libc::sync_file_range(file.as_fd().as_raw_fd(), offset, 0, whole);
    }
}
