//! An open file of the vault: plain bytes in, cipher bytes on disk.
//!
//! Invariant: every block on disk authenticates under the file ID in the header, at every moment
//! between two operations, whatever the backing file system answered.

use std::sync::Arc;

use crate::format::{BlockNo, CipherOffset, ContentCodec, FileId, HEADER_LEN, Layout, PlainOffset};
use crate::sys::{Backing, File, FileKey, Stat};
use crate::vault::clone::Reflinks;
use crate::vault::error::{Error, Result};
use crate::vault::open::{Content, Registration};
use crate::vault::spare::Spare;
use crate::vault::undo::Safety;

/// The size of the largest file that the kernel can address, bytes.
pub(super) const LARGEST: u64 = i64::MAX.unsigned_abs();

/// An open file. `B` is the backing file: the real one, or an image in memory in tests.
pub struct CipherFile<B = File> {
    pub(super) backing: B,
    pub(super) registration: Registration,
    pub(super) codec: Arc<ContentCodec>,
    pub(super) safety: Safety,
    /// The size of the backing file when it was opened, bytes.
    pub(super) opened_size: u64,
    pub(super) spare: Arc<Spare<B>>,
    pub(super) reflinks: Reflinks,
    /// Whether nothing may be mended.
    pub(super) read_only: bool,
}

impl<B: Backing> CipherFile<B> {
    /// The backing file.
    pub fn backing(&self) -> &B {
        &self.backing
    }

    /// Which backing file this is.
    pub fn key(&self) -> FileKey {
        self.registration.key()
    }

    /// Reads up to `len` bytes at `at`; less only at the end of the file.
    ///
    /// `buf` is scratch space that the caller reuses; the result is a part of it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if one of the blocks in the range does not authenticate: a read never
    /// returns part of a range with a bad block in it.
    pub fn read<'b>(&self, at: PlainOffset, len: usize, buf: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let shared = self.content().share();
        let mut range = self.find_plain(at, len, buf);
        drop(shared);
        if let Err(Error::Corrupt { .. }) = range {
            let _exclusive = self.content().exclude();
            range = self.mending(|| self.find_plain(at, len, buf));
        }
        Ok(buf.get(range?).unwrap_or_default())
    }

    /// As [`CipherFile::read`]. The caller holds the content lock.
    pub(super) fn read_locked<'b>(
        &self,
        at: PlainOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let range = self.find_plain(at, len, buf)?;
        Ok(buf.get(range).unwrap_or_default())
    }

    /// Reads a range; returns where in `buf` the plain bytes are.
    fn find_plain(
        &self,
        at: PlainOffset,
        len: usize,
        buf: &mut Vec<u8>,
    ) -> Result<std::ops::Range<usize>> {
        if len == 0 {
            return Ok(0..0);
        }
        match self.read_under_id(at, len, buf, self.content().known().id) {
            // The header may have been replaced from outside since it was read: look again.
            Err(Error::Corrupt { .. }) if self.content().known().id.is_some() => {
                self.read_under_id(at, len, buf, None)
            }
            other => other,
        }
    }

    /// Reads and opens the blocks of a range; returns where in `buf` the plain bytes are.
    fn read_under_id(
        &self,
        at: PlainOffset,
        len: usize,
        buf: &mut Vec<u8>,
        known: Option<FileId>,
    ) -> Result<std::ops::Range<usize>> {
        let layout = self.layout();
        let first = layout.block_of(at);
        let last = layout.block_of(PlainOffset(at.0.saturating_add(len as u64 - 1)));
        let blocks = usize::try_from(last.0 - first.0 + 1).unwrap_or(usize::MAX);
        // The header is right in front of block 0: one request for both.
        let with_header = known.is_none() && first == BlockNo(0);
        let id = match known {
            Some(id) => Some(id),
            None if with_header => None,
            None => match self.read_header()? {
                None => return Ok(0..0),
                found => found,
            },
        };
        let skip = if with_header { HEADER_LEN } else { 0 };
        let want = skip + blocks * layout.cipher_block();
        if buf.len() < want {
            buf.resize(want, 0);
        }
        let start = layout.cipher_start(first).0 - skip as u64;
        let cipher = &mut buf[..want.min(up_to_largest(start))];
        let got = self.backing.read_until(cipher, start, self.opened_size)?;
        if got <= skip {
            return Ok(0..0);
        }
        let id = match id {
            Some(id) => id,
            None => self.note_header(&cipher[..HEADER_LEN])?,
        };
        let opened = self
            .codec
            .open_run(id, first, &mut cipher[skip..got])
            .map_err(|what| self.corrupt(what))?;
        let offset = usize::try_from(at.0 - layout.plain_start(first).0).unwrap_or(usize::MAX);
        let end = opened.min(offset.saturating_add(len));
        Ok(skip + offset.min(end)..skip + end)
    }

    /// The plain size. The caller holds the content lock.
    pub(super) fn plain_size(&self) -> Result<PlainOffset> {
        Ok(self.layout().plain_size(self.cipher_size()?))
    }

    /// The size of the backing file. The caller holds the content lock.
    pub(super) fn cipher_size(&self) -> Result<CipherOffset> {
        if let Some(size) = self.content().known().size {
            return Ok(size);
        }
        let size = CipherOffset(self.backing.len()?);
        self.content().set_size(Some(size));
        Ok(size)
    }

    /// The file ID, from memory or from the header; `None` while the file is empty.
    pub(super) fn id(&self) -> Result<Option<FileId>> {
        match self.content().known().id {
            Some(id) => Ok(Some(id)),
            None if self.cipher_size()? <= CipherOffset(HEADER_LEN as u64) => Ok(None),
            None => self.read_header(),
        }
    }

    fn read_header(&self) -> Result<Option<FileId>> {
        // One byte more than the header: a header without content is an empty file.
        let mut start = [0; HEADER_LEN + 1];
        if self.backing.read_at(&mut start, 0)? < start.len() {
            return Ok(None);
        }
        self.note_header(&start[..HEADER_LEN]).map(Some)
    }

    fn note_header(&self, header: &[u8]) -> Result<FileId> {
        let id = FileId::parse(header).map_err(|defect| self.corrupt(defect))?;
        self.content().set_id(Some(id));
        Ok(id)
    }

    /// Reads one block: its plain bytes, none behind the end.
    pub(super) fn read_block(&self, id: FileId, block: BlockNo) -> Result<Vec<u8>> {
        self.open_block(id, block, self.read_raw_block(block)?)
    }

    /// Reads one block as it is stored.
    pub(super) fn read_raw_block(&self, block: BlockNo) -> Result<Vec<u8>> {
        let start = self.layout().cipher_start(block).0;
        self.read_raw(start, start + self.layout().cipher_block() as u64)
    }

    /// Reads a short range of the backing file; less at its end.
    pub(super) fn read_raw(&self, start: u64, end: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        let got = self.backing.read_at(&mut bytes, start)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    /// The plain bytes of a block from its cipher bytes.
    pub(super) fn open_block(
        &self,
        id: FileId,
        block: BlockNo,
        mut stored: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let opened = self
            .codec
            .open_run(id, block, &mut stored)
            .map_err(|what| self.corrupt(what))?;
        stored.truncate(opened);
        Ok(stored)
    }

    pub(super) fn layout(&self) -> Layout {
        self.codec.layout()
    }

    pub(super) fn content(&self) -> &Content {
        self.registration.content()
    }

    pub(super) fn corrupt(&self, what: impl Into<crate::format::Corrupt>) -> Error {
        Error::corrupt(self.key().ino, what)
    }
}

/// How many bytes the largest possible file has from `start` on.
fn up_to_largest(start: u64) -> usize {
    usize::try_from(LARGEST.saturating_sub(start)).unwrap_or(usize::MAX)
}

impl<B: Backing> CipherFile<B> {
    /// Makes the content durable; unless `data_only`, the attributes too.
    ///
    /// # Errors
    /// What `fsync(2)` says.
    pub fn sync(&self, data_only: bool) -> Result<()> {
        Ok(self.backing.sync(data_only)?)
    }
}

impl CipherFile<File> {
    /// The attributes of the file, with its plain size.
    ///
    /// # Errors
    /// What `fstat(2)` says.
    pub fn stat(&self) -> Result<Stat> {
        let mut stat = self.backing.stat()?;
        stat.size = self.layout().plain_size(CipherOffset(stat.size)).0;
        Ok(stat)
    }
}
