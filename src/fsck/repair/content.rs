//! Mending the content of files. The original is saved first, and the result is made durable.

use std::ffi::OsStr;
use std::path::Path;

use super::Repair;
use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN, PLAIN_BLOCK};
use crate::sys::{self, Backing, Dir, Errno, File, OpenFlags};
use crate::vault::Error;

type Result<T> = core::result::Result<T, Error>;

impl Repair<'_> {
    /// Cuts a file to `size` bytes on disk.
    pub(super) fn cut(&self, path: &Path, size: u64) -> Result<()> {
        let file = self.saved(path)?;
        if file.len()? > size {
            file.set_len(size)?;
        }
        Ok(file.sync(false)?)
    }

    /// Writes another header.
    pub(super) fn restore_header(&self, path: &Path, id: FileId) -> Result<()> {
        let file = self.saved(path)?;
        write(&file, &id.to_header(), 0)?;
        Ok(file.sync(false)?)
    }

    /// Makes runs of blocks zeros: whole ones become holes, an incomplete one is sealed anew.
    pub(super) fn zero_blocks(&self, path: &Path, runs: &[(BlockNo, BlockNo)]) -> Result<()> {
        let file = self.saved(path)?;
        let mut header = [0; HEADER_LEN];
        file.read_at(&mut header, 0)?;
        let id = FileId::parse(&header).map_err(|defect| Error::Corrupt {
            ino: file.stat().map_or(0, |stat| stat.key.ino),
            what: defect.into(),
        })?;
        let size = file.len()?;
        for (first, last) in runs {
            self.zero_run(&file, id, (*first, *last), size)?;
        }
        Ok(file.sync(false)?)
    }

    fn zero_run(
        &self,
        file: &File,
        id: FileId,
        (first, last): (BlockNo, BlockNo),
        size: u64,
    ) -> Result<()> {
        let layout = self.vault.content().layout();
        let complete = layout.block_at(CipherOffset(size));
        let start = layout.cipher_start(first).0;
        let end = layout.cipher_start(last.next().min(complete)).0;
        if start < end {
            zero_range(file, start, end)?;
        }
        if last >= complete {
            self.seal_zeros(file, id, complete, size)?;
        }
        Ok(())
    }

    /// Writes the incomplete block at the end of a file of `size` bytes, if there is one.
    fn seal_zeros(&self, file: &File, id: FileId, no: BlockNo, size: u64) -> Result<()> {
        let layout = self.vault.content().layout();
        let start = layout.cipher_start(no).0;
        let length = size
            .saturating_sub(start)
            .saturating_sub(layout.overhead() as u64);
        let length = usize::try_from(length).unwrap_or(0).min(PLAIN_BLOCK);
        if length == 0 {
            return Ok(());
        }
        let mut sealed = Vec::new();
        let zeros = vec![0; length];
        self.vault.content().seal_run(id, no, &zeros, &mut sealed);
        Ok(write(file, &sealed, start)?)
    }

    /// Makes all of a file zeros, of the size that it shows, with a new header.
    pub(super) fn zero_file(&self, path: &Path) -> Result<()> {
        let file = self.saved(path)?;
        let layout = self.vault.content().layout();
        let size = layout.cipher_size(layout.plain_size(CipherOffset(file.len()?)));
        let complete = layout.block_at(size);
        let id = FileId::random();
        file.set_len(0)?;
        write(&file, &id.to_header(), 0)?;
        file.set_len(layout.cipher_start(complete).0)?;
        self.seal_zeros(&file, id, complete, size.0)?;
        Ok(file.sync(false)?)
    }

    /// Removes an extended attribute.
    pub(super) fn remove_xattr(&self, path: &Path, attr: &OsStr) -> Result<()> {
        let top = self.vault.top().open_dir(OsStr::new("."))?;
        let (dir, name) = match path.file_name() {
            Some(_) => self.parent(path)?,
            None => (top, ".".into()),
        };
        let value = dir.get_xattr(&name, attr)?;
        self.save.xattr(path, attr, &value)?;
        Ok(dir.hold(&name)?.remove_xattr(attr)?)
    }

    /// Opens a file after it has been saved.
    fn saved(&self, path: &Path) -> sys::Result<File> {
        let (dir, name) = self.parent(path)?;
        let file = open_writable(&dir, &name)?;
        self.save.file(path, &file)?;
        Ok(file)
    }
}

/// Opens a file for writing, even if its owner has protected it from that.
fn open_writable(dir: &Dir, name: &OsStr) -> sys::Result<File> {
    let open = || dir.open_file(name, OpenFlags::RDWR);
    match open() {
        Err(Errno::ACCESS) => {}
        answer => return answer,
    }
    let held = dir.hold(name)?;
    let mode = held.stat()?.mode & 0o7777;
    held.chmod(mode | 0o600)?;
    let opened = open();
    held.chmod(mode)?;
    opened
}

fn write(file: &File, bytes: &[u8], at: u64) -> sys::Result<()> {
    file.write_at(bytes, at).map_err(|short| short.errno)
}

/// Makes a range zeros, as a hole where the file system has them.
fn zero_range(file: &File, start: u64, end: u64) -> sys::Result<()> {
    match file.punch(start, end - start) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        answer => return answer,
    }
    let zeros = vec![0; 1 << 20];
    let mut at = start;
    while at < end {
        let length = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(zeros.len());
        write(file, &zeros[..length], at)?;
        at += length as u64;
    }
    Ok(())
}
