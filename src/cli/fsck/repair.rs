//! The repair that follows a check: shows what would be done, asks, does it.

use super::json;
use super::options::FsckOptions;
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output::{self, Kind, Output};
use crate::cli::values::quoted;
use crate::fsck::Finding;
use crate::fsck::repair::{Action, Choices, KnownNames, Repair, Save, Step};
use crate::sys::{Dir, Errno};
use crate::vault::Vault;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Room for every list of names, bytes.
const NAMES_MAX: usize = 1 << 30;
/// Room for the list of mounts, bytes.
const MOUNTS_MAX: usize = 1 << 26;

/// Repairs what was found, or shows what would be done.
///
/// # Errors
/// What the repair needs is not there, or the volume is in use.
pub(super) fn run(
    options: &FsckOptions,
    vault: &Vault,
    findings: &[Finding],
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
    if options.args.dry_run || !may_begin(options, out)? {
        return Ok(ExitCode::FsckErrors);
    }
    let mut left = 0;
    for step in &steps {
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
    Ok(if left == 0 {
        ExitCode::Success
    } else {
        ExitCode::FsckErrors
    })
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
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let dir = Dir::open(parent.unwrap_or(Path::new(".")))?;
    dir.read_small(path.file_name().ok_or(Errno::ISDIR)?, NAMES_MAX)
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
    if path.starts_with(cipherdir) {
        return Err(Failure::usage("-save: not inside of CIPHERDIR"));
    }
    Ok(path)
}

/// Whether the user wants the repair, and nobody uses the volume.
fn may_begin(options: &FsckOptions, out: &Output) -> Result<bool, Failure> {
    if let Some(mountpoint) = mountpoint(&options.volume.cipherdir) {
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
    output::prompt("Repair? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Where the volume is mounted, as far as the list of mounts tells.
fn mountpoint(cipherdir: &Path) -> Option<PathBuf> {
    let process = Dir::open(Path::new("/proc/self")).ok()?;
    let mounts = process
        .read_small(OsStr::new("mountinfo"), MOUNTS_MAX)
        .ok()?;
    let mut lines = mounts.split(|byte| *byte == b'\n');
    lines.find_map(|line| mounted_from(line, cipherdir))
}

/// The mount point in a line of `/proc/self/mountinfo` (see `proc(5)`) about this volume.
fn mounted_from(line: &[u8], cipherdir: &Path) -> Option<PathBuf> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mountpoint = unescaped(fields.nth(4)?);
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let is_ours = fields.next()? == b"fuse.gocryptfs";
    let source = unescaped(fields.next()?);
    (is_ours && Path::new(&source) == cipherdir).then(|| mountpoint.into())
}

/// Blanks and the like are written as a backslash and three octal digits there.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| *first == b'\\');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    OsString::from_vec(bytes)
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
            &format!("fsck: what was changed or removed is saved in {path}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_the_volume_is_recognised() {
        let line = b"33 28 0:31 / /mnt/my\\040files rw shared:1 - fuse.gocryptfs /a\\040b rw";
        let mounted = |dir: &str| mounted_from(line, Path::new(dir));
        assert_eq!(mounted("/a b"), Some("/mnt/my files".into()));
        assert_eq!(mounted("/a"), None);
        assert_eq!(mounted_from(b"33 28", Path::new("/a")), None);
        let other = b"33 28 0:31 / /mnt rw - ext4 /a rw";
        assert_eq!(mounted_from(other, Path::new("/a")), None);
    }

    #[test]
    fn escapes_are_octal() {
        assert_eq!(unescaped(b"a\\134b\\011"), OsString::from("a\\b\t"));
        assert_eq!(unescaped(b"\\9"), OsStr::new("\\9"));
    }
}
