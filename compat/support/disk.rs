//! Small disks in files, one for each kind of backing file system.

use super::skip::{is_root, skip};
use super::tree::Limits;
use super::write_log::{self, Log};
use rustix::mount::UnmountFlags;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// A kind of file system, as mount(8) names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ext4,
    Btrfs,
    Xfs,
    Tmpfs,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Ext4, Self::Btrfs, Self::Xfs, Self::Tmpfs];

    fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Btrfs => "btrfs",
            Self::Xfs => "xfs",
            Self::Tmpfs => "tmpfs",
        }
    }

    /// What a tree may hold there: xfs stores at most 1023 bytes of a symlink's (encrypted) target.
    pub(crate) fn limits(self, of_format: Limits) -> Limits {
        match self {
            Self::Xfs => Limits {
                target: 700,
                ..of_format
            },
            _ => of_format,
        }
    }
}

/// A fresh, mounted, empty file system; unmounted and deleted with its value.
pub(crate) struct Disk {
    scratch: TempDir,
    is_mounted: bool,
}

impl Disk {
    /// `None`, and a note that `what` was skipped, where such a file system cannot be had.
    pub(crate) fn new(kind: Kind, what: &str) -> Option<Self> {
        // on a disk this small, the default would be 1 KiB
        let options: &[_] = match kind {
            Kind::Ext4 => &["-b", "4096"],
            _ => &[],
        };
        Self::with_options(kind, what, options)
    }

    /// Hands `options` to mkfs, or to mount for what needs no mkfs.
    pub(crate) fn with_options(kind: Kind, what: &str, options: &[&str]) -> Option<Self> {
        if !is_root(what) {
            return None;
        }
        let mut disk = Self {
            scratch: TempDir::new().unwrap(),
            is_mounted: false,
        };
        let image = disk.scratch.path().join("image");
        fs::create_dir(disk.path()).unwrap();
        // the smallest that mkfs.xfs takes is 300 MiB; sparse, so it costs nothing
        File::create(&image).unwrap().set_len(320 * MIB).unwrap();
        let name = kind.name();
        let made = kind == Kind::Tmpfs
            || run(Command::new(format!("mkfs.{name}"))
                .arg("-q")
                .args(options)
                .arg(&image));
        let mut mount = Command::new("mount");
        match kind {
            Kind::Tmpfs => mount.args(["-t", name, name]).args(options),
            // the loop device goes when the file system is unmounted
            _ => mount.args(["-t", name, "-o", "loop"]).arg(&image),
        };
        disk.is_mounted = made && run(mount.arg(disk.path()));
        if !disk.is_mounted {
            skip(what, &format!("cannot make and mount {name}"));
        }
        disk.is_mounted.then_some(disk)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.scratch.path().join("disk")
    }

    /// As [`Self::new`], and everything that is written to it is logged. Also returns the image as
    /// it was before it was mounted.
    pub(crate) fn logged(kind: Kind, what: &str) -> Option<(Self, Logged)> {
        let mut disk = Self::new(kind, what)?;
        disk.unmount();
        let scratch = disk.scratch.path();
        let (image, before) = (scratch.join("image"), scratch.join("before"));
        copy_image(&image, &before);
        let point = scratch.join("log");
        fs::create_dir(&point).unwrap();
        let (session, log) = write_log::mount(&image, &point).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(point.join(write_log::NAME));
        disk.is_mounted = run(mount.arg(disk.path()));
        assert!(disk.is_mounted, "the logged image does not mount");
        let logged = Logged {
            log,
            before,
            session,
        };
        Some((disk, logged))
    }

    fn unmount(&mut self) {
        assert!(run(Command::new("umount").arg(self.path())));
        self.is_mounted = false;
    }

    /// Ends the log, and keeps it.
    pub(crate) fn end(mut self, logged: Logged) -> (Self, Log, PathBuf) {
        self.unmount();
        let Logged {
            log,
            before,
            session,
        } = logged;
        drop(session);
        (self, log, before)
    }

    /// Mounts the file `image` in a directory. Nothing else with its identity may be mounted.
    pub(crate) fn come_back(scratch: TempDir) -> Self {
        let mut disk = Self {
            scratch,
            is_mounted: false,
        };
        fs::create_dir(disk.path()).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-o", "loop"])
            .arg(disk.scratch.path().join("image"));
        disk.is_mounted = run(mount.arg(disk.path()));
        assert!(disk.is_mounted, "the image does not mount");
        disk
    }
}

/// The log of a disk, while it is written.
pub(crate) struct Logged {
    pub(crate) log: Log,
    before: PathBuf,
    session: fuser::BackgroundSession,
}

/// A copy of an image that takes no more space than it.
pub(crate) fn copy_image(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.args(["--sparse=always", "--reflink=never"]);
    assert!(run(copy.args([from, to])));
}

/// While it lives, whoever writes to the disk waits.
pub(crate) struct Frozen(PathBuf);

impl Frozen {
    pub(crate) fn new(disk: &Disk) -> Self {
        assert!(run(Command::new("fsfreeze").arg("-f").arg(disk.path())));
        Self(disk.path())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        run(Command::new("fsfreeze").arg("-u").arg(&self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = rustix::mount::unmount(self.path(), UnmountFlags::DETACH);
        }
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn every_kind_of_disk_holds_a_file() {
    for kind in Kind::ALL {
        let Some(disk) = Disk::new(kind, "disks") else {
            continue;
        };
        let file: &Path = &disk.path().join("file");
        fs::write(file, "x").unwrap();
        assert_eq!(fs::read(file).unwrap(), b"x", "{kind:?}");
    }
}
