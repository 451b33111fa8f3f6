//! `export`: everything in a volume, or a part of it, as a tree of plain files or an archive.
//!
//! Invariant: what is there is not overwritten, and nothing is made outside of the destination:
//! names have no slashes, and a tree is made by names in open directories. A file is there as a
//! whole or not at all.

mod archive;
mod header;
mod tree;
mod watch;

use super::faults::Faults;
use super::{ExportArgs, Source, locate};
use crate::cli::args::MessageArgs;
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output::{Kind as Line, Output};
use crate::cli::values::quoted;
use crate::fsck::{Check, Options, Start};
use crate::reader::{Attribute, Cause, Content, Object, Order, Step, Stop, Walk};
use crate::sys::{FileKey, Kind};
use crate::vault::Vault;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use watch::Watch;

/// Where an export goes.
trait Target {
    /// Begins a directory. What comes next is in it, until it is left.
    fn enter(&mut self, item: &Item) -> Result<(), Refusal>;
    /// Ends the directory that was begun last.
    fn leave(&mut self, item: &Item) -> Result<(), Refusal>;
    /// Makes another name for what is at the path `first`.
    fn link(&mut self, item: &Item, first: &Path) -> Result<(), Refusal>;
    fn symlink(&mut self, item: &Item, target: &[u8]) -> Result<(), Refusal>;
    /// Makes a file of another type, which has no content.
    fn special(&mut self, item: &Item) -> Result<(), Refusal>;
    fn file(
        &mut self,
        item: &Item,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal>;
    /// Completes the export.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// An object on its way.
struct Item {
    /// Path in the destination; empty for the destination itself.
    path: PathBuf,
    object: Object,
    attributes: Vec<Attribute>,
}

/// Why an object does not arrive as it is.
enum Refusal {
    /// It cannot be read.
    Cause(Cause),
    /// It cannot be made; the words go before and behind its path.
    Unkept(&'static str, String),
    /// Nothing more can be exported.
    End(Failure),
}

impl From<Stop<Failure>> for Refusal {
    fn from(stop: Stop<Failure>) -> Refusal {
        match stop {
            Stop::Cause(cause) => Refusal::Cause(cause),
            Stop::Caller(failure) => Refusal::End(failure),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::End(failure)
    }
}

/// Exports to `to`.
///
/// # Errors
/// The destination cannot be used, or is full.
pub(super) fn run(
    source: &Source,
    args: &ExportArgs,
    to: &Path,
    messages: &MessageArgs,
    faults: &mut Faults<'_>,
) -> Result<(), Failure> {
    let is_stdout = to == Path::new("-");
    let is_archive = args.tar || is_stdout;
    if is_stdout {
        archive::check_stdout()?;
    }
    let out = Output::new(messages.quiet, messages.wpanic);
    let vault = source.open(&Output::new(messages.quiet || is_stdout, messages.wpanic))?;
    let Some(start) = locate(&vault, &args.path, true, faults)? else {
        return Ok(());
    };
    let mut watch = Watch::new(&out, is_stdout)?;
    let mut target: Box<dyn Target> = match (is_stdout, is_archive) {
        (true, _) => Box::new(archive::Archive::stdout()),
        (false, true) => Box::new(archive::Archive::at(to)?),
        (false, false) => Box::new(tree::Tree::at(to)?),
    };
    let check = counting(&vault, &start)?;
    thread::scope(|scope| {
        if watch.wants_total() {
            scope.spawn(|| check.count());
            watch.follow(check.progress());
        }
        let mut export = Export {
            vault: &vault,
            target: &mut *target,
            faults,
            watch: &mut watch,
            links: HashMap::new(),
        };
        let done = export.run(start);
        check.stop();
        done
    })?;
    let summary = watch.summary();
    if !is_stdout {
        out.write(Line::Success, &summary);
    }
    Ok(())
}

/// What counts how much there is in all.
fn counting<'a>(vault: &'a Vault, start: &Object) -> Result<Check<'a>, Failure> {
    let mut starts = Vec::new();
    if start.disk != Path::new("") {
        let found = Start::find(vault, &start.disk);
        let found = found.map_err(|error| Failure::new(ExitCode::Other, error.to_string()));
        starts.push(found?);
    }
    Ok(Check::new(
        vault,
        Options {
            threads: NonZeroUsize::MIN,
            clones: false,
            starts,
            resume: None,
        },
    ))
}

/// An export that is going on.
struct Export<'a, 'b, 'c> {
    vault: &'a Vault,
    target: &'a mut dyn Target,
    faults: &'a mut Faults<'b>,
    watch: &'a mut Watch<'c>,
    /// Where files with several names are.
    links: HashMap<FileKey, PathBuf>,
}

impl Export<'_, '_, '_> {
    fn run(&mut self, start: Object) -> Result<(), Failure> {
        // The path of a directory in the destination is without what is above it in the volume; a
        // file arrives under its name.
        let above = match start.kind() {
            Kind::Dir => start.plain.clone(),
            _ => start.plain.parent().unwrap_or(Path::new("")).to_owned(),
        };
        let mut open: Vec<Item> = Vec::new();
        // How many directories have been entered that cannot be made.
        let mut missing = 0_u32;
        for step in Walk::new(self.vault, start, Order::Inodes) {
            self.watch.look()?;
            match step {
                Step::Fault(fault) => self.watch.suspend(|| self.faults.tell(&fault)),
                Step::Enter(_) if missing > 0 => missing += 1,
                Step::Leave(_) if missing > 0 => missing -= 1,
                Step::Other(_) if missing > 0 => {}
                Step::Enter(object) => {
                    let item = self.item(object, &above);
                    let entered = self.target.enter(&item);
                    if self.settle(&item, entered)? {
                        open.push(item);
                    } else {
                        missing = 1;
                    }
                }
                Step::Leave(_) => {
                    if let Some(item) = open.pop() {
                        let left = self.target.leave(&item);
                        self.settle(&item, left)?;
                    }
                }
                Step::Other(object) => {
                    let item = self.item(object, &above);
                    let made = self.object(&item);
                    self.settle(&item, made)?;
                }
            }
        }
        self.target.finish()
    }

    fn item(&mut self, object: Object, above: &Path) -> Item {
        let path = object.plain.strip_prefix(above).unwrap_or(&object.plain);
        let (watch, faults) = (&*self.watch, &mut *self.faults);
        let attributes = object.attributes(self.vault, &mut |fault| {
            watch.suspend(|| faults.tell(&fault));
        });
        Item {
            path: path.to_owned(),
            object,
            attributes,
        }
    }

    fn object(&mut self, item: &Item) -> Result<(), Refusal> {
        let Item { object, path, .. } = item;
        let stat = &object.stat;
        if let Some(first) = self.links.get(&stat.key) {
            return self.target.link(item, first);
        }
        match object.kind() {
            Kind::File => {
                let content = Content::open(self.vault, object).map_err(Refusal::Cause)?;
                self.target.file(item, &content, self.watch)?;
                self.watch.add_file();
            }
            Kind::Symlink => {
                let target = object.target(self.vault);
                let target = target.map_err(|error| Refusal::Cause(error.into()))?;
                self.target.symlink(item, &target)?;
            }
            _ => self.target.special(item)?,
        }
        if stat.nlink > 1 {
            self.links.insert(stat.key, path.clone());
        }
        Ok(())
    }

    /// Tells what went wrong with an object. Whether it is there.
    fn settle(&mut self, item: &Item, done: Result<(), Refusal>) -> Result<bool, Failure> {
        let Err(refusal) = done else {
            return Ok(true);
        };
        let faults = &mut *self.faults;
        match refusal {
            Refusal::End(failure) => return Err(failure),
            Refusal::Cause(cause) => {
                let fault = item.object.fault(cause);
                self.watch.suspend(|| faults.tell(&fault));
            }
            Refusal::Unkept(what, reason) => {
                let path = &item.object.plain;
                self.watch
                    .suspend(|| faults.tell_unkept(path, what, reason));
            }
        }
        Ok(false)
    }
}

/// The failure to use a destination.
fn unusable(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(ExitCode::Other, format!("{}: {reason}", quoted(path)))
}
