//! Attaching the FUSE device to a mount point, and detaching it.
//!
//! `mount(2)` first, which needs privileges; then the set-user-ID helper `fusermount3`, which
//! hands the device over a socket.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use rustix::net::{self, AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, SocketType};

use crate::mount::flags;

/// The largest read request the kernel is told to send, bytes.
const MAX_READ: u32 = 1 << 20;
/// The FUSE device.
const DEVICE: &str = "/dev/fuse";
/// Names of the helper, the current one first.
const HELPERS: [&str; 2] = ["fusermount3", "fusermount"];
/// Where the helper is looked for if `PATH` does not have it.
const HELPER_DIR: &str = "/bin";

/// How and where to mount.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one mount option")]
pub struct Options {
    /// The directory that becomes the mount point.
    pub mountpoint: PathBuf,
    /// The source that `/proc/mounts` shows.
    pub fsname: OsString,
    /// What follows `fuse.` in the type that `/proc/mounts` shows.
    pub subtype: &'static str,
    /// Other users may enter.
    pub allow_other: bool,
    /// The kernel checks permissions.
    pub default_permissions: bool,
    /// The kernel interprets POSIX ACLs.
    pub acl: bool,
    /// There are extended attributes.
    pub xattr: bool,
    /// The kernel collects small writes and says later what was written.
    pub writeback: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// Device nodes work.
    pub dev: bool,
    /// Set-user-ID bits work.
    pub suid: bool,
    /// Programs can be run.
    pub exec: bool,
    /// Further options for the kernel or the helper, as they are.
    pub kernel_options: Vec<String>,
}

/// Why nothing was mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The FUSE device cannot be opened.
    #[error("{DEVICE}: {0}")]
    Device(Errno),
    /// `mount(2)` says no.
    #[error("{0}")]
    Refused(Errno),
    /// The program that mounts for users without privileges cannot be run.
    #[error("{0}: {1}")]
    NoHelper(&'static str, io::Error),
    /// That program says no, for a reason that it has shown.
    #[error("fusermount failed: {0}")]
    Helper(ExitStatus),
    /// The talk to that program or to the kernel was cut off.
    #[error("{0}")]
    Session(#[from] io::Error),
}

impl Options {
    fn flags(&self) -> MountFlags {
        let mut flags = MountFlags::empty();
        flags.set(MountFlags::NODEV, !self.dev);
        flags.set(MountFlags::NOSUID, !self.suid);
        flags.set(MountFlags::NOEXEC, !self.exec);
        flags.set(MountFlags::RDONLY, self.read_only);
        flags
    }

    /// Options that `mount(2)` and the helper spell alike.
    fn common(&self) -> Vec<String> {
        let mut options = vec![format!("max_read={MAX_READ}")];
        if self.default_permissions {
            options.push("default_permissions".into());
        }
        if self.allow_other {
            options.push("allow_other".into());
        }
        options.extend(self.kernel_options.iter().cloned());
        options
    }
}

/// Mounts; returns the FUSE device.
pub(super) fn attach(options: &Options) -> Result<OwnedFd, MountError> {
    match attach_directly(options) {
        Err(
            MountError::Device(Errno::PERM | Errno::ACCESS)
            | MountError::Refused(Errno::PERM | Errno::ACCESS | Errno::INVAL),
        ) => attach_with_helper(options),
        answer => answer,
    }
}

/// Opens the FUSE device, anew, without a connection to a mount.
pub(super) fn open_device() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, DEVICE, flags, Mode::empty())
}

fn attach_directly(options: &Options) -> Result<OwnedFd, MountError> {
    let device = open_device().map_err(MountError::Device)?;
    let root_mode = rustix::fs::stat(&options.mountpoint);
    let root_mode = root_mode.map_err(MountError::Refused)?.st_mode;
    let mut data = vec![
        format!("fd={}", device.as_raw_fd()),
        format!("rootmode={root_mode:o}"),
        format!("user_id={}", rustix::process::geteuid().as_raw()),
        format!("group_id={}", rustix::process::getegid().as_raw()),
    ];
    let (words, mut flags) = (options.common(), options.flags());
    data.extend(
        flags::split(&mut flags, &words)
            .into_iter()
            .map(str::to_owned),
    );
    let data = CString::new(data.join(",")).map_err(|_| MountError::Refused(Errno::INVAL))?;
    let mounted = rustix::mount::mount(
        options.fsname.as_os_str(),
        &options.mountpoint,
        format!("fuse.{}", options.subtype),
        flags,
        data.as_c_str(),
    );
    mounted.map(|()| device).map_err(MountError::Refused)
}

fn attach_with_helper(options: &Options) -> Result<OwnedFd, MountError> {
    let (ours, theirs) = sockets().map_err(io::Error::from)?;
    let mut words = options.common();
    words.extend(
        [
            (!options.dev, "nodev", "dev"),
            (!options.suid, "nosuid", "suid"),
            (!options.exec, "noexec", "exec"),
            (options.read_only, "ro", "rw"),
        ]
        .map(|(restricted, word, other)| (if restricted { word } else { other }).to_owned()),
    );
    let mut list = OsString::from(format!(
        "{},subtype={},fsname=",
        words.join(","),
        options.subtype
    ));
    list.push(escaped(&options.fsname));
    let status = helper(|command| {
        command
            .arg("-o")
            .arg(&list)
            .arg("--")
            .arg(&options.mountpoint)
            .env("_FUSE_COMMFD", theirs.as_raw_fd().to_string())
            .stdin(Stdio::null())
            .status()
    })?;
    drop(theirs);
    if !status.success() {
        return Err(MountError::Helper(status));
    }
    Ok(receive_device(&ours)?)
}

/// A socket to talk to the helper, and one that it inherits.
fn sockets() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    // Nobody else is started meanwhile.
    let (ours, theirs) = net::socketpair(family, kind, net::SocketFlags::empty(), None)?;
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    Ok((ours, theirs))
}

/// A value as the helper reads it, for which a backslash takes the special meaning away from the
/// next character.
fn escaped(value: &OsStr) -> OsString {
    let mut bytes = Vec::new();
    for byte in value.as_bytes() {
        if matches!(byte, b'\\' | b',') {
            bytes.push(b'\\');
        }
        bytes.push(*byte);
    }
    OsString::from_vec(bytes)
}

/// Runs the helper with what `run` adds to the command line.
fn helper<T>(run: impl Fn(&mut Command) -> io::Result<T>) -> Result<T, MountError> {
    let places = HELPERS
        .iter()
        .map(|name| PathBuf::from(*name))
        .chain(HELPERS.iter().map(|name| Path::new(HELPER_DIR).join(name)));
    let mut answer = Err(io::ErrorKind::NotFound.into());
    for place in places {
        answer = run(&mut Command::new(place));
        if !matches!(&answer, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            break;
        }
    }
    answer.map_err(|error| MountError::NoHelper(HELPERS[0], error))
}

fn receive_device(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut ancillary,
        net::RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut received = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    received
        .next()
        .ok_or_else(|| io::Error::other("fusermount did not hand over the FUSE device"))
}

/// Unmounts; `lazy` also if something is in use, which then stays usable until it is closed.
pub(super) fn detach(mountpoint: &Path, lazy: bool) -> io::Result<()> {
    let flags = if lazy {
        UnmountFlags::DETACH
    } else {
        UnmountFlags::empty()
    };
    match rustix::mount::unmount(mountpoint, flags | UnmountFlags::NOFOLLOW) {
        Err(Errno::PERM) => detach_with_helper(mountpoint, lazy),
        answer => Ok(answer?),
    }
}

fn detach_with_helper(mountpoint: &Path, lazy: bool) -> io::Result<()> {
    let output = helper(|command| {
        command.arg("-u");
        if lazy {
            command.arg("-z");
        }
        command.arg("--").arg(mountpoint).output()
    });
    let output = output.map_err(io::Error::other)?;
    if output.status.success() {
        return Ok(());
    }
    let said = OsStr::from_bytes(output.stderr.trim_ascii()).to_string_lossy();
    Err(io::Error::other(said.into_owned()))
}
