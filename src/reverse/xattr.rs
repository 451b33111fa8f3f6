//! Extended attributes: encrypted names, values with derived nonces.
//!
//! Only the newest version of the original program shows them. Without that option there are none,
//! and the kernel is told so once: `ls -l` would ask for two of each file.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use tracing::warn;

use crate::format::{ViewPath, is_passed_through};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::lookup::Found;
use crate::reverse::member::Member;
use crate::sys::Errno;
use crate::vfs::{Error, NodeId, Result};

/// The longest name of an attribute, `XATTR_NAME_MAX`, bytes.
const NAME_MAX: usize = 255;

impl Reverse {
    pub(super) fn get_xattr(&self, node: NodeId, name: &OsStr) -> Result<Vec<u8>> {
        if !self.options.newest {
            return Err(Error::Os(Errno::NOSYS));
        }
        let missing = Error::Os(Errno::NODATA);
        let Some(subject) = self.subject(node)? else {
            return Err(missing);
        };
        if is_passed_through(name) {
            return Ok(subject.dir.dir.get_xattr(&subject.plain, name)?);
        }
        let Some(Ok(plain)) = self.codecs.xattrs.decode_name(name) else {
            return Err(missing);
        };
        let value = subject.dir.dir.get_xattr(&subject.plain, &plain)?;
        let nonce = subject.path.xattr_nonce(name);
        Ok(self.codecs.content.seal_value_with(&value, &nonce))
    }

    pub(super) fn list_xattr(&self, node: NodeId) -> Result<Vec<OsString>> {
        let Some(subject) = self.subject(node)? else {
            return Ok(Vec::new());
        };
        let mut shown = Vec::new();
        for plain in subject.dir.dir.list_xattr(&subject.plain)? {
            match self.codecs.xattrs.encode_name(&plain) {
                Ok(name) if name.len() <= NAME_MAX => shown.push(name),
                _ => warn!("the name of an extended attribute is too long: {plain:?}"),
            }
        }
        Ok(shown)
    }
}

/// The object whose attributes are asked for.
struct Subject {
    dir: Arc<ViewDir>,
    plain: Box<OsStr>,
    /// In the view.
    path: ViewPath,
}

impl Reverse {
    /// `None` if the node has no attributes.
    fn subject(&self, node: NodeId) -> Result<Option<Subject>> {
        if !self.options.newest {
            return Ok(None);
        }
        if node == NodeId::ROOT {
            return Ok(Some(Subject {
                dir: self.dir(node)?,
                plain: OsStr::new(".").into(),
                path: ViewPath::default(),
            }));
        }
        let Found { dir, member, .. } = self.find(node)?;
        Ok(match member {
            Member::Object(name) => Some(Subject {
                plain: name.plain.clone(),
                path: dir.path.join(&name.shown),
                dir,
            }),
            _ => None,
        })
    }
}
