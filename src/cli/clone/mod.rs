//! `clone`: copies inside a mount that share their storage with the original, or fail.
//!
//! Invariant: everything is made under a temporary name beside its destination, which is thus
//! there as a whole or as it was before, whatever happens.

mod cloner;
mod place;
mod temporary;

use super::command::Command;
use super::exit::{ExitCode, Failure};
use super::interrupt::Interrupt;
use super::output::{Kind, Output};
use super::progress::{Counts, Display};
use crate::sys::{Errno, RenameFlags};
use clap::{ArgAction, ArgMatches, FromArgMatches, Parser};
use cloner::{Cloner, Totals};
use place::Place;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use temporary::Temporary;

/// What is said of files elsewhere.
const NO_MOUNT: &str = "is not inside a gocryptfs-rs mount";

/// What the verb takes.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs clone",
    about = "Copy files inside a mount so that the copies take no space of their own, or fail",
    override_usage = "gocryptfs clone [-r] SRC... DST",
    after_help = "Modes, times and extended attributes are copied too, and for root owners.\n\
                  The storage is shared until one of the copies changes. Where it cannot be\n\
                  shared, nothing is copied and DST stays as it is.\n\n\
                  A clone keeps the file ID of its original, so whoever sees the encrypted files\n\
                  can tell that one is a copy of the other, and whoever can change them can\n\
                  exchange blocks of the same number between the two unnoticed. The mount option\n\
                  -reflink=never makes every copy a file of its own; to make a clone one, copy it\n\
                  with cp --reflink=never and rename the copy over it.",
    disable_help_flag = true
)]
pub(crate) struct CloneOptions {
    /// Clone directories with all that is in them
    #[arg(long, visible_alias = "r")]
    recursive: bool,
    /// Only warnings and errors
    #[arg(long, visible_alias = "q")]
    quiet: bool,
    /// Show this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(value_parser = super::args::path(), hide = true)]
    paths: Vec<PathBuf>,
}

impl CloneOptions {
    /// Builds the command.
    ///
    /// # Errors
    /// Not enough paths.
    pub(crate) fn parsed(matches: &ArgMatches) -> Result<Command, Failure> {
        let options = Self::from_arg_matches(matches);
        let options = options.map_err(|error| Failure::usage(error.to_string()))?;
        if options.paths.len() < 2 {
            return Err(Failure::usage("Usage: gocryptfs clone [-r] SRC... DST"));
        }
        Ok(Command::Clone(options))
    }
}

/// Clones all sources.
///
/// # Errors
/// The first one that cannot be cloned; those before it have been.
pub(crate) fn run(options: &CloneOptions, out: &Output) -> Result<ExitCode, Failure> {
    let mut watch = Watch {
        interrupt: Interrupt::catch()?,
        display: Display::new("clone", out),
        done: Counts::default(),
    };
    let Some((destination, sources)) = options.paths.split_last() else {
        return Ok(ExitCode::Success);
    };
    let into_dir = destination.is_dir();
    if sources.len() > 1 && !into_dir {
        return Err(refused(destination, "is not a directory"));
    }
    let mut totals = Totals::default();
    for source in sources {
        let from = Place::of_source(source, options.recursive)?;
        let to = if into_dir {
            Place::inside(destination, &from)?
        } else {
            Place::new(destination)?
        };
        totals += clone(&from, &to, options.recursive, &mut watch)?;
    }
    drop(watch);
    out.write(Kind::Success, &totals.to_string());
    Ok(ExitCode::Success)
}

/// Whoever waits for the end: is shown how far it is, and may not want to wait any longer.
struct Watch {
    interrupt: Arc<Interrupt>,
    display: Display,
    done: Counts,
}

impl Watch {
    /// Between two steps.
    ///
    /// # Errors
    /// It is to end.
    fn look(&mut self) -> Result<(), Failure> {
        if self.interrupt.has_come() {
            return Err(Failure::interrupted());
        }
        self.display.tick(|| self.done);
        Ok(())
    }
}

/// Clones one object, in place of what has been there.
fn clone(from: &Place, to: &Place, recursive: bool, watch: &mut Watch) -> Result<Totals, Failure> {
    let source = from.stat()?;
    let is_dir = source.is_dir();
    if is_dir && !recursive {
        return Err(refused(&from.shown, "is a directory (-r clones it)"));
    }
    match to.dir.stat_at(&to.name) {
        Ok(old) if old.key == source.key => {
            return Err(refused(&to.shown, "is the file that is to be cloned"));
        }
        Ok(_) if is_dir => return Err(refused(&to.shown, "exists")),
        Ok(old) if old.is_dir() => return Err(refused(&to.shown, "is a directory")),
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(refused(&to.shown, errno)),
    }
    let temporary = Temporary::new(&to.dir);
    let cloner = Cloner::new(&to.dir, &from.shown, &to.shown, watch);
    let totals = cloner.clone_tree(&from.dir, &from.name, temporary.name())?;
    let flags = if is_dir {
        RenameFlags::NOREPLACE
    } else {
        RenameFlags::empty()
    };
    let renamed = to.dir.rename(temporary.name(), &to.dir, &to.name, flags);
    renamed.map_err(|errno| refused(&to.shown, errno))?;
    temporary.has_moved();
    Ok(totals)
}

/// A failure because of one file.
fn refused(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Other, format!("{}: {reason}", path.display()))
}
