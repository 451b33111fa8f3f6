//! Telling what cannot be read, and the exit code that follows from it.

use crate::cli::exit::ExitCode;
use crate::cli::output::{Kind, Output};
use crate::cli::values::quoted;
use crate::reader::Fault;
use std::fmt::Display;
use std::path::Path;

/// What has been told so far.
pub(super) struct Faults<'a> {
    out: &'a Output,
    count: u64,
}

impl<'a> Faults<'a> {
    pub(super) fn new(out: &'a Output) -> Faults<'a> {
        Faults { out, count: 0 }
    }

    /// Tells what cannot be read.
    pub(super) fn tell(&mut self, fault: &Fault) {
        let shown = fault.plain.as_ref().unwrap_or(&fault.disk);
        let mut text = format!("cannot read {}: {}", quoted(shown), fault.cause);
        if shown != &fault.disk {
            text.push_str("\n    on disk: ");
            text.push_str(&quoted(&fault.disk));
        }
        self.warn(&text);
    }

    /// Tells what could be read and not be kept.
    pub(super) fn tell_unkept(&mut self, path: &Path, what: &str, reason: impl Display) {
        self.warn(&format!("cannot {what} {}: {reason}", quoted(path)));
    }

    fn warn(&mut self, text: &str) {
        self.count += 1;
        self.out.warn(text);
    }

    /// The end: the exit code, and what to do about what was told.
    pub(super) fn conclude(&self, cipherdir: &Path) -> ExitCode {
        if self.count == 0 {
            return ExitCode::Success;
        }
        let advice = format!(
            "Not everything is there. This tells what is wrong and what can be mended:\n\
             gocryptfs fsck --dry-run {}",
            quoted(cipherdir)
        );
        self.out.write(Kind::Advice, &advice);
        ExitCode::FsckErrors
    }
}
