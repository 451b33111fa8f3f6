//! Demanding that copies share their storage: two private ioctls on an open file of a mounted
//! volume, and the copies themselves.
//!
//! | name | number | data | meaning |
//! |---|---|---|---|
//! | `STRICT` | `_IOWR(0xe9, 1, u32)` | in: 1 or 0; out: what it was | whether copies into this open file share their storage or fail |
//! | `SHARED` | `_IOR(0xe9, 2, u64)` | out: bytes | how much the copies into this open file have shared so far |
//!
//! While `STRICT` is on, `copy_file_range(2)` into the file fails with `EINVAL` where it would
//! have to copy bytes; otherwise the kernel and the file system do all that they do for any copy.
//! Setting it fails with `EOPNOTSUPP` where nothing is ever shared, and both fail with `ENOTTY`
//! (`ENOSYS` on other FUSE file systems) if the file is not in a mounted volume. The state belongs
//! to the open file description, as `O_APPEND` does.

use rustix::io::retry_on_intr;
use rustix::ioctl::{Getter, Opcode, Updater, ioctl, opcode};

use super::{File, Result};

const STRICT: Opcode = opcode::read_write::<u32>(0xe9, 1);
const SHARED: Opcode = opcode::read::<u64>(0xe9, 2);

/// One of the ioctls, as the file system sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Sets whether copies share or fail; answers 1 or 0: what it was.
    Strict(bool),
    /// Answers how many bytes were shared.
    Shared,
}

impl Control {
    /// The meaning of an ioctl of this number with these data; `None` if it is not one of ours.
    pub fn parse(number: u32, data: &[u8]) -> Option<Control> {
        match (number, data) {
            (STRICT, data) if data.len() == size_of::<u32>() => {
                Some(Control::Strict(data.iter().any(|&byte| byte != 0)))
            }
            (SHARED, []) => Some(Control::Shared),
            _ => None,
        }
    }

    /// The data that answer it.
    #[allow(
        clippy::host_endian_bytes,
        reason = "the answer is a number in the memory of a program on this machine"
    )]
    pub fn answer(self, value: u64) -> Vec<u8> {
        match self {
            Control::Strict(_) => u32::from(value != 0).to_ne_bytes().to_vec(),
            Control::Shared => value.to_ne_bytes().to_vec(),
        }
    }
}

impl File {
    /// Sets whether copies into this open file share their storage or fail; returns what it was.
    pub fn set_strict(&self, strict: bool) -> Result<bool> {
        let mut value = u32::from(strict);
        // SAFETY: the size of the data is in the number, so the kernel reads and writes one `u32`
        // whichever file system the file is on.
        #[allow(unsafe_code)]
        unsafe {
            ioctl(self, Updater::<STRICT, u32>::new(&mut value))?;
        }
        Ok(value != 0)
    }

    /// How many bytes the copies into this open file have shared so far.
    pub fn shared_bytes(&self) -> Result<u64> {
        // SAFETY: as above, the kernel writes one `u64`.
        #[allow(unsafe_code)]
        unsafe {
            ioctl(self, Getter::<SHARED, u64>::new())
        }
    }

    /// Lets the kernel copy up to `len` bytes at `at` from `source` to the same place of this
    /// file; returns how many it did, 0 at the end of the source.
    pub fn copy_range(&self, source: &File, at: u64, len: u64) -> Result<u64> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let copied = retry_on_intr(|| {
            let (mut from, mut to) = (at, at);
            rustix::fs::copy_file_range(source, Some(&mut from), self, Some(&mut to), len)
        })?;
        Ok(copied as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Scratch, name};
    use crate::sys::{Backing, Errno, OpenFlags};

    #[test]
    fn only_our_ioctls_are_understood() {
        assert_eq!((STRICT, SHARED), (0xc004_e901, 0x8008_e902));
        let strict = Control::parse(STRICT, &[1, 0, 0, 0]);
        assert_eq!(strict, Some(Control::Strict(true)));
        let loose = Control::parse(STRICT, &[0; 4]);
        assert_eq!(loose, Some(Control::Strict(false)));
        assert_eq!(Control::parse(SHARED, &[]), Some(Control::Shared));
        for (number, data) in [(STRICT, &[1][..]), (SHARED, &[0; 8]), (0x5401, &[])] {
            assert_eq!(Control::parse(number, data), None);
        }
        assert_eq!(Control::Strict(true).answer(1).len(), 4);
        assert_eq!(Control::Shared.answer(1).len(), 8);
    }

    #[test]
    fn files_elsewhere_do_not_know_them() {
        let scratch = Scratch::new();
        let flags = OpenFlags::RDWR;
        let file = scratch.dir.create_file(name("f"), flags, 0o600).unwrap();
        assert_eq!(file.set_strict(true), Err(Errno::NOTTY));
        assert_eq!(file.shared_bytes(), Err(Errno::NOTTY));
    }

    #[test]
    fn a_range_is_copied_to_the_same_place() {
        let scratch = Scratch::new();
        let [one, other] = ["one", "other"].map(|file| {
            let flags = OpenFlags::RDWR;
            scratch.dir.create_file(name(file), flags, 0o600).unwrap()
        });
        one.write_at(b"0123456789", 0).unwrap();
        assert_eq!(other.copy_range(&one, 3, 100), Ok(7));
        assert_eq!(other.copy_range(&one, 10, 100), Ok(0));
        let mut copied = [1; 11];
        assert_eq!(other.read_at(&mut copied, 0), Ok(10));
        assert_eq!(copied[..10], *b"\0\0\x003456789");
    }
}
