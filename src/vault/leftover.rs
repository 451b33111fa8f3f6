//! Names of operations in progress, and tidying up after those that were cut short.
//!
//! A temporary name contains a dot, as no encrypted name does. Invariant: what has one is never
//! shown, and is removed only if it holds nothing of the user's. A `.name` file is left over if it
//! has no object.

use std::ffi::{OsStr, OsString};
use std::time::{Duration, SystemTime};

use crate::crypto::random;
use crate::format::NameCodec;
use crate::sys::{Dir, Errno, Stat};
use crate::vault::Vault;
use crate::vault::dir::CipherDir;
use crate::vault::remove::has_no_object;

/// Begins the name of what is being made.
const MAKING: &str = "gocryptfs.diriv.mkdir.";
/// Begins the name of what is being removed; other programs use it for the IV of a directory that
/// they are removing.
const REMOVING: &str = "gocryptfs.diriv.rmdir.";
/// The name of a configuration file that is being written.
const NEW_CONF: &str = "gocryptfs.conf.tmp";
/// From this age on nobody is at work on it any more.
const STALE: Duration = Duration::from_secs(60);
/// How deep leftovers lie in each other at most. More than that is no accident.
const DEPTH: u32 = 8;

/// A name for what is being made, which no user entry and no other operation has.
pub(super) fn name_for_making() -> OsString {
    unique(MAKING)
}

/// A name for what is being removed, which no user entry and no other operation has.
pub(super) fn name_for_removing() -> OsString {
    unique(REMOVING)
}

fn unique(prefix: &str) -> OsString {
    let mut bytes = [0; 8];
    random::fill(&mut bytes);
    format!("{prefix}{}", u64::from_be_bytes(bytes)).into()
}

impl Vault {
    /// Whether a name in a backing directory belongs to an operation, in progress or cut short.
    pub fn is_leftover(&self, disk: &OsStr) -> bool {
        let disk = disk.as_encoded_bytes();
        let prefixes = [MAKING, REMOVING];
        let ours =
            prefixes.iter().any(|p| disk.starts_with(p.as_bytes())) || disk == NEW_CONF.as_bytes();
        ours && !matches!(self.names, NameCodec::Plain)
    }

    /// Whether what an operation left behind holds nothing of the user's: it is no directory, or
    /// one of nothing but such and helper files.
    pub fn is_vacant(&self, dir: &Dir, disk: &OsStr) -> bool {
        self.is_vacant_from(dir, disk, 0)
    }

    fn is_vacant_from(&self, dir: &Dir, disk: &OsStr, depth: u32) -> bool {
        let inner = match dir.open_dir(disk) {
            Err(Errno::NOTDIR | Errno::LOOP) => return true,
            Ok(inner) if depth < DEPTH => inner,
            _ => return false,
        };
        let helpers = self.helper_files(&inner).ok().flatten();
        helpers.is_some_and(|helpers| {
            let mut helpers = helpers.iter();
            helpers.all(|helper| self.is_vacant_from(&inner, helper, depth + 1))
        })
    }

    /// Removes what listings of a directory found to be left over. For those who are about to
    /// change the directory anyhow.
    pub(super) fn tidy(&self, dir: &CipherDir) {
        self.tidy_older(dir, STALE);
    }

    /// As [`Vault::tidy`], of what has not changed for `age`.
    pub(super) fn tidy_older(&self, dir: &CipherDir, age: Duration) {
        for name in dir.take_leftovers() {
            let stat = dir.dir.stat_at(&name);
            if !stat.is_ok_and(|stat| is_older(&stat, age)) {
                continue;
            }
            if self.is_leftover(&name) {
                self.sweep(&dir.dir, &name);
            } else if !self.shared_storage {
                // Where another program may be about to make the object, the file stays.
                let _alone = self.long_names.lock();
                if has_no_object(&dir.dir, &name) == Ok(true) {
                    let _ = dir.dir.unlink(&name);
                }
            }
        }
    }

    /// Removes a helper file, or a directory that holds nothing but such.
    pub(super) fn sweep(&self, dir: &Dir, name: &OsStr) {
        self.sweep_from(dir, name, 0);
    }

    fn sweep_from(&self, dir: &Dir, name: &OsStr, depth: u32) {
        if dir.unlink(name) != Err(Errno::ISDIR) || depth == DEPTH {
            return;
        }
        let Ok(inner) = dir.open_dir(name) else {
            return;
        };
        // It may have been given the permissions that it was to have.
        let _ = inner.set_mode(0o700);
        let helpers = self.helper_files(&inner).ok().flatten();
        for helper in helpers.unwrap_or_default() {
            self.sweep_from(&inner, &helper, depth + 1);
        }
        let _ = dir.rmdir(name);
    }
}

/// Whether something has not changed for so long that nobody is at work on it.
pub(super) fn is_stale(stat: &Stat) -> bool {
    is_older(stat, STALE)
}

fn is_older(stat: &Stat, age: Duration) -> bool {
    let changed = Duration::from_secs(u64::try_from(stat.ctime.secs).unwrap_or(0));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.is_ok_and(|now| now.saturating_sub(changed) >= age)
}
