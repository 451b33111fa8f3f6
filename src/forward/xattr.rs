//! Extended attributes of nodes.

use std::ffi::{OsStr, OsString};

use tracing::warn;

use crate::format::is_passed_through;
use crate::forward::Forward;
use crate::forward::dirs::Object;
use crate::sys::Errno;
use crate::vault::Subject;
use crate::vfs::{Caller, Error, NodeId, Result};

/// File capabilities: the kernel asks for them before each write, and they count for nothing on
/// a mount that ignores set-user-ID bits.
const CAPABILITY: &str = "security.capability";
/// Labels of `SELinux`, which answers for them itself where it is active. `ls -l` asks for that of each
/// file, unless it hears once that there are none.
const LABEL: &str = "security.selinux";

impl Forward {
    pub(super) fn get_xattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>> {
        if name == CAPABILITY && !self.options.suid {
            return Err(Error::Os(Errno::OPNOTSUPP));
        }
        let value = self.with_subject(node, |subject| Ok(self.vault.get_xattr(subject, name)?));
        match value {
            Err(Error::Os(Errno::NODATA)) if name == LABEL => Err(Error::Os(Errno::OPNOTSUPP)),
            value => value,
        }
    }

    pub(super) fn set_xattr(
        &self,
        caller: Caller,
        node: NodeId,
        name: &OsStr,
        value: &[u8],
        flags: u32,
    ) -> Result<()> {
        // The kernel of the backing file system decides by the caller whether an ACL keeps the
        // set-group-ID bit.
        let owner = is_passed_through(name)
            .then(|| self.owner(caller))
            .flatten();
        self.with_subject(node, |subject| {
            Ok(self.vault.set_xattr(subject, name, value, flags, owner)?)
        })
    }

    pub(super) fn list_xattr(&self, node: NodeId) -> Result<Vec<OsString>> {
        self.with_subject(node, |subject| {
            let names = self.vault.list_xattr(subject)?;
            for (disk, defect) in names.bad {
                warn!("ListXAttr: invalid xattr name {disk:?}: {defect}");
            }
            Ok(names.good)
        })
    }

    pub(super) fn remove_xattr(&self, node: NodeId, name: &OsStr) -> Result<()> {
        self.with_subject(node, |subject| {
            Ok(self.vault.remove_xattr(subject, name)?)
        })
    }

    fn with_subject<T>(
        &self,
        node: NodeId,
        run: impl FnOnce(Subject<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.object(node)? {
            Object::Held(inode) => run(Subject::Held(&inode)),
            Object::Open(open) => run(Subject::Open(open.file.backing())),
        }
    }
}
