//! Signals that end long work. They do not end the process: what has been begun is put in order.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output;
use crate::sys::process;
use crate::sys::signal::{self, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use std::io::{PipeReader, Write, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const ENDS: [Signal; 2] = [Signal::INT, Signal::TERM];

/// Whether somebody wants an end.
pub(crate) struct Interrupt {
    has_come: AtomicBool,
    /// Readable from then on.
    arrived: PipeReader,
}

/// From now on a signal ends the process at once, with the exit code of what was interrupted. For
/// work that may have to wait for somebody and leaves nothing to be put in order.
pub(crate) fn quit_on_signals() -> Result<(), Failure> {
    block()?;
    thread::spawn(|| {
        if signal::wait(&ENDS).is_ok() {
            process::quit(ExitCode::Signal.number());
        }
    });
    Ok(())
}

fn block() -> Result<(), Failure> {
    let blocked = signal::block(&ENDS);
    blocked.map_err(|errno| Failure::new(ExitCode::Other, errno.to_string()))
}

impl Interrupt {
    /// Keeps signals from ending the process from now on. To be called before there are other
    /// threads.
    pub(crate) fn catch() -> Result<Arc<Self>, Failure> {
        block()?;
        let pipe = std::io::pipe();
        let (arrived, mut tell) =
            pipe.map_err(|error| Failure::new(ExitCode::Other, error.to_string()))?;
        let interrupt = Arc::new(Self {
            has_come: AtomicBool::new(false),
            arrived,
        });
        let told = Arc::clone(&interrupt);
        // Nobody waits for this thread: it ends with the process.
        thread::spawn(move || {
            while signal::wait(&ENDS).is_ok() {
                told.has_come.store(true, Ordering::Relaxed);
                // A pipe that is full is readable as well.
                let _ = tell.write_all(&[0]);
            }
        });
        Ok(interrupt)
    }

    /// Whether a signal has come.
    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    /// Asks at the terminal that is stdin. `None` if a signal comes first, or nothing more.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        output::prompt(question);
        let stdin = stdin();
        let mut sources = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(&self.arrived, PollFlags::IN),
        ];
        retry_on_intr(|| poll(&mut sources, None)).ok()?;
        if !sources[1].revents().is_empty() {
            output::prompt("\n");
            return None;
        }
        let mut answer = String::new();
        stdin.read_line(&mut answer).ok()?;
        Some(answer)
    }
}
