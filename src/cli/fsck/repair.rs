//! The repair that follows a check: shows what would be done, asks, does it.

use super::options::FsckOptions;
use super::{json, mounted};
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::output::{Kind, Output};
use crate::cli::values::quoted;
use crate::fsck::Finding;
use crate::fsck::repair::{Action, Choices, KnownNames, Repair, Save, Step};
use crate::sys::{Dir, Errno};
use crate::vault::Vault;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Room for every list of names, bytes.
const NAMES_MAX: usize = 1 << 30;

/// Repairs what was found, or shows what would be done.
///
/// # Errors
/// What the repair needs is not there, or the volume is in use.
pub(super) fn run(
    options: &FsckOptions,
    vault: &Vault,
    findings: &[Finding],
    interrupt: &Interrupt,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let choices = choices(options)?;
    let save = Save::new(&save_path(options)?);
    let repair = Repair::new(vault, &choices, save);
    let steps = repair.plan(findings);
    if steps.is_empty() {
        return Ok(ExitCode::Success);
    }
    for step in &steps {
        tell(options, step, "planned", None, out);
    }
    let begins = !options.args.dry_run && may_begin(options, vault, interrupt, out)?;
    if !begins {
        return Ok(ending(interrupt, false, out));
    }
    let mut left = 0;
    for (at, step) in steps.iter().enumerate() {
        if interrupt.has_come() {
            left += steps.len() - at;
            break;
        }
        let taken = repair.take(step);
        let is_left = taken.is_err() || step.action == Action::None;
        left += usize::from(is_left);
        let (state, error) = match &taken {
            _ if step.action == Action::None => ("left", None),
            Ok(()) => ("done", None),
            Err(error) => ("failed", Some(error.to_string())),
        };
        tell(options, step, state, error.as_deref(), out);
    }
    conclude(options, &repair, steps.len() - left, left, out);
    Ok(ending(interrupt, left == 0, out))
}

/// How the program ends when nothing more is done.
fn ending(interrupt: &Interrupt, is_clean: bool, out: &Output) -> ExitCode {
    if interrupt.has_come() {
        out.info("fsck: aborted");
        return ExitCode::Other;
    }
    if is_clean {
        ExitCode::Success
    } else {
        ExitCode::FsckErrors
    }
}

fn choices(options: &FsckOptions) -> Result<Choices, Failure> {
    let args = &options.args;
    let failed = |path: &Path, errno: Errno| {
        Failure::new(ExitCode::Other, format!("{}: {errno}", quoted(path)))
    };
    let names = match &args.names {
        Some(path) => read(path).map_err(|errno| failed(path, errno))?,
        None => Vec::new(),
    };
    let backup = match &args.backup {
        Some(path) => Some(Dir::open(path).map_err(|errno| failed(path, errno))?),
        None => None,
    };
    Ok(Choices {
        bad_blocks: args.bad_blocks.into(),
        names: KnownNames::parse(&names),
        backup,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Errno> {
    let (dir, name) = Dir::open_above(path)?;
    dir.read_small(&name, NAMES_MAX)
}

/// Where originals go: beside CIPHERDIR, if the user does not say.
fn save_path(options: &FsckOptions) -> Result<PathBuf, Failure> {
    let cipherdir = &options.volume.cipherdir;
    let path = match (&options.args.save, cipherdir.file_name()) {
        (Some(path), _) => crate::cli::paths::absolute(path)?,
        (None, Some(name)) => {
            let mut name = name.to_owned();
            name.push(".fsck-saved");
            cipherdir.with_file_name(name)
        }
        (None, None) => return Err(Failure::usage("-repair needs -save DIR here")),
    };
    if real(&path).starts_with(real(cipherdir)) {
        return Err(Failure::usage("-save: not inside of CIPHERDIR"));
    }
    Ok(path)
}

/// A path without symlinks, as far as it exists.
fn real(path: &Path) -> PathBuf {
    match (std::fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}

/// Whether the user wants the repair, and nobody uses the volume.
fn may_begin(
    options: &FsckOptions,
    vault: &Vault,
    interrupt: &Interrupt,
    out: &Output,
) -> Result<bool, Failure> {
    if let Some(mountpoint) = mounted::mountpoint(vault) {
        let message = format!("fsck: the volume is mounted at {}", quoted(mountpoint));
        return Err(Failure::new(ExitCode::Other, message));
    }
    if options.args.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        out.warn("fsck: nothing has been changed; -yes repairs without asking");
        return Ok(false);
    }
    let answer = interrupt.ask("Repair? [y/N] ").unwrap_or_default();
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Tells about a step: `state` is `planned`, `done`, `left` or `failed`.
fn tell(options: &FsckOptions, step: &Step, state: &str, error: Option<&str>, out: &Output) {
    if options.args.json {
        let object = json::step(step, state, error);
        return out.write(Kind::Answer, &object.to_string());
    }
    let name = quoted(step.plain.as_ref().unwrap_or(&step.path));
    match (state, error) {
        (_, Some(error)) => out.warn(&format!(
            "fsck: cannot mend {name}: {}: {error}",
            step.action
        )),
        ("planned", _) => out.write(
            Kind::Answer,
            &format!("fsck repair: {name}: {}", step.action),
        ),
        _ => {}
    }
}

fn conclude(options: &FsckOptions, repair: &Repair<'_>, done: usize, left: usize, out: &Output) {
    let saved = repair.saved_to();
    if options.args.json {
        let object = json::repaired(done, left, saved);
        return out.write(Kind::Answer, &object.to_string());
    }
    out.write(
        Kind::Answer,
        &format!("fsck: {done} repairs made, {left} problems left"),
    );
    if let Some(path) = saved {
        let path = quoted(path);
        out.write(
            Kind::Answer,
            &format!("fsck: originals, and where things were, are saved in {path}"),
        );
    }
}
