//! A mounted vault that is gone, process and all, when its value is.

use super::program::{PASSWORD, Program};
use super::vault::Vault;
use super::wait;
use rustix::mount::UnmountFlags;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use tempfile::TempDir;

/// What both programs say when they are.
const READY: &str = "Filesystem mounted and ready.";

/// One run of either program in the foreground.
pub(crate) struct Mount {
    child: Child,
    scratch: TempDir,
    is_mounted: bool,
}

impl Mount {
    /// Mounts and waits until the kernel shows it; fails with what the program said.
    pub(crate) fn new(program: &Program, vault: &Vault, options: &[&str]) -> Self {
        Self::on(TempDir::new().unwrap(), program, vault, options)
    }

    /// As [`Self::new`], on a directory that is not empty.
    pub(crate) fn over_files(program: &Program, vault: &Vault, options: &[&str]) -> Self {
        let scratch = TempDir::new().unwrap();
        fs::create_dir_all(scratch.path().join("plain/occupied")).unwrap();
        Self::on(scratch, program, vault, options)
    }

    fn on(scratch: TempDir, program: &Program, vault: &Vault, options: &[&str]) -> Self {
        let point = scratch.path().join("plain");
        fs::create_dir_all(&point).unwrap();
        let log = File::create(scratch.path().join("log")).unwrap();
        let mut child = program
            .command()
            .args(["-fg", "-nosyslog"])
            .args(&vault.options)
            .args(options)
            .args([&vault.dir, &point])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        // a program that needs no password may have closed it already
        let _ = child.stdin.take().unwrap().write_all(PASSWORD);
        let mut mount = Self {
            child,
            scratch,
            is_mounted: false,
        };
        let ended = wait::until(|| {
            mount.is_mounted = mount.is_shown();
            let ended = mount.child.try_wait().unwrap();
            // the Go program fails if it is unmounted before it has got so far
            let is_ready = mount.is_mounted && mount.log().contains(READY);
            (is_ready || ended.is_some()).then_some(ended)
        });
        assert!(ended == Some(None), "no mount: {ended:?}\n{}", mount.log());
        mount
    }

    fn is_shown(&self) -> bool {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let point = self.path();
        let mut points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        points.any(|shown| Path::new(shown) == point)
    }

    /// The mount point.
    pub(crate) fn path(&self) -> PathBuf {
        self.scratch.path().join("plain")
    }

    /// Lets other users come as far as the mount point.
    pub(crate) fn open_to_all(&self) {
        fs::set_permissions(self.scratch.path(), Permissions::from_mode(0o755)).unwrap();
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// All that the program has said so far.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.scratch.path().join("log")).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Unmounts; fails unless the program ends in peace. Returns its log.
    pub(crate) fn unmount(mut self) -> String {
        let point = self.path();
        // a process just being started may still hold an inherited file
        let done = wait::until(|| unmount(&point, UnmountFlags::empty()).then_some(()));
        assert!(done.is_some(), "cannot unmount\n{}", self.log());
        self.is_mounted = false;
        self.ended()
    }

    /// Waits until the program ends in peace. Returns its log.
    pub(crate) fn ended(mut self) -> String {
        let status = wait::until(|| self.child.try_wait().unwrap());
        let is_peace = status.is_some_and(|status| status.success());
        assert!(is_peace, "ended with {status:?}\n{}", self.log());
        self.is_mounted = false;
        self.log()
    }

    /// Tells the program to end; its exit code.
    pub(crate) fn terminated(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let status = wait::until(|| self.child.try_wait().unwrap());
        self.is_mounted = self.is_shown();
        status?.code()
    }

    /// The process of the program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether a thread of the program waits for a disk.
    pub(crate) fn waits_for_disk(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        threads.flatten().any(|thread| {
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ")
                .next()
                .is_some_and(|state| state.starts_with('D'))
        })
    }

    /// Takes the mount out of sight; it lives on for who still uses it.
    pub(crate) fn detach(&self) {
        assert!(unmount(&self.path(), UnmountFlags::DETACH), "cannot detach");
    }
}

/// Only root may unmount without help.
fn unmount(point: &Path, flags: UnmountFlags) -> bool {
    if rustix::process::geteuid().is_root() {
        return rustix::mount::unmount(point, flags).is_ok();
    }
    let option = if flags.is_empty() { "-uq" } else { "-uqz" };
    let helped = Command::new("fusermount3").arg(option).arg(point).status();
    helped.is_ok_and(|status| status.success())
}

impl Drop for Mount {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of the mount:\n{}", self.log());
        }
        if self.is_mounted {
            unmount(&self.path(), UnmountFlags::DETACH);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
