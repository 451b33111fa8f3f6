//! Finishing a truncation that was cut short.
//!
//! A file that is to end inside a block has that block sealed anew, shorter, over the old one, and
//! is then cut to its end. If the program dies in between, the last block does not open as a whole,
//! but its beginning does: where that ends, the file was to end. The same is found where an append
//! was torn by a power failure and what was there before is intact.
//!
//! Invariant: nothing is cut off but what can never be read.

use crate::format::CipherOffset;
use crate::sys::Backing;
use crate::vault::error::{Error, Result};
use crate::vault::file::CipherFile;

impl<B: Backing> CipherFile<B> {
    /// Does something that needs the last block; once more if that was torn and could be mended.
    /// The caller holds the exclusive lock.
    pub(super) fn mending<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        match work() {
            Err(Error::Corrupt { .. }) if self.finish_cut().unwrap_or(false) => work(),
            done => done,
        }
    }

    /// Cuts the file where the beginning of its last block ends, if that opens and the whole does
    /// not; whether it was so. The caller holds the exclusive lock.
    fn finish_cut(&self) -> Result<bool> {
        let size = self.backing.len()?;
        let Some(id) = self.id()?.filter(|_| !self.read_only) else {
            return Ok(false);
        };
        let layout = self.layout();
        let last = layout.block_at(CipherOffset(size - 1));
        let stored = self.read_raw_block(last)?;
        let opens = |len: &usize| {
            let mut beginning = stored[..*len].to_vec();
            self.codec.verify_run(id, last, &mut beginning).is_ok()
        };
        if opens(&stored.len()) {
            return Ok(false);
        }
        let Some(len) = (layout.overhead() + 1..stored.len()).find(opens) else {
            return Ok(false);
        };
        self.content().set_size(None);
        self.backing.cut(layout.cipher_start(last).0 + len as u64)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::crypto::ContentSuite;
    use crate::format::{BlockNo, PlainOffset};
    use crate::sys::Backing as _;
    use crate::sys::mem::MemFile;
    use crate::vault::error::Result;
    use crate::vault::file::CipherFile;
    use crate::vault::tests::{BLOCK, Kept, open, pattern};
    use crate::vault::undo::Safety;

    const SIZE: usize = 2 * BLOCK + 3000;
    const SUITES: [ContentSuite; 3] = [
        ContentSuite::AesGcm,
        ContentSuite::AesSiv,
        ContentSuite::XChaCha,
    ];

    /// A file whose last block was sealed anew with `keep` bytes, and not cut.
    fn torn(suite: ContentSuite, keep: usize) -> CipherFile<MemFile> {
        let kept = Kept(suite, Safety::Remember);
        let file = open(MemFile::default(), kept);
        file.write(PlainOffset(0), &pattern(SIZE, 1)).unwrap();
        let long = file.backing.bytes();
        file.truncate(PlainOffset((2 * BLOCK + keep) as u64))
            .unwrap();
        let mut bytes = file.backing.bytes();
        bytes.extend_from_slice(&long[bytes.len()..]);
        open(MemFile::new(bytes), kept)
    }

    fn content(file: &CipherFile<MemFile>) -> Result<Vec<u8>> {
        let mut buf = Vec::new();
        Ok(file.read(PlainOffset(0), 4 * BLOCK, &mut buf)?.to_vec())
    }

    #[test]
    fn a_torn_last_block_ends_where_its_beginning_does() {
        for suite in SUITES {
            for keep in [1, 16, 17, 2000, 2999] {
                let file = torn(suite, keep);
                assert_eq!(
                    content(&file).unwrap(),
                    pattern(SIZE, 1)[..2 * BLOCK + keep]
                );
                let file = torn(suite, keep);
                let end = PlainOffset((2 * BLOCK + keep) as u64);
                file.write(PlainOffset((2 * BLOCK) as u64), b"x").unwrap();
                assert_eq!(file.plain_size().unwrap(), end);
                let file = torn(suite, keep);
                file.truncate(PlainOffset((2 * BLOCK + 1) as u64)).unwrap();
                assert_eq!(content(&file).unwrap(), pattern(SIZE, 1)[..=2 * BLOCK]);
            }
        }
    }

    #[test]
    fn blocks_in_front_of_others_and_damaged_ones_stay_as_they_are() {
        let file = torn(ContentSuite::AesGcm, 100);
        let last = file.layout().cipher_start(BlockNo(2));
        file.backing.write_at(&[0x55; 10], last.0 + 20).unwrap();
        content(&file).unwrap_err();
        let file = torn(ContentSuite::AesGcm, 100);
        let size = file.backing.len().unwrap();
        file.backing.set_len(size + 5000).unwrap();
        content(&file).unwrap_err();
        assert_eq!(file.backing.len().unwrap(), size + 5000);
    }

    #[test]
    fn a_mount_for_reading_only_cuts_nothing() {
        let mut file = torn(ContentSuite::AesGcm, 100);
        file.read_only = true;
        let before = file.backing.bytes();
        content(&file).unwrap_err();
        assert_eq!(file.backing.bytes(), before);
    }
}
