//! Verifying the content of a file: every block is opened, and nothing of it is kept.
//!
//! Blocks are read in large pieces straight from the backing file. Holes are skipped without
//! reading them. What was not in the page cache before is not there afterwards, so that checking
//! a volume larger than the memory does not push everything else out.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use crate::format::{
    BlockDefect, BlockNo, CipherOffset, ContentCodec, Corrupt, FileId, HEADER_LEN, HeaderDefect,
    Layout,
};
use crate::sys::{self, Backing, Errno, File, Stat};
use crate::vault::Vault;

/// Blocks read at once: together about 1 MiB.
const PIECE: u64 = 254;
/// Pages of 4 KiB, the smallest there are, are what the page cache is counted in here.
const PAGE: u64 = 4096;

/// What the content of a file is, judged by its size and header.
pub enum Content {
    /// Nothing.
    Empty,
    /// 1 to 18 bytes: no block, and maybe not even a header. It reads as empty.
    Cut,
    /// Behind a header that is none, nothing can be read.
    BadHeader(HeaderDefect),
    /// A header and blocks.
    Blocks(Blocks),
}

/// The blocks of a file, to be verified.
pub struct Blocks {
    file: File,
    codec: Arc<ContentCodec>,
    id: FileId,
    size: CipherOffset,
    /// Whether some of it may be holes.
    is_sparse: bool,
    /// Whether it was in the page cache before its header was read, and more with it.
    was_warm: bool,
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// It does not open.
    #[error("{0}")]
    Corrupt(#[from] BlockDefect),
    /// The last block ends before it can hold anything.
    #[error("incomplete last block ({rest} bytes)")]
    Torn {
        /// How many bytes there are.
        rest: usize,
    },
    /// The backing file system cannot read it.
    #[error("{0}")]
    Unreadable(Errno),
}

/// What happens while blocks are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// So many bytes of the backing file are done with.
    Bytes(u64),
    /// A block is bad. Blocks come in ascending order.
    Bad(BlockNo, BlockFault),
}

impl Vault {
    /// Takes a first look at the content of an open file.
    ///
    /// # Errors
    /// What `pread(2)` says.
    pub fn content_of(&self, file: File, stat: &Stat) -> sys::Result<Content> {
        match stat.size {
            0 => return Ok(Content::Empty),
            size if size <= HEADER_LEN as u64 => return Ok(Content::Cut),
            _ => {}
        }
        let all = 0..stat.size;
        let cache = Cache::look(&file, &all);
        let was_warm = cache.is_warm;
        let mut header = [0; HEADER_LEN];
        let got = file.read_at(&mut header, 0)?;
        Ok(match FileId::parse(&header[..got]) {
            Ok(id) => Content::Blocks(Blocks {
                was_warm,
                file,
                codec: Arc::clone(&self.content),
                id,
                size: CipherOffset(stat.size),
                is_sparse: stat.may_have_holes(),
            }),
            Err(defect) => {
                cache.leave(all);
                Content::BadHeader(defect)
            }
        })
    }
}

impl Blocks {
    /// The file ID in the header.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The number of blocks, an incomplete one at the end included.
    pub fn count(&self) -> u64 {
        let body = self.size.0.saturating_sub(HEADER_LEN as u64);
        body.div_ceil(self.layout().cipher_block() as u64)
    }

    /// Verifies a range of blocks. `buf` is scratch space that the caller reuses. Ends early when
    /// `seen` breaks off.
    pub fn verify(
        &self,
        blocks: Range<u64>,
        buf: &mut Vec<u8>,
        mut seen: impl FnMut(Seen) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let range = self.cipher_range(&blocks);
        let mut cache = Cache::look(&self.file, &range);
        cache.is_warm &= self.was_warm || blocks.start > 0;
        let mut next = blocks.start;
        while next < blocks.end {
            let data = self.next_data(next).min(blocks.end);
            let end = blocks.end.min(data.saturating_add(PIECE));
            if data < end {
                cache.prepare(self.cipher_range(&(end..blocks.end.min(end + PIECE))));
                self.verify_piece(data..end, buf, &mut seen)?;
                cache.leave(self.cipher_range(&(data..end)));
            }
            let passed = self.cipher_range(&(next..end));
            seen(Seen::Bytes(passed.end - passed.start))?;
            next = end;
        }
        ControlFlow::Continue(())
    }

    fn layout(&self) -> Layout {
        self.codec.layout()
    }

    /// Where blocks are in the backing file, as far as it goes.
    fn cipher_range(&self, blocks: &Range<u64>) -> Range<u64> {
        let start = |no| self.layout().cipher_start(BlockNo(no)).0.min(self.size.0);
        start(blocks.start)..start(blocks.end)
    }

    /// The first block from `no` on that is not all hole. An incomplete block is never taken for
    /// a hole, since zeros are not valid there.
    fn next_data(&self, no: u64) -> u64 {
        if !self.is_sparse {
            return no;
        }
        let complete = self.layout().block_at(self.size).0;
        let start = self.layout().cipher_start(BlockNo(no)).0;
        match self.file.seek_data(start) {
            Ok(data) => self
                .layout()
                .block_at(CipherOffset(data))
                .0
                .clamp(no, complete.max(no)),
            Err(Errno::NXIO) => complete.max(no),
            // Not known there: then everything is data.
            Err(_) => no,
        }
    }

    fn verify_piece(
        &self,
        blocks: Range<u64>,
        buf: &mut Vec<u8>,
        seen: &mut impl FnMut(Seen) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let range = self.cipher_range(&blocks);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        if buf.len() < length {
            buf.resize(length, 0);
        }
        let is_good = self
            .file
            .read_at(&mut buf[..length], range.start)
            .is_ok_and(|got| {
                let first = BlockNo(blocks.start);
                self.codec
                    .verify_run(self.id, first, &mut buf[..got])
                    .is_ok()
            });
        if is_good {
            return ControlFlow::Continue(());
        }
        for no in blocks.map(BlockNo) {
            if let Some(fault) = self.look(no) {
                seen(Seen::Bad(no, fault))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Looks at a block on its own, once more: a neighbour may be what could not be read or
    /// opened, or somebody may have been writing.
    fn look(&self, no: BlockNo) -> Option<BlockFault> {
        let mut block = vec![0; self.layout().cipher_block()];
        let start = self.layout().cipher_start(no).0;
        let got = match self.file.read_at(&mut block, start) {
            Ok(0) => return None,
            Ok(got) => got,
            Err(errno) => return Some(BlockFault::Unreadable(errno)),
        };
        if got <= self.layout().overhead() {
            return Some(BlockFault::Torn { rest: got });
        }
        match self.codec.verify_run(self.id, no, &mut block[..got]) {
            Err(Corrupt::Block { defect, .. }) => Some(BlockFault::Corrupt(defect)),
            _ => None,
        }
    }
}

/// Manners towards the page cache, for one range of a file.
struct Cache<'a> {
    file: &'a File,
    /// Whether the range was in the cache before, so that it has to stay.
    is_warm: bool,
}

impl Cache<'_> {
    fn look<'a>(file: &'a File, range: &Range<u64>) -> Cache<'a> {
        let length = range.end - range.start;
        let cached = file.cached_pages(range.start, length);
        // The end of the range before may have been read ahead into this one.
        let is_warm = cached.is_some_and(|pages| pages.saturating_mul(PAGE) > length / 2);
        Cache { file, is_warm }
    }

    /// Has a range read in the background.
    fn prepare(&self, range: Range<u64>) {
        if !self.is_warm && !range.is_empty() {
            self.file
                .advise_needed(range.start, range.end - range.start);
        }
    }

    /// Drops a range that has been read, and the page that it shares with what is before it.
    fn leave(&self, range: Range<u64>) {
        if !self.is_warm {
            let start = range.start / PAGE * PAGE;
            self.file.advise_not_needed(start, range.end - start);
        }
    }
}
