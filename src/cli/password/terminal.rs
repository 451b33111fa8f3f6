//! The terminal: a prompt, and a line that is not shown while it is typed.
//!
//! Whatever ends or stops the process at the prompt, the terminal shows what is typed again.

use super::{failure, line::Line};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::crypto::Password;
use crate::sys::signal::{Held, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{Stdin, stdin};

/// What ends or stops a process when it comes from the keyboard or from the system.
const ENDS: [Signal; 5] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::TSTP,
];

/// Asks for a line at the terminal that is stdin.
pub(super) fn ask(prompt: &str) -> Result<Password, Failure> {
    loop {
        output::prompt(prompt);
        let line = hidden_line();
        output::prompt("\n");
        let line = line.map_err(|errno| failure(format!("could not read password: {errno}")));
        if let Some(line) = line? {
            return line.password();
        }
        // The process was stopped and goes on.
    }
}

/// Reads a line without showing it. `None` if a signal came first and did not end the process.
fn hidden_line() -> Result<Option<Line>, Errno> {
    let stdin = stdin();
    let held = Held::new(&ENDS)?;
    let hidden = Hidden::new(&stdin)?;
    let line = line_unless(&stdin, &held)?;
    drop(hidden);
    // A signal takes effect here.
    drop(held);
    Ok(line)
}

/// Reads a line, or `None` as soon as `held` is readable.
fn line_unless(from: &Stdin, held: &Held) -> Result<Option<Line>, Errno> {
    let mut line = Line::empty();
    loop {
        let mut sources = [
            PollFd::new(from, PollFlags::IN),
            PollFd::new(held, PollFlags::IN),
        ];
        retry_on_intr(|| poll(&mut sources, None))?;
        if !sources[1].revents().is_empty() {
            return Ok(None);
        }
        if !line.take_byte(from)? {
            return Ok(Some(line));
        }
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'a> {
    terminal: &'a Stdin,
    shown: Termios,
}

impl<'a> Hidden<'a> {
    fn new(terminal: &'a Stdin) -> Result<Self, Errno> {
        let shown = tcgetattr(terminal)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden
            .local_modes
            .insert(LocalModes::ICANON | LocalModes::ISIG);
        retry_on_intr(|| tcsetattr(terminal, OptionalActions::Now, &hidden))?;
        Ok(Self { terminal, shown })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = retry_on_intr(|| tcsetattr(self.terminal, OptionalActions::Now, &self.shown));
    }
}
