//! Every option of the command line, as clap sees it: names, types, defaults and help.
//!
//! Of the help, `-h` shows the first paragraph, the man page all. Man pages and completions are made
//! from here too (`tools/generate`).
//!
//! This is the raw form; rules that span several options are checked where a
//! [`Command`](super::command::Command) is built from it.

mod mount;
mod volume;

use super::fsck::FsckArgs;
use super::values;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, ValueHint};
pub(crate) use mount::{KernelArgs, MountArgs, Reflink, ReverseArgs};
use std::path::PathBuf;
pub(crate) use volume::{FormatArgs, SecretArgs};

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
    #[arg(value_parser = path(), value_hint = ValueHint::DirPath, hide = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct ActionArgs {
    /// Make a new volume in the empty directory CIPHERDIR
    ///
    /// The new files are gocryptfs.conf, which holds the master key, encrypted with the password,
    /// and gocryptfs.diriv.
    #[arg(long)]
    pub(crate) init: bool,
    /// Change the password
    ///
    /// Only gocryptfs.conf changes. With -masterkey, which replaces a lost password, the file as
    /// it was is kept as gocryptfs.conf.bak.
    #[arg(long)]
    pub(crate) passwd: bool,
    /// Show what the configuration file says
    ///
    /// Needs no password.
    #[arg(long)]
    pub(crate) info: bool,
    /// Check the volume for damage
    ///
    /// Mounts nothing. See gocryptfs-fsck(1).
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
