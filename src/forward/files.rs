//! Opening files and copying between them.

use std::sync::atomic::Ordering;

use crate::forward::Forward;
use crate::sys::{Errno, OpenFlags, Stat};
use crate::vault::{BackingName, CipherDir, CipherFile, CloneRule};
use crate::vfs::{Control, CopyRange, Error, Handle, NodeId, Opened, Result};

/// Flags that must not reach the backing file: the kernel computes append positions from plain
/// sizes, and cipher blocks are not aligned as direct I/O wants them.
const NOT_FOR_BACKING: OpenFlags = OpenFlags::APPEND
    .union(OpenFlags::DIRECT)
    .union(OpenFlags::CREATE)
    .union(OpenFlags::EXCL)
    .union(OpenFlags::TRUNC);

/// The flags for the backing file: writing a part of a block means reading the block first.
pub(super) fn backing_flags(flags: OpenFlags) -> OpenFlags {
    let flags = flags.difference(NOT_FOR_BACKING);
    match flags & OpenFlags::ACCMODE {
        OpenFlags::WRONLY => flags.difference(OpenFlags::ACCMODE) | OpenFlags::RDWR,
        _ => flags,
    }
}

impl Forward {
    pub(super) fn open_file(&self, node: NodeId, flags: OpenFlags) -> Result<Opened> {
        let file = self.file_of(node, flags)?;
        Ok(Opened {
            handle: self.files.insert(file),
            keep_cache: self.options.kernel_cache,
        })
    }

    /// The file of a node, opened.
    pub(super) fn file_of(&self, node: NodeId, flags: OpenFlags) -> Result<CipherFile> {
        let opened = self.by_name(node, |dir, name| {
            let (file, stat) = self.open_for(dir, name, flags)?;
            self.check(node, stat.key)?;
            Ok(file)
        });
        opened.or_else(|error| match self.open_one(node) {
            Some(open) => Ok(self.vault.reopen(&open.file, backing_flags(flags))?),
            None => Err(error),
        })
    }

    /// Opens a file, also one that its owner may write but not read.
    fn open_for(
        &self,
        dir: &CipherDir,
        name: &BackingName,
        flags: OpenFlags,
    ) -> Result<(CipherFile, Stat)> {
        let write_only = flags & OpenFlags::ACCMODE == OpenFlags::WRONLY;
        let opened = {
            let _nobody_readable = self.opening.read();
            self.vault.open_file(dir, name, backing_flags(flags))
        };
        match opened.map_err(Error::from) {
            Err(Error::Os(Errno::ACCESS)) if write_only => {
                let _alone = self.opening.write();
                Ok(self
                    .vault
                    .open_unreadable(dir, name, backing_flags(flags))?)
            }
            answer => answer,
        }
    }

    pub(super) fn copy(&self, copy: CopyRange) -> Result<u64> {
        let source = self.files.get(copy.source)?;
        let target = self.changing(copy.target)?;
        let rule = match (target.strict.load(Ordering::Relaxed), self.options.reflink) {
            (true, _) => CloneRule::Strict,
            (false, true) => CloneRule::Auto,
            (false, false) => CloneRule::Never,
        };
        let copied =
            target
                .file
                .copy_from(&source.file, copy.source_at, copy.target_at, copy.len, rule)?;
        target.shared.fetch_add(copied.shared, Ordering::Relaxed);
        if copied.shared > 0 {
            self.clones.fetch_add(1, Ordering::Relaxed);
            self.bytes_cloned
                .fetch_add(copied.shared, Ordering::Relaxed);
        }
        Ok(copied.bytes)
    }

    pub(super) fn control_copies(&self, handle: Handle, control: Control) -> Result<u64> {
        let target = self.files.get(handle)?;
        match control {
            Control::Strict(true) if !(self.options.reflink && self.vault.may_clone()) => {
                Err(Error::Os(Errno::OPNOTSUPP))
            }
            Control::Strict(strict) => Ok(target.strict.swap(strict, Ordering::Relaxed).into()),
            Control::Shared => Ok(target.shared.load(Ordering::Relaxed)),
        }
    }
}
