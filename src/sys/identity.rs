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

/// The permission bits that a regular file of the group `group` with the permissions `mode` keeps
/// when the thread `pid`, of the user `uid` and the group `gid`, changes its content: without
/// `CAP_FSETID` a program must not change one that runs with the rights of somebody else, see
/// `inode(7)`.
pub fn mode_after_change(mode: u32, group: u32, (uid, gid, pid): (u32, u32, u32)) -> u32 {
    if mode & (libc::S_ISUID | libc::S_ISGID) == 0 {
        return mode;
    }
    let status = status_of(pid).filter(|status| acts_as(status, uid));
    let may = match &status {
        Some(status) => has_fsetid(status),
        None => uid == 0,
    };
    if may {
        return mode;
    }
    let is_member = gid == group
        || status
            .and_then(|status| parse_groups(&status, uid))
            .is_some_and(|groups| groups.contains(&Gid::from_raw(group)));
    if mode & libc::S_IXGRP != 0 || !is_member {
        mode & !(libc::S_ISUID | libc::S_ISGID)
    } else {
        mode & !libc::S_ISUID
    }
}

/// The supplementary groups of the thread `pid`, provided that it acts as the user `uid`.
fn groups_of(pid: u32, uid: u32) -> Vec<Gid> {
    status_of(pid)
        .and_then(|status| parse_groups(&status, uid))
        .unwrap_or_default()
}

/// What `proc_pid_status(5)` says of the thread `pid`.
fn status_of(pid: u32) -> Option<String> {
    /// More than the 65536 groups that a process can have take.
    const LONGEST: usize = 1 << 20;
    let dir = Dir::open(Path::new(&format!("/proc/{pid}"))).ok()?;
    let status = dir.read_small(OsStr::new("status"), LONGEST).ok()?;
    Some(String::from_utf8_lossy(&status).into_owned())
}

/// Whether the filesystem user in the line `Uid:` is `uid`.
fn acts_as(status: &str, uid: u32) -> bool {
    numbers(status, "Uid:").is_some_and(|ids| ids.get(3) == Some(&uid))
}

/// Whether the line `CapEff:` has `CAP_FSETID`.
fn has_fsetid(status: &str) -> bool {
    const CAP_FSETID: u32 = 4;
    let mut lines = status.lines();
    let bits = lines.find_map(|line| line.strip_prefix("CapEff:"));
    let bits = bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & 1 << CAP_FSETID != 0)
}

/// Reads the line `Groups:`, if the thread acts as `uid`.
fn parse_groups(status: &str, uid: u32) -> Option<Vec<Gid>> {
    let groups = numbers(status, "Groups:").filter(|_| acts_as(status, uid))?;
    Some(groups.into_iter().map(Gid::from_raw).collect())
}

/// The numbers in the line that begins with `key`.
fn numbers(status: &str, key: &str) -> Option<Vec<u32>> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let words = line.split_whitespace();
    words.map(|word| word.parse().ok()).collect()
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
    fn a_change_by_somebody_without_privileges_takes_set_ids_away() {
        let nobody = |group| (UID, GID, group);
        assert_eq!(mode_after_change(0o777, 1, nobody(0)), 0o777);
        assert_eq!(mode_after_change(0o6775, 1, nobody(0)), 0o775);
        assert_eq!(mode_after_change(0o6765, GID, nobody(0)), 0o2765);
        assert_eq!(mode_after_change(0o6765, 1, nobody(0)), 0o765);
        assert_eq!(mode_after_change(0o6777, 1, (0, 0, 0)), 0o6777);
        if !is_root() {
            return;
        }
        with_caller(|caller| {
            assert_eq!(mode_after_change(0o6765, EXTRA, nobody(caller)), 0o2765);
            assert_eq!(mode_after_change(0o6765, EXTRA, (0, 0, caller)), 0o6765);
        });
        assert_eq!(mode_after_change(0o6775, 1, (0, 0, own_tid())), 0o6775);
        assert!(!has_fsetid("CapEff:\t000001ffffffffef\n"));
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
