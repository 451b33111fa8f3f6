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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{Scratch, is_root, name};
    use rustix::thread::gettid;
    use std::sync::mpsc::channel;
    use std::thread::scope;

    const UID: u32 = 12_345;
    const GID: u32 = 23_456;
    const EXTRA: u32 = 34_567;

    fn own_tid() -> u32 {
        gettid().as_raw_nonzero().get().unsigned_abs()
    }

    fn identity() -> (u32, u32, Vec<Gid>) {
        (geteuid().as_raw(), getegid().as_raw(), getgroups().unwrap())
    }

    /// Runs `work` with the id of a thread that waits, as `UID` with the group `EXTRA`.
    fn with_caller(work: impl FnOnce(u32)) {
        let (tell, told) = channel();
        let (done, wait) = channel::<()>();
        scope(|threads| {
            threads.spawn(move || {
                set_thread_groups(&[Gid::from_raw(EXTRA)]).unwrap();
                set_thread_res_uid(None, Uid::from_raw(UID), None).unwrap();
                tell.send(own_tid()).unwrap();
                // Ends when `done` is dropped.
                let _ = wait.recv();
            });
            work(told.recv().unwrap());
            drop(done);
        });
    }

    #[test]
    fn what_is_made_belongs_to_the_caller() {
        if !is_root() {
            return;
        }
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.chmod(name("."), 0o777).unwrap();
        let before = identity();
        {
            let _as = As::caller(UID, GID, 0).unwrap();
            assert_eq!(identity(), (UID, GID, vec![]));
            dir.write_new(name("f"), 0o600, b"x", false).unwrap();
            dir.mkdir(name("d"), 0o700).unwrap();
            dir.set_xattr(name("f"), name("user.x"), b"1", 0).unwrap();
            dir.chmod(name("f"), 0o640).unwrap();
        }
        assert_eq!(identity(), before);
        for entry in ["f", "d"] {
            let stat = dir.stat_at(name(entry)).unwrap();
            assert_eq!((stat.uid, stat.gid), (UID, GID));
        }
    }

    #[test]
    fn the_rights_are_those_of_the_caller() {
        if !is_root() {
            return;
        }
        let scratch = Scratch::new();
        let _as = As::caller(UID, GID, 0).unwrap();
        let denied = scratch.dir.mkdir(name("d"), 0o700);
        assert_eq!(denied, Err(Errno::ACCESS));
        let denied = As::caller(0, 0, 0);
        assert_eq!(denied.unwrap_err(), Errno::PERM);
        assert_eq!(identity(), (UID, GID, vec![]));
    }

    #[test]
    fn a_group_of_the_caller_may_write() {
        if !is_root() {
            return;
        }
        let scratch = Scratch::new();
        let dir = &scratch.dir;
        dir.chown(name("."), None, Some(EXTRA)).unwrap();
        dir.chmod(name("."), 0o770).unwrap();
        with_caller(|caller| {
            let _as = As::caller(UID, GID, caller).unwrap();
            dir.mkdir(name("d"), 0o700).unwrap();
        });
        with_caller(|caller| {
            let _as = As::caller(UID + 1, GID, caller).unwrap();
            let denied = dir.mkdir(name("e"), 0o700);
            assert_eq!(denied, Err(Errno::ACCESS), "the groups are another user's");
        });
    }

    #[test]
    fn other_threads_stay_who_they_are() {
        if !is_root() {
            return;
        }
        let before = identity();
        let (ask, asked) = channel::<()>();
        let (tell, told) = channel();
        scope(|threads| {
            threads.spawn(move || {
                asked.recv().unwrap();
                tell.send(identity()).unwrap();
            });
            let _as = As::caller(UID, GID, 0).unwrap();
            ask.send(()).unwrap();
            assert_eq!(told.recv().unwrap(), before);
        });
    }

    #[test]
    fn groups_are_read_from_the_status_of_the_user_only() {
        let status = "Name:\tx\nUid:\t0\t7\t0\t7\nGid:\t1\t1\t1\t1\nGroups:\t4 24 1000 \n";
        let groups = [4, 24, 1000].map(Gid::from_raw).to_vec();
        assert_eq!(parse_groups(status, 7), Some(groups));
        assert_eq!(parse_groups(status, 0), None);
        assert_eq!(parse_groups("", 0), None);
        let alone = "Uid:\t1\t1\t1\t1\nGroups:\t \n";
        assert_eq!(parse_groups(alone, 1), Some(vec![]));
    }
}
