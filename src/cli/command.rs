//! The typed form of a command line. All rules that span several options are checked here, in the
//! order in which the first failure is what the user reads; what comes out can be run as it is.

use super::args::{FormatArgs, KernelArgs, MessageArgs, MountArgs, ReverseArgs, SecretArgs, Words};
use super::clone::CloneOptions;
use super::direct::DirectOptions;
use super::exit::{ExitCode, Failure};
use super::fsck::FsckOptions;
use super::keys::{GivenKey, KeySource, PasswordSource, Token, check_secret, excluded};
use super::paths::{self, Purpose};
use super::stats::StatsOptions;
use super::values::{self, quoted};
use crate::format::BadNames;
use clap::{ArgMatches, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;

/// One run of the program.
#[derive(Debug)]
pub(crate) enum Command {
    /// Help on the common options, or on all.
    Help { all: bool },
    /// Name and version.
    Version,
    /// Measure the ciphers.
    Speed { json: bool },
    /// Make a new volume.
    Init(InitOptions),
    /// Change the password.
    Passwd(PasswdOptions),
    /// Show the configuration file.
    Info { volume: Volume, json: bool },
    /// Check the volume.
    Fsck(Box<FsckOptions>),
    /// Show what a mount has done.
    Stats(StatsOptions),
    /// Clone files inside a mount.
    Clone(CloneOptions),
    /// Read without mounting.
    Direct(Box<DirectOptions>),
    /// Mount.
    Mount(Box<MountOptions>),
}

/// Where a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    /// The encrypted directory, or in reverse mode the plain one, absolute and clean.
    pub(crate) cipherdir: PathBuf,
    /// Whether a plain directory is to appear encrypted.
    pub(crate) is_reverse: bool,
    /// The configuration file if it is not in CIPHERDIR, absolute and clean.
    pub(crate) config: Option<PathBuf>,
}

/// What `-init` needs.
#[derive(Debug)]
pub(crate) struct InitOptions {
    pub(crate) volume: Volume,
    pub(crate) password: PasswordSource,
    /// The token to take a secret from in place of a password.
    pub(crate) token: Option<Token>,
    /// The key to wrap; a random one if none is given.
    pub(crate) key: Option<GivenKey>,
    /// Logarithm of scrypt's N.
    pub(crate) scryptn: Option<i64>,
    pub(crate) format: FormatArgs,
}

/// What `-passwd` needs.
#[derive(Debug)]
pub(crate) struct PasswdOptions {
    pub(crate) volume: Volume,
    pub(crate) key: KeySource,
    /// Logarithm of scrypt's N, if it is to change.
    pub(crate) scryptn: Option<i64>,
}

/// What a mount needs.
#[derive(Debug)]
pub(crate) struct MountOptions {
    pub(crate) volume: Volume,
    /// As the user wrote it.
    pub(crate) mountpoint: PathBuf,
    pub(crate) key: KeySource,
    /// The format of a volume that is opened without its configuration file. The limits on long
    /// names hold in any case.
    pub(crate) format: FormatArgs,
    /// Owner of all files, as the user sees it.
    pub(crate) force_owner: Option<(u32, u32)>,
    /// Undecryptable names that are shown.
    pub(crate) bad_names: BadNames,
    pub(crate) mount: MountArgs,
    pub(crate) reverse: ReverseArgs,
    pub(crate) kernel: KernelArgs,
    pub(crate) messages: MessageArgs,
}

impl Command {
    /// Builds the command of a line without a verb.
    ///
    /// # Errors
    /// See [`Command::build`].
    pub(crate) fn parsed(matches: &ArgMatches) -> Result<Self, Failure> {
        let words = Words::from_arg_matches(matches);
        Self::build(words.map_err(|error| Failure::usage(error.to_string()))?)
    }

    /// Whether another process will run the same line in the background.
    pub(crate) fn runs_again(&self) -> bool {
        matches!(self, Self::Mount(options) if options.runs_again())
    }

    /// Checks the options against each other.
    ///
    /// # Errors
    /// Options that exclude each other or lack one another, values out of range, and a CIPHERDIR
    /// that is none.
    pub(crate) fn build(mut words: Words) -> Result<Self, Failure> {
        words.format.aessiv |= words.reverse.reverse;
        check_conflicts(&words)?;
        check_idle(&words)?;
        let bad_names = bad_names(&words.mount.badname)?;
        check_long_names(&words.format)?;
        let action = &words.action;
        if action.version {
            return Ok(Self::Version);
        }
        if action.hh {
            return Ok(Self::Help { all: true });
        }
        if action.speed {
            let json = words.fsck.json;
            return Ok(Self::Speed { json });
        }
        let purpose = if words.action.init {
            Purpose::NewVolume
        } else {
            Purpose::Volume
        };
        let is_reverse = words.reverse.reverse;
        let volume = Volume::build(words.paths.first(), &words.secret, is_reverse, purpose)?;
        if !words.reverse.reverse && !words.reverse.exclude.is_empty() {
            let message = "-exclude only works in reverse mode";
            return Err(Failure::new(ExitCode::Exclude, message));
        }
        let owner = words.mount.force_owner.as_deref();
        let owner = owner.filter(|owner| !owner.is_empty()).map(values::owner);
        let force_owner = owner.transpose().map_err(Failure::usage)?;
        check_positionals(&words)?;
        if words.action.fsck && words.reverse.reverse {
            let message = "Running -fsck with -reverse is not supported";
            return Err(Failure::usage(message));
        }
        if words.action.fsck {
            let options = FsckOptions::build(volume, bad_names, words)?;
            return Ok(Self::Fsck(Box::new(options)));
        }
        if words.action.info {
            let json = words.fsck.json;
            return Ok(Self::Info { volume, json });
        }
        let Words { secret, format, .. } = words;
        if words.action.init {
            return Ok(Self::Init(InitOptions {
                volume,
                password: PasswordSource::build(&secret),
                token: Token::build(&secret),
                key: GivenKey::build(&secret),
                scryptn: secret.scryptn,
                format,
            }));
        }
        let key = KeySource::build(&secret);
        if words.action.passwd {
            let scryptn = secret.scryptn;
            return Ok(Self::Passwd(PasswdOptions {
                volume,
                key,
                scryptn,
            }));
        }
        Ok(Self::Mount(Box::new(MountOptions {
            volume,
            mountpoint: words.paths[1].clone(),
            key,
            format,
            force_owner,
            bad_names,
            mount: words.mount,
            reverse: words.reverse,
            kernel: words.kernel,
            messages: words.messages,
        })))
    }
}

impl MountOptions {
    /// Whether another process will mount, in the background.
    pub(crate) fn runs_again(&self) -> bool {
        !self.mount.fg && self.mount.notifypid <= 0
    }
}

fn check_conflicts(words: &Words) -> Result<(), Failure> {
    check_secret(&words.secret, words.action.init)?;
    if words.mount.writeback && words.mount.sharedstorage {
        return Err(excluded("-writeback and -sharedstorage"));
    }
    Ok(())
}

fn check_idle(words: &Words) -> Result<(), Failure> {
    if words.mount.idle < values::GoDuration::default() {
        return Err(Failure::usage("Idle timeout cannot be less than 0"));
    }
    Ok(())
}

pub(super) fn bad_names(patterns: &[OsString]) -> Result<BadNames, Failure> {
    BadNames::new(patterns).map_err(|pattern| {
        let pattern = quoted(pattern);
        Failure::usage(format!("-badname: invalid pattern {pattern} supplied"))
    })
}

pub(super) fn check_long_names(format: &FormatArgs) -> Result<(), Failure> {
    match format.longnamemax {
        0 | 62..=255 => Ok(()),
        max => Err(Failure::usage(format!(
            "-longnamemax: value {max} is outside allowed range 62 ... 255"
        ))),
    }
}

fn check_positionals(words: &Words) -> Result<(), Failure> {
    let (action, given) = (&words.action, words.paths.len());
    let actions = [action.info, action.init, action.passwd, action.fsck];
    match actions.iter().filter(|wanted| **wanted).count() {
        0 if given == 2 => Ok(()),
        0 => {
            let paths: Vec<String> = words.paths.iter().map(quoted).collect();
            let paths = paths.join(" ");
            Err(Failure::usage(format!(
                "Wrong number of arguments (have {given}, want 2): {paths}\n\
                 Usage: gocryptfs [OPTIONS] CIPHERDIR MOUNTPOINT [-o COMMA-SEPARATED-OPTIONS]"
            )))
        }
        1 if given == 1 || action.takes_paths => Ok(()),
        1 => Err(Failure::usage(format!(
            "The options -info, -init, -passwd, -fsck take exactly one argument, {given} given"
        ))),
        _ => Err(Failure::usage(
            "At most one of -info, -init, -passwd, -fsck is allowed",
        )),
    }
}

impl Volume {
    /// Checks what the user gave.
    ///
    /// # Errors
    /// There is no CIPHERDIR.
    pub(super) fn build(
        given: Option<&PathBuf>,
        secret: &SecretArgs,
        is_reverse: bool,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let given = given.ok_or_else(|| {
            Failure::usage("CIPHERDIR argument is missing").advise(
                "Usage: gocryptfs [OPTIONS] CIPHERDIR MOUNTPOINT. \"gocryptfs -h\" shows more.",
            )
        })?;
        let cipherdir = paths::absolute(given)?;
        paths::check_dir(&cipherdir)
            .map_err(|defect| defect.failure(ExitCode::CipherDir, purpose))?;
        let config = secret.config.as_deref();
        let config = config.filter(|path| !path.as_os_str().is_empty());
        let config = config.map(paths::absolute).transpose()?;
        Ok(Self {
            cipherdir,
            is_reverse,
            config,
        })
    }
}

#[cfg(test)]
mod tests;
