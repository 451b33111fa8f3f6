//! Whoever waits for the end of an export: is shown how far it is, and may not want to wait.

use crate::cli::exit::Failure;
use crate::cli::interrupt::{self, Interrupt};
use crate::cli::output::Output;
use crate::cli::progress::{Counts, Display, Total};
use crate::fsck::Progress;
use indicatif::{BinaryBytes, HumanCount};
use std::sync::Arc;

pub(super) struct Watch<'a> {
    /// A signal that has come, unless one ends the process.
    interrupt: Option<Arc<Interrupt>>,
    display: Display,
    files: u64,
    bytes: u64,
    /// Whoever counts how much there is in all.
    counter: Option<&'a Progress>,
}

impl<'a> Watch<'a> {
    /// `leaves_nothing` if no step has to be ended properly.
    pub(super) fn new(out: &Output, leaves_nothing: bool) -> Result<Watch<'a>, Failure> {
        let interrupt = if leaves_nothing {
            interrupt::quit_on_signals()?;
            None
        } else {
            Some(Interrupt::catch()?)
        };
        Ok(Watch {
            interrupt,
            display: Display::new("export", out),
            files: 0,
            bytes: 0,
            counter: None,
        })
    }

    /// Whether it is of use to know how much there is in all.
    pub(super) fn wants_total(&self) -> bool {
        self.display.wants_total()
    }

    /// Takes over from there how much there is in all.
    pub(super) fn follow(&mut self, counter: &'a Progress) {
        self.counter = Some(counter);
    }

    /// Between two steps.
    ///
    /// # Errors
    /// It is to end.
    pub(super) fn look(&mut self) -> Result<(), Failure> {
        let interrupt = self.interrupt.as_ref();
        if interrupt.is_some_and(|interrupt| interrupt.has_come()) {
            return Err(Failure::interrupted());
        }
        let total = match self.counter.map(Progress::total) {
            None => Total::Unknown,
            Some(None) => Total::Counting,
            Some(Some((files, bytes))) => Total::Known(files, bytes),
        };
        let (files, bytes) = (self.files, self.bytes);
        self.display.tick(|| Counts {
            files,
            bytes,
            total,
        });
        Ok(())
    }

    /// As [`Watch::look`], after so many bytes.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes += bytes as u64;
        self.look()
    }

    pub(super) fn add_file(&mut self) {
        self.files += 1;
    }

    /// Clears the way for lines that `write` writes.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.display.suspend(write)
    }

    /// The end.
    pub(super) fn summary(self) -> String {
        let (files, bytes) = (HumanCount(self.files), BinaryBytes(self.bytes));
        let plural = if self.files == 1 { "" } else { "s" };
        format!("{files} file{plural} exported, {bytes}")
    }
}
