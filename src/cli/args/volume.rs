//! Options on what opens a volume, and on the format of a new one.

use super::path;
use crate::cli::values;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub(crate) struct SecretArgs {
    /// gocryptfs.conf, if not in CIPHERDIR
    ///
    /// Somebody who has the encrypted files but not this file cannot even guess passwords.
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub(crate) config: Option<PathBuf>,
    /// Program that prints the password
    ///
    /// The first line is the password. Given once, the value is split at blanks; given several
    /// times, the values are the program and its arguments.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) extpass: Vec<OsString>,
    /// File with the password in its first line
    ///
    /// Given several times, the passwords of all files are put together.
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub(crate) passfile: Vec<PathBuf>,
    /// Master key (64 digits, or "stdin")
    ///
    /// Opens the volume without its configuration file and without a password; with -passwd, sets
    /// a new password. Other users can read command lines, so "stdin" is better.
    #[arg(long, value_name = "KEY")]
    pub(crate) masterkey: Option<OsString>,
    /// Use a key of zeros, for tests
    #[arg(long, hide_short_help = true)]
    pub(crate) zerokey: bool,
    /// FIDO2 token that holds the key
    ///
    /// The token takes the place of the password. Needs fido2-assert(1) and fido2-cred(1).
    #[arg(long, value_name = "DEVICE", value_parser = path(), hide_short_help = true)]
    pub(crate) fido2: Option<PathBuf>,
    /// Option for fido2-assert
    ///
    /// Stored in the new volume and used whenever it is opened, for example pin=true.
    #[arg(long, value_name = "OPTION", hide_short_help = true)]
    pub(crate) fido2_assert_option: Vec<String>,
    /// Cost of a guess: 10 to 28 [default: 16]
    ///
    /// The binary logarithm of the parameter N of scrypt: each step doubles the time and the
    /// memory that one guess at the password takes. 16 needs 64 MiB.
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
    ///
    /// Slower than AES-GCM, which is the default. Reverse mode always uses it.
    #[arg(long)]
    pub(crate) aessiv: bool,
    /// Encrypt file content with XChaCha20-Poly1305
    ///
    /// Faster than AES-GCM on machines without AES instructions; -speed tells.
    #[arg(long)]
    pub(crate) xchacha: bool,
    /// Leave file names as they are
    ///
    /// Content is encrypted as always.
    #[arg(long)]
    pub(crate) plaintextnames: bool,
    /// The same name encrypts alike in every directory
    ///
    /// No directory has a gocryptfs.diriv then, which is easier on programs that synchronise, but
    /// shows which names are the same.
    #[arg(long)]
    pub(crate) deterministic_names: bool,
    /// Length of encrypted names: 62 to 255
    ///
    /// Longer ones are stored as a hash with a .name file beside. For storage that does not take
    /// long names.
    #[arg(
        long, value_name = "BYTES", value_parser = values::integer::<u8>,
        default_value = "255", hide_default_value = true, hide_short_help = true
    )]
    pub(crate) longnamemax: u8,
    /// Hash names that are too long when encrypted
    ///
    /// On by default; if off, such names cannot be made.
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) longnames: bool,
    /// Derive working keys with HKDF
    ///
    /// On by default.
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) hkdf: bool,
    /// Unpadded base64 in file names
    ///
    /// On by default.
    #[arg(long, default_value = "true", hide_short_help = true)]
    pub(crate) raw64: bool,
}
