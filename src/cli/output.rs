//! The only place that writes to the user: informational lines to stdout, warnings and errors to
//! stderr, and all of it to the system log once the process is in the background.
//!
//! A write that fails is not reported: there is nobody left to tell.

use super::exit::ExitCode;
use crate::sys::process;
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixDatagram;
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

    /// Priority of a line in the system log: facility "user" (RFC 3164, 4.1.1) and a severity.
    fn priority(self) -> u8 {
        let severity = match self {
            Self::Fatal => 2,
            Self::Warning => 4,
            Self::Debug | Self::Trace => 7,
            _ => 6,
        };
        8 + severity
    }
}

/// The way to the user; all clones are one.
#[derive(Clone)]
pub(crate) struct Output {
    quiet: bool,
    warnings_end: bool,
    colours: bool,
    syslog: Arc<Mutex<Option<UnixDatagram>>>,
}

/// Where a system log or journal listens.
const SYSLOG_SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

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
            syslog: Arc::default(),
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

    /// From now on writes to the system log; into the void if there is none.
    pub(crate) fn switch_to_syslog(&self) {
        let socket = UnixDatagram::unbound();
        // A log that is slow to read must not hold up the file system.
        let socket = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        if let Ok(socket) = socket {
            *self.syslog.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket);
        }
    }

    /// Writes `text`, which may be several lines.
    pub(crate) fn write(&self, kind: Kind, text: &str) {
        if self.quiet && kind.is_silenced_by_quiet() {
            return;
        }
        match &*self.syslog.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(socket) => text.lines().for_each(|line| send(socket, kind, line)),
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

/// Sends a line in the form of RFC 3164, without the time: the receiver stamps it.
fn send(socket: &UnixDatagram, kind: Kind, line: &str) {
    let (priority, pid) = (kind.priority(), std::process::id());
    let datagram = format!("<{priority}>gocryptfs[{pid}]: {line}");
    let sent = |path: &&str| socket.send_to(datagram.as_bytes(), path).is_ok();
    SYSLOG_SOCKETS.iter().find(|path| sent(path));
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

    #[test]
    fn the_priority_names_the_user_facility() {
        assert_eq!(Kind::Info.priority(), 14);
        assert_eq!(Kind::Warning.priority(), 12);
        assert_eq!(Kind::Fatal.priority(), 10);
        assert_eq!(Kind::Debug.priority(), 15);
    }
}
