//! The only place that writes to the user: informational lines to stdout, warnings and errors to
//! stderr, and all of it to the system log once the process is in the background.
//!
//! A write that fails is not reported: there is nobody left to tell.

use super::exit::ExitCode;
use super::system_log::{Line, SystemLog};
use crate::sys::process;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What a line is, which decides where it goes and how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a developer wants to know.
    Debug,
    /// What a developer wants to know about the FUSE protocol.
    Trace,
    /// What was asked for, shown even with `-q`.
    Answer,
    /// What happens.
    Info,
    /// It worked.
    Success,
    /// Something to take note of, though nothing is wrong.
    Note,
    /// What to do next.
    Hint,
    /// How far it is.
    Progress,
    /// Something is wrong, and the run goes on.
    Warning,
    /// The run has failed.
    Fatal,
    /// What to do about that.
    Advice,
}

impl Kind {
    fn goes_to_stderr(self) -> bool {
        matches!(
            self,
            Self::Trace | Self::Progress | Self::Warning | Self::Fatal | Self::Advice
        )
    }

    fn is_silenced_by_quiet(self) -> bool {
        matches!(
            self,
            Self::Info | Self::Success | Self::Note | Self::Hint | Self::Progress
        )
    }

    /// The escape sequence (ECMA-48, SGR) that starts a line of this kind on a terminal.
    fn colour(self) -> Option<&'static str> {
        match self {
            Self::Success => Some("\x1b[32m"),
            Self::Note | Self::Warning => Some("\x1b[33m"),
            Self::Fatal => Some("\x1b[31m"),
            Self::Hint | Self::Progress | Self::Advice => Some("\x1b[2m"),
            Self::Debug | Self::Trace | Self::Answer | Self::Info => None,
        }
    }

    /// Severity of a line in the system log (RFC 3164, 4.1.1).
    fn severity(self) -> u8 {
        match self {
            Self::Fatal => 2,
            Self::Warning => 4,
            Self::Debug | Self::Trace => 7,
            _ => 6,
        }
    }
}

/// The way to the user; all clones are one.
#[derive(Clone)]
pub(crate) struct Output {
    quiet: bool,
    warnings_end: bool,
    colours: bool,
    log: Arc<Mutex<Option<SystemLog>>>,
}

impl Output {
    /// Writes to stdout and stderr, with colours if both are terminals and the user has not set
    /// `NO_COLOR` (see <https://no-color.org>). `warnings_end` ends the process at the first
    /// warning, for tests that look for one.
    pub(crate) fn new(quiet: bool, warnings_end: bool) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self {
            quiet,
            warnings_end,
            colours: terminal && std::env::var_os("NO_COLOR").is_none(),
            log: Arc::default(),
        }
    }

    /// Whether informational lines are dropped.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether informational lines are read on a terminal.
    pub(crate) fn reaches_a_terminal(&self) -> bool {
        !self.quiet && std::io::stdout().is_terminal()
    }

    /// From now on writes to the log of the system; into the void if there is none.
    pub(crate) fn switch_to_system_log(&self) {
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = SystemLog::open();
    }

    /// Writes `text`, which may be several lines.
    pub(crate) fn write(&self, kind: Kind, text: &str) {
        self.write_with(kind, text, &[]);
    }

    /// As [`Output::write`], with the same in pieces for a log that keeps them.
    pub(crate) fn write_with(&self, kind: Kind, text: &str, fields: &[(&'static str, String)]) {
        if self.quiet && kind.is_silenced_by_quiet() {
            return;
        }
        let severity = kind.severity();
        match &*self.log.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(log) => text.lines().for_each(|text| {
                log.send(&Line {
                    severity,
                    text,
                    fields,
                });
            }),
            None => self.show(kind, text),
        }
        if self.warnings_end && kind == Kind::Warning {
            process::quit(ExitCode::Panic.number());
        }
    }

    fn show(&self, kind: Kind, text: &str) {
        let line = match kind.colour() {
            Some(start) if self.colours => format!("{start}{text}\x1b[0m\n"),
            _ => format!("{text}\n"),
        };
        let _ = if kind.goes_to_stderr() {
            std::io::stderr().write_all(line.as_bytes())
        } else {
            let mut stdout = std::io::stdout();
            stdout
                .write_all(line.as_bytes())
                .and_then(|()| stdout.flush())
        };
    }

    /// Writes an informational line.
    pub(crate) fn info(&self, text: &str) {
        self.write(Kind::Info, text);
    }

    /// Writes a warning.
    pub(crate) fn warn(&self, text: &str) {
        self.write(Kind::Warning, text);
    }
}

/// The way to stdout for much text, which goes there when there is enough of it.
pub(crate) fn bulk() -> impl Write {
    std::io::BufWriter::new(std::io::stdout().lock())
}

/// Writes a prompt to stderr, without a newline and whatever the options say.
pub(crate) fn prompt(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_and_answers_pass_a_quiet_output() {
        let kinds = [Kind::Info, Kind::Success, Kind::Note, Kind::Hint];
        assert!(kinds.iter().all(|kind| kind.is_silenced_by_quiet()));
        let kinds = [Kind::Answer, Kind::Warning, Kind::Fatal, Kind::Advice];
        assert!(!kinds.iter().any(|kind| kind.is_silenced_by_quiet()));
    }
}
