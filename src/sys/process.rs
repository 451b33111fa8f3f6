//! What a process asks of the kernel about itself: limits, session, standard streams, secrecy.
//!
//! Nothing here prints; what fails is reported to the caller.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::ptr;

use rustix::fs::{self, CWD, Mode};
use rustix::io::retry_on_intr;
use rustix::mm::{MlockAllFlags, mlock, mlockall};
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{CapabilitySet, capabilities};

use super::{Dir, OpenFlags, Result};

/// Room for the list of the mappings of a process, bytes.
const MAPS_MAX: usize = 1 << 20;

/// The id of this process.
pub fn own_pid() -> u32 {
    std::process::id()
}

/// The effective user of this process.
pub fn effective_uid() -> u32 {
    process::geteuid().as_raw()
}

/// The effective group of this process.
pub fn effective_gid() -> u32 {
    process::getegid().as_raw()
}

/// Ends this process at once: no destructor runs, no other thread goes on.
pub fn quit(code: u8) -> ! {
    // SAFETY: `_exit` touches no memory of ours, see _exit(2).
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code.into())
    }
}

/// Gives memory that the allocator keeps for later back to the system, as far as the C library can.
pub fn return_free_memory() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: it looks at free memory only, see malloc_trim(3).
        #[allow(unsafe_code)]
        unsafe {
            libc::malloc_trim(0);
        }
    }
}

/// Sets the umask; with 0 files get exactly the mode that is asked for.
pub fn umask(mask: u32) {
    process::umask(Mode::from_raw_mode(mask));
}

/// Raises the limit on open descriptors as far as allowed.
pub fn raise_nofile_limit() -> Result<()> {
    let limit = process::getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return Ok(());
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    process::setrlimit(Resource::Nofile, raised)
}

/// The limit on open descriptors; `None` if there is none.
pub fn nofile_limit() -> Option<u64> {
    process::getrlimit(Resource::Nofile).current
}

/// Forbids core dumps, which would hold keys.
pub fn no_core_dumps() -> Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    process::setrlimit(Resource::Core, none)
}

/// Keeps other processes of the same user from reading our memory, and cores from being written.
pub fn set_not_dumpable() -> Result<()> {
    process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Keeps the memory of this process off the swap device: all of it, now and later, if there is no
/// limit; under a limit the heap as it is now, where keys are. Whoever has made new keys calls it
/// again.
///
/// Returns whether it did.
pub fn lock_memory() -> bool {
    let is_unlimited = process::getrlimit(Resource::Memlock).current.is_none()
        || capabilities(None).is_ok_and(|have| have.effective.contains(CapabilitySet::IPC_LOCK));
    if is_unlimited {
        let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        mlockall(all).is_ok()
    } else {
        lock_heap()
    }
}

/// Locks what the list of our own mappings calls the heap, see proc(5).
fn lock_heap() -> bool {
    let maps = Dir::open(Path::new("/proc/self"))
        .and_then(|process| process.read_small(OsStr::new("maps"), MAPS_MAX))
        .unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let heap = maps.lines().filter(|line| line.ends_with("[heap]"));
    let ranges: Vec<_> = heap.filter_map(range).collect();
    !ranges.is_empty()
        && ranges.into_iter().all(|Range { start, end }| {
            // SAFETY: locking changes no memory, and fails where nothing is mapped any more.
            #[allow(unsafe_code)]
            unsafe { mlock(ptr::with_exposed_provenance_mut(start), end - start) }.is_ok()
        })
}

/// The addresses that a line of the list of mappings begins with.
fn range(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

/// What programs can get without swapping, bytes, see proc(5); `None` where that is not told.
pub fn available_memory() -> Option<u64> {
    let proc = Dir::open(Path::new("/proc")).ok()?;
    let text = proc.read_small(OsStr::new("meminfo"), MAPS_MAX).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1 << 10)
}

/// Starts a session of our own, detached from the terminal.
pub fn setsid() -> Result<()> {
    process::setsid().map(|_| ())
}

/// Changes to `/`, so that no other directory is kept busy.
pub fn chdir_root() -> Result<()> {
    retry_on_intr(|| process::chdir("/"))
}

/// Connects standard input to `/dev/null`.
pub fn null_stdin() -> Result<()> {
    dup2_stdin(dev_null()?)
}

/// Connects standard output and standard error to `/dev/null`.
pub fn null_output() -> Result<()> {
    redirect_output(dev_null()?)
}

/// Connects standard output and standard error to `to`.
pub fn redirect_output(to: impl AsFd) -> Result<()> {
    dup2_stdout(&to)?;
    dup2_stderr(&to)
}

fn dev_null() -> Result<OwnedFd> {
    let flags = OpenFlags::RDWR | OpenFlags::CLOEXEC;
    retry_on_intr(|| fs::openat(CWD, "/dev/null", flags, Mode::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_descriptors_is_raised_as_far_as_allowed() {
        raise_nofile_limit().unwrap();
        let limit = process::getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(nofile_limit(), limit.maximum);
    }

    #[test]
    fn the_heap_is_locked_where_that_is_allowed() {
        let was_locked = lock_heap();
        let process = Dir::open(Path::new("/proc/self")).unwrap();
        let status = process.read_small(OsStr::new("status"), MAPS_MAX).unwrap();
        let status = String::from_utf8(status).unwrap();
        let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
        assert!(!was_locked || locked.unwrap().trim() != "0 kB", "{status}");
        assert_eq!(
            range("00400000-0040a000 r--p 00000000"),
            Some(0x40_0000..0x40_a000)
        );
        assert_eq!(range("nonsense"), None);
    }

    #[test]
    fn the_memory_that_is_left_is_told() {
        let available = available_memory().unwrap();
        assert!((1 << 20..1 << 50).contains(&available), "{available}");
    }

    #[test]
    fn no_core_is_written() {
        no_core_dumps().unwrap();
        set_not_dumpable().unwrap();
        assert_eq!(process::getrlimit(Resource::Core).current, Some(0));
        let behavior = process::dumpable_behavior().unwrap();
        assert!(matches!(behavior, DumpableBehavior::NotDumpable));
    }
}
