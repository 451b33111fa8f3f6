//! `-fsck` and `fsck`: unlocks the volume, has it checked, tells what was found and how far it is.

mod checkpoint;
mod json;
mod mounted;
mod options;
mod repair;
mod text;

pub(crate) use options::{FsckArgs, FsckOptions};

use super::exit::{ExitCode, Failure};
use super::interrupt::Interrupt;
use super::output::{Kind, Output};
use super::progress::{Counts, Display, TICK, Total};
use super::values::quoted;
use super::{paths, unlock};
use crate::fsck::{Check, Finding, Options, Start, Totals};
use crate::vault::Vault;
use checkpoint::CheckpointFile;
use serde_json::Value;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

/// More threads than this do not make a disk faster.
const THREADS_MAX: usize = 16;

/// Checks a volume.
///
/// # Errors
/// The volume cannot be unlocked. What is wrong inside is an exit code.
pub(crate) fn run(options: &FsckOptions) -> Result<ExitCode, Failure> {
    // What programs read is not mixed with anything else.
    let messages = &options.messages;
    let out = &Output::new(messages.quiet || options.args.json, messages.wpanic);
    options.volume.announce(out);
    out.info("Checking filesystem...");
    let vault = unlock::open_vault(
        &options.volume,
        &options.key,
        &options.format,
        &options.bad_names,
        out,
    )?;
    let mut checkpoint = match &options.args.resume {
        Some(path) => Some(CheckpointFile::open(path, &vault)?),
        None => None,
    };
    let check = Check::new(
        &vault,
        Options {
            threads: threads(),
            clones: options.args.verbose,
            starts: starts(options, &vault)?,
            resume: checkpoint.as_mut().and_then(CheckpointFile::take_state),
        },
    );
    let mut telling = Telling {
        options,
        out,
        checkpoint,
        findings: Vec::new(),
    };
    telling.repeat();
    let interrupt = Interrupt::catch()?;
    let totals = watch(&check, &mut telling, &interrupt)?;
    let code = telling.conclude(&check, &totals)?;
    if telling.findings.is_empty() || check.is_stopped() {
        return Ok(code);
    }
    repair::run(options, &vault, &telling.findings, &interrupt, out)
}

fn threads() -> NonZeroUsize {
    let most = NonZeroUsize::new(THREADS_MAX).unwrap_or(NonZeroUsize::MIN);
    thread::available_parallelism().map_or(NonZeroUsize::MIN, |threads| threads.min(most))
}

fn starts(options: &FsckOptions, vault: &Vault) -> Result<Vec<Start>, Failure> {
    let cipherdir = &options.volume.cipherdir;
    let find = |path: &PathBuf| {
        Start::find(vault, inside(path, cipherdir)).or_else(|error| {
            // It may have been completed by a shell.
            let absolute = paths::absolute(path)?;
            let found = absolute.starts_with(cipherdir);
            let found = found.then(|| Start::find(vault, inside(&absolute, cipherdir)).ok());
            let message = || Failure::usage(format!("{}: {error}", quoted(path)));
            found.flatten().ok_or_else(message)
        })
    };
    options.paths.iter().map(find).collect()
}

/// A path as it is inside the volume: CIPHERDIR in front of it is dropped.
fn inside<'a>(path: &'a Path, cipherdir: &Path) -> &'a Path {
    let inside = path.strip_prefix(cipherdir).unwrap_or(path);
    let mut components = inside.components();
    while let Some(Component::RootDir | Component::CurDir) = components.clone().next() {
        components.next();
    }
    components.as_path()
}

/// Findings that wait for being told at most; then the check waits.
const UNTOLD: usize = 1024;

/// Runs a check, and tells what happens meanwhile.
fn watch(
    check: &Check<'_>,
    telling: &mut Telling<'_>,
    interrupt: &Interrupt,
) -> Result<Totals, Failure> {
    let (sender, findings) = mpsc::sync_channel(UNTOLD);
    let messages = &telling.options.messages;
    let display = Display::new("fsck", &Output::new(messages.quiet, messages.wpanic));
    thread::scope(|scope| {
        let working = scope.spawn(move || {
            check.run(&|finding| {
                // It fails only when nobody listens any more.
                let _ = sender.send(finding);
            })
        });
        if display.wants_total() {
            scope.spawn(|| check.count());
        }
        let told = attend(findings, check, display, telling, interrupt);
        if told.is_err() {
            check.stop();
        }
        let totals = working.join();
        told?;
        totals.map_err(|_| Failure::new(ExitCode::Other, "fsck: the check has failed"))
    })
}

fn counts(check: &Check<'_>) -> Counts {
    let progress = check.progress();
    Counts {
        files: progress.files(),
        bytes: progress.bytes(),
        total: progress
            .total()
            .map_or(Total::Counting, |(files, bytes)| Total::Known(files, bytes)),
    }
}

/// Tells what happens until the check has ended.
#[allow(
    clippy::needless_pass_by_value,
    reason = "dropped in the end, so that no thread waits for room in it"
)]
fn attend(
    findings: Receiver<Finding>,
    check: &Check<'_>,
    mut display: Display,
    telling: &mut Telling<'_>,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    loop {
        match findings.recv_timeout(TICK) {
            Ok(finding) => display.suspend(|| telling.tell(finding))?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if interrupt.has_come() && !check.is_stopped() {
            check.stop();
        }
        display.update(&counts(check));
        telling.keep_checkpoint(check)?;
    }
}

/// What the user is told of a check, and what is kept of it.
struct Telling<'a> {
    options: &'a FsckOptions,
    out: &'a Output,
    checkpoint: Option<CheckpointFile>,
    /// What has been found, if a repair is to follow.
    findings: Vec<Finding>,
}

impl Telling<'_> {
    fn tell(&mut self, finding: Finding) -> Result<(), Failure> {
        let (text, json) = (text::finding(&finding), json::finding(&finding));
        let is_new = match &mut self.checkpoint {
            Some(file) => file.note(&text, &json)?,
            None => true,
        };
        if is_new {
            self.write(&text, &json);
        }
        if self.options.wants_repair() {
            self.findings.push(finding);
        }
        Ok(())
    }

    /// Tells again what was found before the check was interrupted.
    fn repeat(&self) {
        let before = self.checkpoint.iter().flat_map(CheckpointFile::findings);
        before.for_each(|(text, json)| self.write(text, json));
    }

    fn write(&self, text: &str, json: &Value) {
        if self.options.args.json {
            self.out.write(Kind::Answer, &json.to_string());
        } else {
            self.out.write(Kind::Answer, text);
        }
    }

    fn keep_checkpoint(&mut self, check: &Check<'_>) -> Result<(), Failure> {
        match &mut self.checkpoint {
            Some(file) if file.is_due() => file.save(&check.checkpoint()),
            _ => Ok(()),
        }
    }

    /// Tells how the check ended.
    fn conclude(&mut self, check: &Check<'_>, totals: &Totals) -> Result<ExitCode, Failure> {
        let is_clean = totals.damaged == 0 && totals.skipped == 0;
        let (code, word) = match (check.is_stopped(), is_clean) {
            (true, _) => (ExitCode::Other, "aborted"),
            (false, true) => (ExitCode::Success, "clean"),
            (false, false) => (ExitCode::FsckErrors, "damaged"),
        };
        if let Some(file) = &mut self.checkpoint {
            if check.is_stopped() {
                file.save(&check.checkpoint())?;
            } else {
                file.remove()?;
            }
        }
        if self.options.args.json {
            let summary = json::summary(word, totals);
            self.out.write(Kind::Answer, &summary.to_string());
        } else {
            self.summary(check.is_stopped(), is_clean, totals);
        }
        Ok(code)
    }

    fn summary(&self, is_stopped: bool, is_clean: bool, totals: &Totals) {
        let Totals {
            damaged, skipped, ..
        } = totals;
        if is_stopped {
            self.out.info("fsck: aborted");
            if let Some(path) = &self.options.args.resume {
                let path = path.display();
                self.out
                    .write(Kind::Hint, &format!("Go on with: fsck --resume {path}"));
            }
            return;
        }
        if is_clean {
            let text = "fsck summary: no problems found";
            return self.out.write(Kind::Success, text);
        }
        if *skipped > 0 {
            let text = "fsck: re-run this program as root to check all files!";
            self.out.warn(text);
        }
        let text = format!("fsck summary: {damaged} corrupt files, {skipped} files skipped");
        self.out.write(Kind::Answer, &text);
    }
}
