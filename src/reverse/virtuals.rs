//! Files that no plain file stands behind, and the configuration file, which shows as it is.

use std::ffi::OsStr;

use crate::format::{CipherName, REVERSE_CONF_NAME};
use crate::reverse::Reverse;
use crate::reverse::dirs::ViewDir;
use crate::reverse::member::Member;
use crate::sys::{Errno, File, Stat};
use crate::tree::Identity;
use crate::vfs::{Error, Result};

/// What sets the inode numbers of virtual files apart from those of the objects they belong to.
const DIRIV_ROLE: u8 = 1;
const NAME_FILE_ROLE: u8 = 2;
/// Type and permissions of a virtual file: a regular file that everybody may read.
const MODE: u32 = 0o100_444;
/// What the newest version of the original program adds to their times, seconds.
const LATER: i64 = 10;

impl Reverse {
    /// The attributes of a virtual file: those of the directory or object that it belongs to.
    pub(super) fn stat_virtual(&self, dir: &ViewDir, member: &Member) -> Result<(Stat, Identity)> {
        let (mut stat, role) = match member {
            Member::NameFile(name) => (dir.dir.stat_at(&name.plain)?, NAME_FILE_ROLE),
            _ => (dir.dir.stat()?, DIRIV_ROLE),
        };
        stat.size = content(dir, member).len() as u64;
        stat.mode = MODE;
        stat.nlink = 1;
        if self.options.newest {
            stat.mtime.secs = stat.mtime.secs.saturating_add(LATER);
            stat.ctime.secs = stat.ctime.secs.saturating_add(LATER);
        }
        let key = stat.key;
        Ok((stat, Identity { key, role }))
    }

    /// The configuration file, held but not opened.
    pub(super) fn config(&self) -> Result<File> {
        let held = self.root.follow(OsStr::new(REVERSE_CONF_NAME))?;
        if held.stat()?.is_file() {
            Ok(held)
        } else {
            Err(Error::Os(Errno::NOENT))
        }
    }
}

/// The content of a virtual file.
pub(super) fn content<'a>(dir: &'a ViewDir, member: &'a Member) -> &'a [u8] {
    match member {
        Member::NameFile(name) => {
            let full = name.full.as_ref().map(CipherName::as_os_str);
            full.unwrap_or_default().as_encoded_bytes()
        }
        _ => &dir.iv.0,
    }
}
