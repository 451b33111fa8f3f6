//! The page cache: what is in it of a file, what will be needed, what will not be needed again.
//!
//! All of it is advice: the content of files is the same without.

use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;

use rustix::fs::{Advice, fadvise};

use super::File;

/// `struct cachestat_range`.
#[repr(C)]
struct Range {
    offset: u64,
    len: u64,
}

/// `struct cachestat`, counts of pages.
#[repr(C)]
struct Counts {
    cache: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// `cachestat(2)`, since Linux 6.5; the same on every architecture.
const SYS_CACHESTAT: libc::c_long = 451;

impl File {
    /// How many pages of a range are in the page cache; `None` if the kernel does not tell.
    pub fn cached_pages(&self, offset: u64, len: u64) -> Option<u64> {
        let range = Range { offset, len };
        let mut counts = MaybeUninit::<Counts>::uninit();
        // SAFETY: the call reads a `struct cachestat_range` and writes a `struct cachestat`, whose
        // layouts these are; the last argument, flags, must be 0.
        #[allow(unsafe_code)]
        let answer = unsafe {
            libc::syscall(
                SYS_CACHESTAT,
                std::os::fd::AsFd::as_fd(self).as_raw_fd(),
                &raw const range,
                counts.as_mut_ptr(),
                0,
            )
        };
        // SAFETY: the call succeeded and has written all of it.
        #[allow(unsafe_code)]
        (answer == 0).then(|| unsafe { counts.assume_init() }.cache)
    }

    /// Tells that a range will be read soon.
    pub fn advise_needed(&self, offset: u64, len: u64) {
        // Without the advice it is read when it is asked for.
        let _ = fadvise(self, offset, NonZeroU64::new(len), Advice::WillNeed);
    }

    /// Gives up what the page cache holds of a range; what has not been written yet stays.
    pub fn advise_not_needed(&self, offset: u64, len: u64) {
        // Without the advice it stays until the space is needed for something else.
        let _ = fadvise(self, offset, NonZeroU64::new(len), Advice::DontNeed);
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::testing::{Scratch, name};
    use crate::sys::{Backing, OpenFlags};

    #[test]
    fn what_is_not_needed_leaves_the_cache() {
        let scratch = Scratch::new();
        let content = vec![7; 1 << 20];
        let dir = &scratch.dir;
        dir.write_new(name("f"), 0o600, &content, true).unwrap();
        let file = dir.open_file(name("f"), OpenFlags::RDONLY).unwrap();
        let mut buf = vec![0; content.len()];
        file.read_at(&mut buf, 0).unwrap();
        let Some(before) = file.cached_pages(0, 1 << 20) else {
            eprintln!("SKIPPED: the kernel has no cachestat(2)");
            return;
        };
        assert!(before > 0);
        if crate::sys::fs_magic::TMPFS == dir.statfs().unwrap().magic {
            eprintln!("SKIPPED: a file system in memory keeps its pages");
            return;
        }
        file.advise_not_needed(0, 1 << 20);
        assert_eq!(file.cached_pages(0, 1 << 20), Some(0));
        file.advise_needed(0, 1 << 20);
        assert_eq!(file.read_at(&mut buf, 0), Ok(content.len()));
        assert_eq!(buf, content);
    }
}
