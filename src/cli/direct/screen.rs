//! Names and lines on stdout. A terminal gets no control characters that somebody has put into a
//! name; programs get names as they are.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output;
use crate::cli::values::quoted;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;

/// Stdout.
pub(super) struct Screen<W> {
    to: W,
    is_terminal: bool,
}

/// Stdout for many lines.
pub(super) fn screen() -> Screen<impl Write> {
    Screen {
        to: output::bulk(),
        is_terminal: io::stdout().is_terminal(),
    }
}

impl<W: Write> Screen<W> {
    /// Writes a line that has a name in it.
    pub(super) fn line(&mut self, before: &str, name: &OsStr, after: &str) -> Result<(), Failure> {
        let shown;
        let name = if self.is_terminal && has_control(name) {
            shown = quoted(name);
            shown.as_bytes()
        } else {
            name.as_bytes()
        };
        let parts = [before.as_bytes(), name, after.as_bytes(), b"\n"];
        written(parts.iter().try_for_each(|part| self.to.write_all(part)))
    }

    /// Makes sure that all has been written.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        written(self.to.flush())
    }
}

fn has_control(name: &OsStr) -> bool {
    name.to_str()
        .is_none_or(|name| name.contains(char::is_control))
}

/// The result of a write to stdout. If nobody reads any more, there is nobody to be told.
pub(super) fn written<T>(result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(ExitCode::Other, ""),
        _ => Failure::new(ExitCode::Other, format!("Cannot write to stdout: {error}")),
    })
}
