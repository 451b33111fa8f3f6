//! Reading a file that somebody may be writing.
//!
//! The kernel does not promise that a read sees all or nothing of a write. Sealing whatever came
//! would make a valid block of something that was never there; so the parts of a file that has
//! just changed are read until they come out the same twice.

use std::time::{Duration, SystemTime};

use crate::sys::{Backing, Errno, File, Result};

/// A file that was changed longer ago than this is at rest.
const AT_REST: Duration = Duration::from_secs(2);
/// How often a part is read again before the reader hears that it does not hold still.
const TRIES: usize = 64;

/// Reads into `parts`, one behind the other, from `at` on; returns how many bytes there were.
///
/// # Errors
/// `EAGAIN` if a part keeps changing; what reading says.
pub(super) fn read(file: &File, parts: &mut [&mut [u8]], at: u64) -> Result<usize> {
    let got = file.read_vectored_at(parts, at)?;
    let stat = file.stat()?;
    let now = SystemTime::now();
    if stat.mtime.is_older_than(AT_REST, now) && stat.ctime.is_older_than(AT_REST, now) {
        return Ok(got);
    }
    let again = |buf: &mut [u8], start: u64| {
        wait_for_writers(file);
        file.read_at(buf, at + start)
    };
    settle(again, parts, got)
}

/// Waits until the writes that are under way are complete. What is read twice could otherwise be the
/// same half of a write whose thread is not running. A write holds the lock of the inode, which a
/// search for data has to take (on ext4, btrfs, f2fs and tmpfs; on XFS every read does).
fn wait_for_writers(file: &File) {
    let _ = file.seek_data(0);
}

/// Reads each part again until it comes out the same. `got` bytes have been read once.
fn settle(
    mut read: impl FnMut(&mut [u8], u64) -> Result<usize>,
    parts: &mut [&mut [u8]],
    mut got: usize,
) -> Result<usize> {
    let mut again = Vec::new();
    let mut start = 0;
    for part in parts {
        let mut tries = 0..TRIES;
        loop {
            tries.next().ok_or(Errno::AGAIN)?;
            let have = got.saturating_sub(start).min(part.len());
            again.resize(part.len(), 0);
            let read = read(&mut again, start as u64)?;
            if again[..read] == part[..have] {
                break;
            }
            part[..read].copy_from_slice(&again[..read]);
            // The file ends here now, or goes on behind.
            got = if read < part.len() {
                start + read
            } else {
                got.max(start + read)
            };
        }
        start += part.len();
        if got < start {
            break;
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_changed_while_it_was_read_is_read_until_it_stays() {
        let (mut one, mut two) = (*b"old?", *b"same");
        let mut answers = [*b"?new", *b"new!", *b"new!"].into_iter();
        let parts: &mut [&mut [u8]] = &mut [&mut one, &mut two];
        let read = |buf: &mut [u8], start| {
            buf.copy_from_slice(&if start == 0 {
                answers.next().unwrap()
            } else {
                *b"same"
            });
            Ok(4)
        };
        assert_eq!(settle(read, parts, 8), Ok(8));
        assert_eq!((one, two), (*b"new!", *b"same"));
        assert_eq!(answers.next(), None);
    }

    #[test]
    fn a_part_that_never_holds_still_is_an_error() {
        let mut state = 0_u8;
        let parts: &mut [&mut [u8]] = &mut [&mut [0_u8; 4]];
        let read = |buf: &mut [u8], _| {
            state = state.wrapping_add(1);
            buf.fill(state);
            Ok(4)
        };
        assert_eq!(settle(read, parts, 4), Err(Errno::AGAIN));
    }

    #[test]
    fn a_file_that_shrank_meanwhile_ends_where_it_ends() {
        let (mut one, mut two) = (*b"text", *b"tail");
        let parts: &mut [&mut [u8]] = &mut [&mut one, &mut two];
        let read = |buf: &mut [u8], start| {
            let left = b"text"
                .len()
                .saturating_sub(usize::try_from(start).unwrap() + 2);
            buf[..left].copy_from_slice(&b"te"[..left]);
            Ok(left)
        };
        assert_eq!(settle(read, parts, 8), Ok(2));
        assert_eq!(one[..2], *b"te");
    }
}
