//! The second program: shows what is in an encrypted file, the master key behind a password, and
//! the other side of paths.

mod inspect;
mod translate;

use super::exit::{ExitCode, Failure};
use super::keys::{PasswordSource, Token};
use super::output::{self, Output};
use super::values::{hexadecimal, quoted};
use super::{finish, harden, help, parse, unlock, words};
use crate::crypto::ContentSuite;
use crate::ctlsock::Request;
use crate::sys::{Dir, Kind};
use crate::vault::conf::ConfFile;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// All words of the command line.
#[derive(Parser, Debug)]
#[command(
    name = "gocryptfs-xray",
    about = "Inspects the files of an encrypted volume",
    override_usage = "gocryptfs-xray [OPTIONS] FILE",
    after_help = "Examples:\n  \
                  gocryptfs-xray CIPHERDIR/mCXnISiv7nEmyc0glGuhTQ\n  \
                  gocryptfs-xray -dumpmasterkey CIPHERDIR/gocryptfs.conf\n  \
                  gocryptfs-xray -encrypt-paths SOCKET",
    disable_help_flag = true,
    disable_version_flag = true
)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
struct Words {
    /// Show the master key that the configuration file FILE holds
    #[arg(long)]
    dumpmasterkey: bool,
    /// FIDO2 token that opens FILE in place of a password
    #[arg(long, value_name = "DEVICE")]
    fido2: Option<PathBuf>,
    /// Encrypt the paths in stdin; FILE is the control socket of the mounted volume
    #[arg(long)]
    encrypt_paths: bool,
    /// Decrypt the paths in stdin; FILE is the control socket of the mounted volume
    #[arg(long)]
    decrypt_paths: bool,
    /// A null character ends each path, not a newline
    #[arg(long = "0")]
    null: bool,
    /// FILE is encrypted with AES-SIV, not AES-GCM
    #[arg(long)]
    aessiv: bool,
    /// FILE is encrypted with XChaCha20-Poly1305, not AES-GCM
    #[arg(long)]
    xchacha: bool,
    /// Show the version
    #[arg(long)]
    version: bool,
    /// Show this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(hide = true)]
    files: Vec<PathBuf>,
}

/// Its parser.
pub(super) fn parser() -> clap::Command {
    Words::command()
}

/// Runs the inspector with the words of its command line, the program's name first.
pub fn main(line: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    harden();
    let line: Vec<OsString> = line.into_iter().collect();
    finish(start(&line), false)
}

fn start(line: &[OsString]) -> Result<ExitCode, Failure> {
    // Only what was asked for.
    let out = Output::new(true, false);
    let words = words::two_dashes(line.get(1..).unwrap_or_default());
    let parsed = parse::parse(Words::command(), &words, line)
        .map_err(|failure| Failure::new(ExitCode::Option, failure.message))?;
    let Some(matches) = parsed else {
        help::show(Words::command(), &out);
        return Ok(ExitCode::Success);
    };
    let words = Words::from_arg_matches(&matches)
        .map_err(|error| Failure::new(ExitCode::Option, error.to_string()))?;
    if words.version {
        help::version("gocryptfs-xray", &out);
        return Ok(ExitCode::Success);
    }
    run(&words, &out)
}

fn run(words: &Words, out: &Output) -> Result<ExitCode, Failure> {
    let [path] = &words.files[..] else {
        return Err(Failure::usage(
            "Usage: gocryptfs-xray [OPTIONS] FILE\nTry 'gocryptfs-xray -help'.",
        ));
    };
    let operations = [
        words.dumpmasterkey,
        words.encrypt_paths,
        words.decrypt_paths,
    ];
    let wanted = operations.iter().filter(|wanted| **wanted).count();
    if wanted > 1 {
        let message = format!("fatal: {wanted} operations were requested");
        return Err(Failure::usage(message));
    }
    let separator = if words.null { b'\0' } else { b'\n' };
    if words.encrypt_paths {
        let encrypt = |encrypt_path| Request {
            encrypt_path,
            ..Request::default()
        };
        translate::run(path, separator, encrypt, out)
    } else if words.decrypt_paths {
        let decrypt = |decrypt_path| Request {
            decrypt_path,
            ..Request::default()
        };
        translate::run(path, separator, decrypt, out)
    } else if words.dumpmasterkey {
        dump_master_key(path, words.token().as_ref(), out)
    } else {
        inspect::run(open(path)?, words.suite())
    }
}

impl Words {
    fn token(&self) -> Option<Token> {
        let device = self.fido2.clone();
        device.map(|device| Token {
            device,
            assert_options: Vec::new(),
        })
    }

    fn suite(&self) -> ContentSuite {
        match self {
            Words { aessiv: true, .. } => ContentSuite::AesSiv,
            Words { xchacha: true, .. } => ContentSuite::XChaCha,
            _ => ContentSuite::AesGcm,
        }
    }
}

/// Opens the file at `path`. A FIFO in its place is not waited for; the end of a pipe that the user
/// has at hand, such as `/dev/stdin`, is a symlink.
fn open(path: &Path) -> Result<File, Failure> {
    let kind = Dir::open_above(path).and_then(|(dir, name)| Ok(dir.stat_at(&name)?.kind()));
    if kind == Ok(Kind::Fifo) {
        let message = format!("open {}: not a regular file", path.display());
        return Err(Failure::usage(message));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the user's own path, which may be a symlink"
    )]
    let file = File::open(path);
    file.map_err(|error| Failure::usage(format!("open {}: {error}", path.display())))
}

fn dump_master_key(path: &Path, token: Option<&Token>, out: &Output) -> Result<ExitCode, Failure> {
    open(path)?;
    let file = ConfFile::at(path)
        .map_err(|errno| Failure::usage(format!("open {}: {errno}", quoted(path))))?;
    let conf = unlock::open_conf(&file)?;
    let key = unlock::master_key(&conf, &PasswordSource::Console, token, out);
    let key = key.map_err(|failure| match failure.code {
        ExitCode::PasswordIncorrect => Failure {
            code: ExitCode::LoadConf,
            ..failure
        },
        _ => failure,
    })?;
    let digits = Zeroizing::new(hexadecimal(key.0.expose()));
    out.write(output::Kind::Answer, &digits);
    Ok(ExitCode::Success)
}
