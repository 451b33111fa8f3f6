//! Opening files and copying between them.

use crate::forward::dirs::Object;
use crate::forward::{Forward, OpenFile};
use crate::sys::{Errno, OpenFlags, Stat};
use crate::vault::{BackingName, CipherDir, CipherFile};
use crate::vfs::{CopyRange, Error, NodeId, Opened, Result};

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
        let file = match self.object(node)? {
            Object::Named(dir, name) => {
                let (file, stat) = self.open_for(&dir, &name, flags)?;
                if Some(stat.key) != self.nodes.key(node) {
                    return Err(Error::Os(Errno::STALE));
                }
                file
            }
            Object::Open(open) => self.vault.reopen(&open.file, backing_flags(flags))?,
        };
        Ok(Opened {
            handle: self.files.insert(OpenFile { file }),
            keep_cache: self.options.kernel_cache,
        })
    }

    /// Opens a file, also one that its owner may write but not read.
    pub(super) fn open_for(
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

    #[expect(clippy::unused_self, reason = "the place where cloning goes")]
    pub(super) fn copy(&self, _copy: CopyRange) -> Result<u64> {
        // The kernel copies the data itself then.
        Err(Error::Os(Errno::OPNOTSUPP))
    }
}
