//! Options on how a volume is mounted.

use super::path;
use crate::cli::values::{self, GoDuration};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct MountArgs {
    /// Stay in the foreground
    ///
    /// With `NOTIFY_SOCKET` in the environment, systemd(1) is told when the volume is mounted.
    #[arg(long, visible_alias = "f")]
    pub(crate) fg: bool,
    /// Send SIGUSR1 to this process
    ///
    /// As soon as the volume is mounted. Then run in the background.
    #[arg(
        long, value_name = "PID", value_parser = values::integer::<i32>,
        default_value = "0", hide_default_value = true, hide_short_help = true
    )]
    pub(crate) notifypid: i32,
    /// Unmount after 500s or 2h45m unused
    #[arg(
        long,
        visible_alias = "i",
        value_name = "TIME",
        default_value = "0",
        hide_default_value = true
    )]
    pub(crate) idle: GoDuration,
    /// Control socket
    ///
    /// A Unix socket that translates paths, for gocryptfs-xray(1) and other programs.
    #[arg(long, value_name = "PATH", value_parser = path())]
    pub(crate) ctlsock: Option<PathBuf>,
    /// Mount over a directory that is not empty
    #[arg(long)]
    pub(crate) nonempty: bool,
    /// Let other users in
    ///
    /// Then permissions are checked as on a local file system. Users other than root need
    /// `user_allow_other` in /etc/fuse.conf.
    #[arg(long = "allow_other")]
    pub(crate) allow_other: bool,
    /// Show all files as belonging to this owner
    ///
    /// Implies `-allow_other`. Whoever may enter then acts as that owner.
    #[arg(long = "force_owner", value_name = "UID:GID", hide_short_help = true)]
    pub(crate) force_owner: Option<String>,
    /// Enforce access control lists
    #[arg(long, hide_short_help = true)]
    pub(crate) acl: bool,
    /// CIPHERDIR is written by others at the same time
    ///
    /// Names, sizes and attributes are asked anew each time. For network storage and synchronised
    /// folders; slower.
    #[arg(long, hide_short_help = true)]
    pub(crate) sharedstorage: bool,
    /// Let the kernel collect small writes
    ///
    /// As it does on local file systems. Makes programs that write a few bytes at a time many
    /// times faster. Not for a CIPHERDIR that somebody else changes at the same time: size and
    /// content that the kernel remembers win over what is there.
    #[arg(long, hide_short_help = true)]
    pub(crate) writeback: bool,
    /// Whether copies share storage: auto or never
    ///
    /// See REFLINK below.
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) reflink: Reflink,
    /// Do not reserve space before writing
    ///
    /// Usually a write reserves its space first, so that a full disk leaves the block as it was.
    #[arg(long, hide_short_help = true)]
    pub(crate) noprealloc: bool,
    /// No extended attributes
    #[arg(long, hide_short_help = true)]
    pub(crate) noxattr: bool,
    /// Show undecryptable names like this
    ///
    /// Entries whose name does not decrypt and matches the pattern are listed with
    /// `GOCRYPTFS_BAD_NAME` behind it, so that they can be renamed or removed.
    #[arg(long, value_name = "PATTERN", hide_short_help = true)]
    pub(crate) badname: Vec<OsString>,
}

/// When copies share storage.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reflink {
    /// Wherever the storage can and it pays
    Auto,
    /// Never: no two files have a file ID in common
    Never,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct KernelArgs {
    /// Mount read-only
    #[arg(long)]
    pub(crate) ro: bool,
    /// Mount read-write (default)
    #[arg(long, hide_short_help = true)]
    pub(crate) rw: bool,
    /// Device files work
    #[arg(long, hide_short_help = true)]
    pub(crate) dev: bool,
    /// Device files do not work (default)
    #[arg(long, hide_short_help = true)]
    pub(crate) nodev: bool,
    /// Set-user-id programs work
    #[arg(long, hide_short_help = true)]
    pub(crate) suid: bool,
    /// Set-user-id programs do not work (default)
    #[arg(long, hide_short_help = true)]
    pub(crate) nosuid: bool,
    /// Programs can be run (default)
    #[arg(long, hide_short_help = true)]
    pub(crate) exec: bool,
    /// Programs cannot be run
    #[arg(long, hide_short_help = true)]
    pub(crate) noexec: bool,
    /// Keep files cached from one open to the next
    #[arg(long = "kernel_cache", hide_short_help = true)]
    pub(crate) kernel_cache: bool,
    /// Further options for the kernel
    ///
    /// As mount(8) takes them, for example -ko noexec,noatime.
    #[arg(long, value_name = "A,B=C", hide_short_help = true)]
    pub(crate) ko: Vec<String>,
    /// What stands for the device in the list of mounts
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) fsname: Option<OsString>,
    /// Security context of all files
    #[arg(long, value_name = "CONTEXT", hide_short_help = true)]
    pub(crate) context: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ReverseArgs {
    /// Show a plain directory encrypted
    ///
    /// The encrypted view at MOUNTPOINT is read-only, the same at every mount, and a volume for
    /// whoever copies it.
    #[arg(long)]
    pub(crate) reverse: bool,
    /// Do not enter other file systems
    #[arg(long, hide_short_help = true)]
    pub(crate) one_file_system: bool,
    /// Leave out this path
    ///
    /// Relative to the top of the plain directory.
    #[arg(long, visible_alias = "e", value_name = "PATH", hide_short_help = true)]
    pub(crate) exclude: Vec<OsString>,
    /// Leave out what matches this
    ///
    /// A pattern in the notation of gitignore(5).
    #[arg(
        long,
        visible_alias = "ew",
        value_name = "PATTERN",
        hide_short_help = true
    )]
    pub(crate) exclude_wildcard: Vec<OsString>,
    /// File of patterns to leave out
    ///
    /// One in each line, in the notation of gitignore(5).
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) exclude_from: Vec<PathBuf>,
    /// As the newest gocryptfs, with xattrs
    #[arg(long, hide_short_help = true)]
    pub(crate) reverse_newest: bool,
}
