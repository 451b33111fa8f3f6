//! `ls`, `cat`, `find` and `export`: a volume is read where it is. Nothing is mounted, so neither
//! `/dev/fuse` nor root is needed.
//!
//! What cannot be read is told on stderr with its path on disk and left out; the rest goes on.

pub(crate) mod args;
mod cat;
mod export;
mod faults;
mod find;
mod list;
mod screen;

use super::args::{FormatArgs, MessageArgs};
use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::keys::KeySource;
use super::output::Output;
use super::unlock;
use super::values::quoted;
use crate::format::{BadNames, Pattern};
use crate::reader::{self, Object};
use crate::sys::Errno;
use crate::vault::{Error, Vault};
use clap::Args;
use faults::Faults;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The options of `ls`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ListArgs {
    /// Show modes, owners, sizes and times too
    #[arg(long, visible_alias = "l")]
    long: bool,
    /// Show what is in directories too
    #[arg(long, visible_alias = "R")]
    recursive: bool,
}

/// The options of `find`.
#[derive(Args, Clone, Debug)]
pub(crate) struct FindArgs {
    /// Only names that match this
    #[arg(long, value_name = "GLOB", value_parser = pattern())]
    name: Option<Pattern>,
    /// Only files, directories or links
    #[arg(
        long = "type",
        value_name = "f|d|l",
        value_enum,
        hide_possible_values = true
    )]
    kind: Option<Wanted>,
}

/// What `find` shows.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Regular files
    F,
    /// Directories
    D,
    /// Symlinks
    L,
}

/// The options of `export`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ExportArgs {
    /// Make DEST an archive for tar(1)
    #[arg(long)]
    tar: bool,
    /// Only this file, or what is in this directory
    #[arg(long, value_name = "SUB", value_parser = super::args::path(), default_value = "", hide_default_value = true)]
    path: PathBuf,
}

/// A volume and what opens it.
#[derive(Debug)]
pub(crate) struct Source {
    volume: Volume,
    key: KeySource,
    /// The format of a volume that is opened without its configuration file.
    format: FormatArgs,
    /// Undecryptable names that are shown.
    bad_names: BadNames,
}

/// What to do with it; paths are plain ones inside the volume.
#[derive(Debug)]
pub(crate) enum What {
    List(ListArgs, Vec<PathBuf>),
    Cat(Vec<PathBuf>),
    Find(FindArgs, PathBuf),
    /// The last one is the destination.
    Export(ExportArgs, PathBuf),
}

/// One run of a verb.
#[derive(Debug)]
pub(crate) struct DirectOptions {
    source: Source,
    what: What,
    messages: MessageArgs,
}

/// Reads a volume.
///
/// # Errors
/// The volume cannot be opened; there is no such path; what is read cannot be written. What is
/// wrong inside is an exit code.
pub(crate) fn run(options: &DirectOptions) -> Result<ExitCode, Failure> {
    let DirectOptions {
        source,
        what,
        messages,
    } = options;
    // Nothing but what was asked for goes to stdout.
    let out = Output::new(true, messages.wpanic);
    let mut faults = Faults::new(&out);
    match what {
        What::List(args, paths) => list::run(args, paths, &source.open(&out)?, &mut faults),
        What::Cat(paths) => cat::run(paths, &source.open(&out)?, &mut faults),
        What::Find(args, path) => find::run(args, path, &source.open(&out)?, &mut faults),
        What::Export(args, to) => export::run(source, args, to, messages, &mut faults),
    }?;
    Ok(faults.conclude(&source.volume.cipherdir))
}

impl Source {
    fn open(&self, out: &Output) -> Result<Vault, Failure> {
        self.volume.announce(out);
        unlock::open_vault(&self.volume, &self.key, &self.format, &self.bad_names, out)
    }
}

/// Finds what is at a path. `None` if something on the way is damaged, which has been told.
///
/// # Errors
/// There is no such path.
fn locate(
    vault: &Vault,
    path: &Path,
    follow: bool,
    faults: &mut Faults<'_>,
) -> Result<Option<Object>, Failure> {
    let fault = match reader::find(vault, path, follow) {
        Ok(object) => return Ok(Some(object)),
        Err(fault) => fault,
    };
    if !fault.cause.is_absence() {
        faults.tell(&fault);
        return Ok(None);
    }
    let cause = match fault.cause {
        reader::Cause::Vault(Error::Os(Errno::XDEV)) => "it leads out of the volume".to_owned(),
        cause => cause.to_string(),
    };
    Err(Failure::usage(format!("{}: {cause}", quoted(path))))
}

/// The parser for patterns.
fn pattern() -> impl clap::builder::TypedValueParser<Value = Pattern> {
    use clap::builder::{OsStringValueParser, TypedValueParser};
    let parse = |text: OsString| Pattern::parse(&text).ok_or("not a pattern");
    OsStringValueParser::new().try_map(parse)
}
