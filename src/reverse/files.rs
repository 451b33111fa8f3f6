//! Opening and reading files.

use std::ops::Range;

use crate::format::{CipherOffset, FileIvs, HEADER_LEN, PlainOffset, ViewPath};
use crate::reverse::lookup::{Found, has_several_names};
use crate::reverse::member::Member;
use crate::reverse::{Reverse, settled, virtuals};
use crate::sys::{Backing, Errno, File, OpenFlags, Stat};
use crate::vfs::{Error, NodeId, Opened, Result};

/// An open file of the view.
pub(super) enum OpenFile {
    /// A plain file, sealed as it is read.
    Sealed(SealedFile),
    /// A file that shows as it is.
    AsItIs(File),
    /// A file that is made up.
    Virtual(Vec<u8>),
}

/// A plain file that is sealed as it is read.
pub(super) struct SealedFile {
    pub(super) file: File,
    ivs: FileIvs,
    /// Where it ends as far as this handle is concerned: the kernel believed so at the open. It
    /// may have grown since.
    pub(super) size: PlainOffset,
}

impl Reverse {
    pub(super) fn open_file(&self, node: NodeId) -> Result<Opened> {
        let Found {
            dir, member, stat, ..
        } = self.find(node)?;
        let file = match &member {
            Member::Object(name) => {
                let file = dir.dir.open_file(&name.plain, OpenFlags::RDONLY);
                let file = file.map_err(|errno| match errno {
                    Errno::NXIO | Errno::ISDIR => Errno::ACCESS,
                    // It was a file when the kernel asked, and it will ask again.
                    Errno::LOOP => Errno::STALE,
                    errno => errno,
                })?;
                let opened = file.stat()?;
                if opened.key != stat.key {
                    return Err(Error::Os(Errno::STALE));
                }
                let path = dir.path.join(&name.shown);
                OpenFile::Sealed(self.sealed(node, file, &opened, path))
            }
            Member::Config => OpenFile::AsItIs(self.config()?.reopen(OpenFlags::RDONLY)?),
            Member::DirIv | Member::NameFile(_) => {
                OpenFile::Virtual(virtuals::content(&dir, &member).to_vec())
            }
        };
        Ok(Opened {
            keep_cache: self.options.kernel_cache || matches!(file, OpenFile::Virtual(_)),
            handle: self.files.insert(file),
        })
    }

    fn sealed(&self, node: NodeId, file: File, stat: &Stat, own_path: ViewPath) -> SealedFile {
        let several = has_several_names(stat);
        let path = self.links.opened(stat.key, several, own_path);
        let layout = self.codecs.content.layout();
        let told = self.sizes.told(node).map(|told| layout.plain_size(told));
        SealedFile {
            file,
            ivs: path.file_ivs(),
            size: told.unwrap_or(PlainOffset(stat.size)),
        }
    }

    /// The size of an open file of `size` bytes as its handle shows it.
    pub(super) fn size_through(&self, file: &OpenFile, size: u64) -> u64 {
        match file {
            OpenFile::Sealed(sealed) => size.min(self.end_of(sealed).0),
            OpenFile::AsItIs(_) | OpenFile::Virtual(_) => size,
        }
    }

    /// Where a file ends as far as its handle is concerned.
    pub(super) fn end_of(&self, file: &SealedFile) -> CipherOffset {
        self.codecs.content.layout().cipher_size(file.size)
    }

    pub(super) fn read_file<'b>(
        &self,
        file: &OpenFile,
        at: CipherOffset,
        len: usize,
        buf: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let range = match file {
            OpenFile::Sealed(sealed) => self.read_sealed(sealed, at, len, buf)?,
            OpenFile::AsItIs(file) => {
                grow(buf, len);
                0..file.read_at(&mut buf[..len], at.0)?
            }
            OpenFile::Virtual(content) => {
                let start = usize::try_from(at.0).unwrap_or(usize::MAX);
                let rest = content.get(start..).unwrap_or_default();
                let part = &rest[..len.min(rest.len())];
                grow(buf, part.len());
                buf[..part.len()].copy_from_slice(part);
                0..part.len()
            }
        };
        Ok(&buf[range])
    }

    /// Reads the blocks of a range and seals them in `buf`; returns where in it the range is.
    fn read_sealed(
        &self,
        file: &SealedFile,
        at: CipherOffset,
        len: usize,
        buf: &mut Vec<u8>,
    ) -> Result<Range<usize>> {
        let codec = &self.codecs.content;
        let layout = codec.layout();
        let end = self.end_of(file).0.min(at.0.saturating_add(len as u64));
        if at.0 >= end {
            return Ok(0..0);
        }
        let first = layout.block_at(at);
        let behind = layout.block_at(CipherOffset(end - 1)).next();
        let start = layout.plain_start(first);
        let plain_len = layout.plain_start(behind).min(file.size).0 - start.0;
        // The header, or room for it, then the blocks.
        let want = small(layout.cipher_size(PlainOffset(plain_len)).0)?;
        grow(buf, want);
        let (header, run) = buf[..want].split_at_mut(HEADER_LEN);
        header.copy_from_slice(&file.ivs.id.to_header());
        let mut texts: Vec<&mut [u8]> = codec.texts(run).collect();
        let got = settled::read(&file.file, &mut texts, start.0)?;
        let have = small(layout.cipher_size(PlainOffset(got as u64)).0)?;
        let Some(sealed) = have.checked_sub(HEADER_LEN) else {
            return Ok(0..0);
        };
        let nonces = |no, nonce: &mut [u8]| nonce.copy_from_slice(&file.ivs.nonce(no));
        codec.seal_in_place(file.ivs.id, first, nonces, &mut run[..sealed]);
        let base = layout.cipher_start(first).0 - HEADER_LEN as u64;
        let end = small(end - base)?.min(have);
        Ok(small(at.0 - base)?.min(end)..end)
    }
}

/// Makes a buffer at least so long.
fn grow(buf: &mut Vec<u8>, len: usize) {
    if buf.len() < len {
        buf.resize(len, 0);
    }
}

/// A length that fits memory, since a request does.
fn small(len: u64) -> Result<usize> {
    usize::try_from(len).map_err(|_| Error::Os(Errno::OVERFLOW))
}
