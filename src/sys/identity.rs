//! Acting as the user who asked: a guard over the identity of one thread.
//!
//! A daemon that runs as root creates files as the caller, so that owner, inherited group, quota
//! and permission checks are the caller's. The kernel keeps the identity per thread; the calls used
//! here change the calling thread only (those of the C library would change all of them).
//!
//! Effective ids are switched, not the filesystem ids: that drops every capability for the time
//! being, also those that exceed quotas, and it cannot fail silently.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::Path;

use rustix::fs::{Gid, Uid};
use rustix::process::{getegid, geteuid, getgroups};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::{Dir, Errno, Result};

/// While it lives, this thread has the effective identity of somebody else.
///
/// Dropping it restores the former identity. If that were impossible the process would go on with
/// the wrong rights, so it is aborted.
#[derive(Debug)]
pub struct As {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    /// Bound to the thread that made it.
    not_send: PhantomData<*const ()>,
}

impl As {
    /// Becomes the user `uid`, the group `gid` and the supplementary groups of the thread `pid`.
    ///
    /// `EPERM` unless this process may do so. A caller of whom nothing can be learnt, or who is
    /// not `uid` after all, has no supplementary groups.
    pub fn caller(uid: u32, gid: u32, pid: u32) -> Result<As> {
        if uid == u32::MAX || gid == u32::MAX {
            return Err(Errno::INVAL);
        }
        let groups = getgroups()?;
        set_thread_groups(&groups_of(pid, uid))?;
        // From here on there is something to restore, also if a step fails.
        let before = As {
            uid: geteuid(),
            gid: getegid(),
            groups,
            not_send: PhantomData,
        };
        // The user comes last, who may not change the group.
        set_thread_res_gid(None, Gid::from_raw(gid), None)?;
        set_thread_res_uid(None, Uid::from_raw(uid), None)?;
        Ok(before)
    }
}

impl Drop for As {
    fn drop(&mut self) {
        // The user comes first here: only the former one may change the groups.
        let restored = set_thread_res_uid(None, self.uid, None)
            .and_then(|()| set_thread_res_gid(None, self.gid, None))
            .and_then(|()| set_thread_groups(&self.groups));
        if restored.is_err() {
            std::process::abort();
        }
    }
}

/// The supplementary groups of the thread `pid`, provided that it acts as the user `uid`.
fn groups_of(pid: u32, uid: u32) -> Vec<Gid> {
    /// More than the 65536 groups that a process can have take.
    const LONGEST: usize = 1 << 20;
    Dir::open(Path::new(&format!("/proc/{pid}")))
        .and_then(|dir| dir.read_small(OsStr::new("status"), LONGEST))
        .ok()
        .and_then(|status| parse_groups(&String::from_utf8_lossy(&status), uid))
        .unwrap_or_default()
}

/// Reads the lines `Uid:` (real, effective, saved, filesystem) and `Groups:` of `proc_pid_status(5)`.
fn parse_groups(status: &str, uid: u32) -> Option<Vec<Gid>> {
    let numbers = |key: &str| -> Option<Vec<u32>> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace()
            .map(|word| word.parse().ok())
            .collect()
    };
    if numbers("Uid:")?.get(3) != Some(&uid) {
        return None;
    }
    Some(numbers("Groups:")?.into_iter().map(Gid::from_raw).collect())
}
