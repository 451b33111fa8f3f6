//! Directories of the view: a plain directory and what its path says about the names in it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::format::{DirIv, ViewPath};
use crate::reverse::Reverse;
use crate::reverse::long_names::LongNames;
use crate::reverse::member::{Member, Name};
use crate::sys::{Dir, Errno};
use crate::vfs::{Error, NodeId, Result};

/// An open directory. Its path never changes: at another place it is another node.
pub(super) struct ViewDir {
    pub(super) dir: Dir,
    /// Its path in the view.
    pub(super) path: ViewPath,
    /// Its plain path, relative, which exclusions go by.
    pub(super) plain_path: Vec<u8>,
    pub(super) iv: DirIv,
    pub(super) is_root: bool,
    /// On another file system, where nobody wants to go.
    pub(super) foreign: bool,
    /// The long names in it, once somebody has asked for one.
    pub(super) long_names: Mutex<Option<LongNames>>,
}

impl ViewDir {
    /// The plain path of the entry `name`.
    pub(super) fn plain_path_of(&self, name: &OsStr) -> Vec<u8> {
        let mut path = self.plain_path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        path
    }
}

impl Reverse {
    /// The open directory of a node.
    pub(super) fn dir(&self, node: NodeId) -> Result<Arc<ViewDir>> {
        self.dirs.reach(
            &self.nodes,
            node,
            || {
                let dir = self.root.open_dir(OsStr::new("."))?;
                self.view_dir(dir, ViewPath::default(), Vec::new())
            },
            |parent, member| {
                let Member::Object(name) = member else {
                    return Err(Error::Os(Errno::NOTDIR));
                };
                let opened = self.subdir(parent, name)?;
                let key = opened.dir.stat()?.key;
                Ok((opened, key))
            },
        )
    }

    /// Opens the directory `name` in `parent`.
    pub(super) fn subdir(&self, parent: &ViewDir, name: &Name) -> Result<ViewDir> {
        let dir = parent.dir.open_dir(&name.plain)?;
        let path = parent.path.join(&name.shown);
        self.view_dir(dir, path, parent.plain_path_of(&name.plain))
    }

    fn view_dir(&self, dir: Dir, path: ViewPath, plain_path: Vec<u8>) -> Result<ViewDir> {
        let elsewhere = dir.stat()?.key.dev != self.root_key.dev;
        Ok(ViewDir {
            dir,
            is_root: plain_path.is_empty(),
            iv: self.iv_of(&path),
            path,
            plain_path,
            foreign: self.options.one_file_system && elsewhere,
            long_names: Mutex::new(None),
        })
    }

    /// The IV that names in a directory are encrypted under.
    pub(super) fn iv_of(&self, dir: &ViewPath) -> DirIv {
        if self.dir_ivs {
            dir.dir_iv()
        } else {
            DirIv::ZERO
        }
    }
}
