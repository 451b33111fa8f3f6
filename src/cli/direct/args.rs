//! The words of the verbs that read a volume without mounting it.

use super::{DirectOptions, ExportArgs, FindArgs, ListArgs, Source, What};
use crate::cli::args::{FormatArgs, MessageArgs, SecretArgs, heading, path};
use crate::cli::command::{self, Command, Volume};
use crate::cli::exit::Failure;
use crate::cli::keys::{self, KeySource};
use crate::cli::paths::Purpose;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

/// What all of them take.
#[derive(Args, Clone, Debug)]
struct Common {
    #[command(flatten, next_help_heading = heading::SECRET)]
    secret: SecretArgs,
    #[command(flatten, next_help_heading = heading::FORMAT)]
    format: FormatArgs,
    #[command(flatten, next_help_heading = heading::MESSAGES)]
    messages: MessageArgs,
    /// Show undecryptable names like this
    #[arg(long, value_name = "PATTERN", hide_short_help = true)]
    badname: Vec<OsString>,
    /// Show this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(value_parser = path(), hide = true)]
    paths: Vec<PathBuf>,
}

#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs ls",
    about = "List what is in the volume CIPHERDIR, without mounting it",
    override_usage = "gocryptfs ls [-l] [-R] [OPTIONS] CIPHERDIR [PATH...]",
    after_help = "PATH is a plain path inside the volume. Times are in UTC.",
    disable_help_flag = true
)]
pub(crate) struct ListWords {
    #[command(flatten)]
    own: ListArgs,
    /// Both of them in one word
    #[arg(long = "lR", alias = "Rl", hide = true)]
    both: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs cat",
    about = "Write files of the volume CIPHERDIR to stdout, without mounting it",
    override_usage = "gocryptfs cat [OPTIONS] CIPHERDIR PATH...",
    after_help = "PATH is a plain path inside the volume. A file that is damaged ends where the\n\
                  damage begins; the exit code is 26 then.",
    disable_help_flag = true
)]
pub(crate) struct CatWords {
    #[command(flatten)]
    common: Common,
}

#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs find",
    about = "Show the paths in the volume CIPHERDIR, without mounting it",
    override_usage = "gocryptfs find [OPTIONS] CIPHERDIR [PATH]",
    after_help = "GLOB is matched against the last name of a path: * ? [a-z] [^a-z] and \\.",
    disable_help_flag = true
)]
pub(crate) struct FindWords {
    #[command(flatten)]
    own: FindArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs export",
    about = "Write the plain files of the volume CIPHERDIR to DEST, without mounting it",
    override_usage = "gocryptfs export [--tar] [--path SUB] [OPTIONS] CIPHERDIR DEST|-",
    after_help = "DEST is a directory that is empty or will be made; with --tar it is an archive\n\
                  that will be made, and - is stdout, always an archive. Nothing is overwritten.\n\
                  Modes, times, links, holes and extended attributes are kept, and for root\n\
                  owners. What is damaged is reported and left out; the exit code is 26 then.\n\
                  In an archive, tar(1) takes the attributes with --xattrs --xattrs-include='*'.",
    disable_help_flag = true
)]
pub(crate) struct ExportWords {
    #[command(flatten)]
    own: ExportArgs,
    #[command(flatten)]
    common: Common,
}

impl Common {
    /// The volume, and the paths behind it.
    fn split(self) -> Result<(Source, Vec<PathBuf>, MessageArgs), Failure> {
        keys::check_secret(&self.secret, false)?;
        command::check_long_names(&self.format)?;
        let first = self.paths.first();
        let source = Source {
            volume: Volume::build(first, &self.secret, false, Purpose::Volume)?,
            key: KeySource::build(&self.secret),
            format: self.format,
            bad_names: command::bad_names(&self.badname)?,
        };
        Ok((source, self.paths[1..].to_vec(), self.messages))
    }

    fn command(
        self,
        what: impl FnOnce(Vec<PathBuf>) -> Result<What, Failure>,
    ) -> Result<Command, Failure> {
        let (source, paths, messages) = self.split()?;
        Ok(Command::Direct(Box::new(DirectOptions {
            source,
            what: what(paths)?,
            messages,
        })))
    }
}

/// The parser of one of the verbs. Help shows what is of use with it.
pub(crate) fn parser<T: CommandFactory>() -> clap::Command {
    T::command().mut_args(|arg| {
        let is_of_no_use = arg.get_help_heading() == Some(heading::FORMAT)
            || ["scryptn", "nosyslog"].iter().any(|id| arg.get_id() == id);
        if is_of_no_use { arg.hide(true) } else { arg }
    })
}

fn words<T: FromArgMatches>(matches: &ArgMatches) -> Result<T, Failure> {
    T::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))
}

/// Builds `ls`.
///
/// # Errors
/// There is no CIPHERDIR; options exclude each other.
pub(crate) fn list(matches: &ArgMatches) -> Result<Command, Failure> {
    let ListWords {
        mut own,
        both,
        common,
    } = words(matches)?;
    own.long |= both;
    own.recursive |= both;
    common.command(|paths| Ok(What::List(own, paths)))
}

/// Builds `cat`.
///
/// # Errors
/// As [`list`]; there is no path.
pub(crate) fn cat(matches: &ArgMatches) -> Result<Command, Failure> {
    let CatWords { common } = words(matches)?;
    common.command(|paths| match paths.len() {
        0 => Err(Failure::usage("Usage: gocryptfs cat CIPHERDIR PATH...")),
        _ => Ok(What::Cat(paths)),
    })
}

/// Builds `find`.
///
/// # Errors
/// As [`list`]; there are several paths.
pub(crate) fn find(matches: &ArgMatches) -> Result<Command, Failure> {
    let FindWords { own, common } = words(matches)?;
    common.command(|paths| match <[PathBuf; 1]>::try_from(paths) {
        Ok([path]) => Ok(What::Find(own, path)),
        Err(none) if none.is_empty() => Ok(What::Find(own, PathBuf::new())),
        Err(_) => Err(Failure::usage("Usage: gocryptfs find CIPHERDIR [PATH]")),
    })
}

/// Builds `export`.
///
/// # Errors
/// As [`list`]; there is no destination, or there are several.
pub(crate) fn export(matches: &ArgMatches) -> Result<Command, Failure> {
    let ExportWords { own, common } = words(matches)?;
    common.command(|paths| match <[PathBuf; 1]>::try_from(paths) {
        Ok([to]) => Ok(What::Export(own, to)),
        Err(_) => Err(Failure::usage(
            "Usage: gocryptfs export [--tar] [--path SUB] CIPHERDIR DEST|-",
        )),
    })
}
