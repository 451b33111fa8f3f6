//! Passwords: from the terminal, a line of stdin, the output of a program, files, or a token.
//!
//! Every copy of a password is wiped, and none is longer than [`LEN_MAX`] bytes.

mod extpass;
pub(crate) mod fido2;
mod line;
mod passfile;
mod terminal;

use super::exit::{ExitCode, Failure};
use super::keys::PasswordSource;
use super::output::Output;
use super::values::quoted;
use crate::crypto::Password;
use line::Line;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;

/// Most bytes that a password may have.
const LEN_MAX: usize = 2048;

/// What a password is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To open a volume.
    Open,
    /// To become the password of a volume; somebody who types it types it twice.
    Choose,
}

/// Reads a password from where the options say.
///
/// # Errors
/// There is none, it is empty or too long.
pub(crate) fn read(
    source: &PasswordSource,
    purpose: Purpose,
    out: &Output,
) -> Result<Password, Failure> {
    match source {
        PasswordSource::Files(paths) => passfile::read(paths, out),
        PasswordSource::Program(words) => extpass::read(words, out),
        PasswordSource::Console if std::io::stdin().is_terminal() => ask(purpose),
        PasswordSource::Console => from_stdin("Password", out),
    }
}

/// Reads the digits of a master key from stdin or the terminal.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_master_key(out: &Output) -> Result<Password, Failure> {
    if std::io::stdin().is_terminal() {
        terminal::ask("Masterkey: ")
    } else {
        from_stdin("Masterkey", out)
    }
}

fn ask(purpose: Purpose) -> Result<Password, Failure> {
    let first = terminal::ask("Password: ")?;
    if purpose == Purpose::Choose {
        let second = terminal::ask("Repeat: ")?;
        if first.expose() != second.expose() {
            return Err(failure("passwords do not match"));
        }
    }
    if first.is_empty() {
        return Err(failure("password is empty"));
    }
    Ok(first)
}

/// Reads one line and leaves the rest for whoever reads next.
fn from_stdin(what: &str, out: &Output) -> Result<Password, Failure> {
    let stdin = std::io::stdin();
    let source = std::fs::read_link("/proc/self/fd/0");
    let source = source.map_or_else(|_| String::new(), quoted);
    out.info(&format!(
        "Reading {what} from stdin (connected to {source})"
    ));
    let line = Line::read(stdin).map_err(|error| {
        failure(format!(
            "could not read {} from stdin: {error}",
            what.to_lowercase()
        ))
    })?;
    let password = line.password()?;
    if password.is_empty() {
        return Err(failure(format!("got empty {what} from stdin")));
    }
    Ok(password)
}

/// Waits for a program. Returns what there is to say about its end, if it is a failure.
fn end_of(mut child: Child) -> std::io::Result<Option<String>> {
    let status = child.wait()?;
    if status.success() {
        return Ok(None);
    }
    Ok(Some(match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }))
}

fn failure(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::ReadPassword, message)
}
