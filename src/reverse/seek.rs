//! Data and holes of the view, for programs that copy sparse files.
//!
//! A full block that lies in a hole of the plain file reads as sealed zeros, but a copy may leave
//! it out, because a full block of zeros in a vault is a hole. Invariant: the header and every
//! block that is not full, or not a hole from end to end, count as data.

use crate::format::{BlockNo, CipherOffset, HEADER_LEN, Layout, PlainOffset};
use crate::reverse::Reverse;
use crate::reverse::files::{OpenFile, SealedFile};
use crate::sys::{Backing, Errno};
use crate::vfs::{Error, Result, Seek};

impl Reverse {
    pub(super) fn seek_file(
        &self,
        file: &OpenFile,
        at: CipherOffset,
        what: Seek,
    ) -> Result<CipherOffset> {
        let end = match file {
            OpenFile::Sealed(sealed) => self.end_of(sealed).0,
            OpenFile::AsItIs(file) => file.len()?,
            OpenFile::Virtual(content) => content.len() as u64,
        };
        if at.0 >= end {
            return Err(Error::Os(Errno::NXIO));
        }
        match (file, what) {
            (OpenFile::Sealed(sealed), _) => self.seek_sealed(sealed, at, what),
            (_, Seek::Data) => Ok(at),
            (_, Seek::Hole) => Ok(CipherOffset(end)),
        }
    }

    /// The caller has made sure that `at` lies in the file.
    fn seek_sealed(&self, file: &SealedFile, at: CipherOffset, what: Seek) -> Result<CipherOffset> {
        let layout = self.codecs.content.layout();
        let block = layout.block_at(at);
        let found = match what {
            Seek::Data if at.0 < HEADER_LEN as u64 => return Ok(at),
            Seek::Data => Some(next_data(file, layout, block)?.ok_or(Errno::NXIO)?),
            Seek::Hole => next_hole(file, layout, block)?,
        };
        let start = found.map_or(self.end_of(file), |block| layout.cipher_start(block));
        Ok(start.max(at))
    }
}

/// The first block from `block` on that counts as data.
fn next_data(file: &SealedFile, layout: Layout, block: BlockNo) -> Result<Option<BlockNo>> {
    let rest = match file.file.seek_data(layout.plain_start(block).0) {
        Err(Errno::NXIO) => None,
        data => Some(PlainOffset(data?)).filter(|data| *data < file.size),
    };
    // The last block counts as data unless it is full.
    let last = layout.block_of(file.size);
    let is_partial = layout.plain_start(last) < file.size;
    let partial = (is_partial && block <= last).then_some(last);
    Ok(rest.map(|data| layout.block_of(data)).or(partial))
}

/// The first block from `block` on that is nothing but a hole.
fn next_hole(file: &SealedFile, layout: Layout, mut block: BlockNo) -> Result<Option<BlockNo>> {
    while layout.plain_start(block.next()) <= file.size {
        let hole = match file.file.seek_hole(layout.plain_start(block).0) {
            Err(Errno::NXIO) => return Ok(None),
            hole => layout.block_of(PlainOffset(hole?)),
        };
        if next_data(file, layout, hole)? != Some(hole) {
            let is_full = layout.plain_start(hole.next()) <= file.size;
            return Ok(is_full.then_some(hole));
        }
        // The hole begins in the middle of the block, or is shorter than it.
        block = hole.next();
    }
    Ok(None)
}
