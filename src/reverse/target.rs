//! Symlink targets.

use std::os::unix::ffi::OsStrExt;

use crate::format::{Codecs, seal_target_with};
use crate::reverse::Reverse;
use crate::reverse::lookup::{Found, has_several_names};
use crate::reverse::member::Member;
use crate::sys::Errno;
use crate::vfs::{Error, NodeId, Result};

/// The longest target that a symlink can show, bytes.
pub(super) const TARGET_MAX: usize = 4096;

impl Reverse {
    pub(super) fn link_target(&self, node: NodeId) -> Result<Vec<u8>> {
        let Found {
            dir, member, stat, ..
        } = self.find(node)?;
        let Member::Object(name) = member else {
            return Err(Error::Os(Errno::INVAL));
        };
        let target = dir.dir.readlink(&name.plain)?;
        let decides = has_several_names(&stat).then(|| self.links.last(stat.key));
        let path = decides.flatten();
        let path = path.unwrap_or_else(|| dir.path.join(&name.shown));
        let Codecs { content, names, .. } = &self.codecs;
        let sealed = seal_target_with(content, names, target.as_bytes(), &path.symlink_nonce());
        if sealed.len() > TARGET_MAX {
            return Err(Error::Os(Errno::NAMETOOLONG));
        }
        Ok(sealed)
    }
}
