//! Every option of the command line, as clap sees it: names, types, defaults and help.
//!
//! This is the raw form; rules that span several options are checked where a
//! [`Command`](super::command::Command) is built from it.

use super::fsck::FsckArgs;
use super::values::{self, GoDuration};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// The headings under which help shows the options, which are also the names of the groups.
pub(crate) mod heading {
    pub(crate) const ACTIONS: &str = "Actions (without one, CIPHERDIR is mounted)";
    pub(crate) const SECRET: &str = "Password and key";
    pub(crate) const FORMAT: &str = "Format (of a new volume, or with an explicit key)";
    pub(crate) const CHECKING: &str = "Checking";
    pub(crate) const MOUNTING: &str = "Mounting";
    pub(crate) const KERNEL: &str = "Options for the kernel";
    pub(crate) const REVERSE: &str = "Reverse mode";
    pub(crate) const MESSAGES: &str = "Messages";
    pub(crate) const IGNORED: &str = "Accepted without effect";
}

/// All words of the command line.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs",
    about = "Encrypted overlay file system",
    override_usage = "gocryptfs -init|-passwd|-info|-fsck [OPTIONS] CIPHERDIR\n       \
                      gocryptfs fsck [OPTIONS] CIPHERDIR [PATH...]\n       \
                      gocryptfs [OPTIONS] CIPHERDIR MOUNTPOINT [-o COMMA,SEPARATED,OPTIONS]",
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(crate) struct Words {
    #[command(flatten, next_help_heading = heading::ACTIONS)]
    pub(crate) action: ActionArgs,
    #[command(flatten, next_help_heading = heading::SECRET)]
    pub(crate) secret: SecretArgs,
    #[command(flatten, next_help_heading = heading::FORMAT)]
    pub(crate) format: FormatArgs,
    #[command(flatten, next_help_heading = heading::CHECKING)]
    pub(crate) fsck: FsckArgs,
    #[command(flatten, next_help_heading = heading::MOUNTING)]
    pub(crate) mount: MountArgs,
    #[command(flatten, next_help_heading = heading::KERNEL)]
    pub(crate) kernel: KernelArgs,
    #[command(flatten, next_help_heading = heading::REVERSE)]
    pub(crate) reverse: ReverseArgs,
    #[command(flatten, next_help_heading = heading::MESSAGES)]
    pub(crate) messages: MessageArgs,
    #[command(flatten, next_help_heading = heading::IGNORED)]
    pub(crate) ignored: IgnoredArgs,
    /// CIPHERDIR, and MOUNTPOINT for a mount
    #[arg(value_parser = path(), hide = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct ActionArgs {
    /// Make a new volume in the empty directory CIPHERDIR
    #[arg(long)]
    pub(crate) init: bool,
    /// Change the password
    #[arg(long)]
    pub(crate) passwd: bool,
    /// Show what the configuration file says
    #[arg(long)]
    pub(crate) info: bool,
    /// Check the volume for damage
    #[arg(long)]
    pub(crate) fsck: bool,
    /// Whether more paths may follow
    #[arg(skip)]
    pub(crate) takes_paths: bool,
    /// Measure the speed of the ciphers
    #[arg(long)]
    pub(crate) speed: bool,
    /// Show the version
    #[arg(long)]
    pub(crate) version: bool,
    /// Show the common options
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    /// Show all options
    #[arg(long)]
    pub(crate) hh: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SecretArgs {
    /// gocryptfs.conf, if not in CIPHERDIR
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub(crate) config: Option<PathBuf>,
    /// Program that prints the password
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) extpass: Vec<OsString>,
    /// File with the password in its first line
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub(crate) passfile: Vec<PathBuf>,
    /// Master key (64 digits, or "stdin")
    #[arg(long, value_name = "KEY")]
    pub(crate) masterkey: Option<OsString>,
    /// Use a key of zeros, for tests
    #[arg(long, hide_short_help = true)]
    pub(crate) zerokey: bool,
    /// FIDO2 token that holds the key
    #[arg(long, value_name = "DEVICE", value_parser = path(), hide_short_help = true)]
    pub(crate) fido2: Option<PathBuf>,
    /// Option for fido2-assert
    #[arg(long, value_name = "OPTION", hide_short_help = true)]
    pub(crate) fido2_assert_option: Vec<String>,
    /// Cost of a guess: 10 to 28 [default: 16]
    #[arg(long, value_name = "LOGN", value_parser = values::integer::<i64>)]
    pub(crate) scryptn: Option<i64>,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct FormatArgs {
    /// Encrypt file content with AES-SIV
    #[arg(long)]
    pub(crate) aessiv: bool,
    /// Encrypt file content with XChaCha20-Poly1305
    #[arg(long)]
    pub(crate) xchacha: bool,
    /// Leave file names as they are
    #[arg(long)]
    pub(crate) plaintextnames: bool,
    /// The same name encrypts alike in every directory
    #[arg(long)]
    pub(crate) deterministic_names: bool,
    /// Length of encrypted names: 62 to 255
    #[arg(
        long, value_name = "BYTES", value_parser = values::integer::<u8>,
        default_value = "255", hide_default_value = true, hide_short_help = true
    )]
    pub(crate) longnamemax: u8,
    /// Hash names that are too long when encrypted
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) longnames: bool,
    /// Derive working keys with HKDF
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) hkdf: bool,
    /// Unpadded base64 in file names
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) raw64: bool,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct MountArgs {
    /// Stay in the foreground
    #[arg(long, visible_alias = "f")]
    pub(crate) fg: bool,
    /// Send SIGUSR1 to this process
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
    #[arg(long, value_name = "PATH", value_parser = path())]
    pub(crate) ctlsock: Option<PathBuf>,
    /// Mount over a directory that is not empty
    #[arg(long)]
    pub(crate) nonempty: bool,
    /// Let other users in
    #[arg(long = "allow_other")]
    pub(crate) allow_other: bool,
    /// Show all files as belonging to this owner
    #[arg(long = "force_owner", value_name = "UID:GID", hide_short_help = true)]
    pub(crate) force_owner: Option<String>,
    /// Enforce access control lists
    #[arg(long, hide_short_help = true)]
    pub(crate) acl: bool,
    /// CIPHERDIR is written by others at the same time
    #[arg(long, hide_short_help = true)]
    pub(crate) sharedstorage: bool,
    /// Let the kernel collect small writes
    #[arg(long, hide_short_help = true)]
    pub(crate) writeback: bool,
    /// Whether copies share storage: auto or never
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
    #[arg(long, hide_short_help = true)]
    pub(crate) noprealloc: bool,
    /// No extended attributes
    #[arg(long, hide_short_help = true)]
    pub(crate) noxattr: bool,
    /// Show undecryptable names like this
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
    #[arg(long)]
    pub(crate) reverse: bool,
    /// Do not enter other file systems
    #[arg(long, hide_short_help = true)]
    pub(crate) one_file_system: bool,
    /// Leave out this path
    #[arg(long, visible_alias = "e", value_name = "PATH", hide_short_help = true)]
    pub(crate) exclude: Vec<OsString>,
    /// Leave out what matches this
    #[arg(
        long,
        visible_alias = "ew",
        value_name = "PATTERN",
        hide_short_help = true
    )]
    pub(crate) exclude_wildcard: Vec<OsString>,
    /// File of patterns to leave out
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) exclude_from: Vec<PathBuf>,
    /// As the newest gocryptfs, with xattrs
    #[arg(long, hide_short_help = true)]
    pub(crate) reverse_newest: bool,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct MessageArgs {
    /// Only warnings and errors
    #[arg(long, visible_alias = "q")]
    pub(crate) quiet: bool,
    /// Debug messages
    #[arg(long, visible_alias = "d", hide_short_help = true)]
    pub(crate) debug: bool,
    /// Debug messages of the FUSE protocol
    #[arg(long, hide_short_help = true)]
    pub(crate) fusedebug: bool,
    /// End at the first warning, for tests
    #[arg(long, hide_short_help = true)]
    pub(crate) wpanic: bool,
    /// In the background, keep writing messages to stdout and stderr
    #[arg(long)]
    pub(crate) nosyslog: bool,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct IgnoredArgs {
    /// Choice of a cryptography library
    #[arg(long, value_name = "auto|BOOL", value_parser = openssl, hide_short_help = true)]
    openssl: Option<()>,
    /// Profile file
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) cpuprofile: Option<PathBuf>,
    /// Profile file
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) memprofile: Option<PathBuf>,
    /// Trace file
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) trace: Option<PathBuf>,
    /// Obsolete
    #[arg(long = "serialize_reads", hide_short_help = true)]
    serialize_reads: bool,
    /// For /etc/fstab
    #[arg(long, hide_short_help = true)]
    nofail: bool,
    /// Obsolete
    #[arg(long, hide_short_help = true)]
    devrandom: bool,
    /// Obsolete
    #[arg(long, hide_short_help = true)]
    forcedecode: bool,
}

/// The parser for values that are paths.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

fn openssl(text: &str) -> Result<(), String> {
    match text {
        "auto" => Ok(()),
        _ => values::boolean(text).map(drop),
    }
}
