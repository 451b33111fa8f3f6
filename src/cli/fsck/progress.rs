//! How far a check is: a bar on a terminal, a line now and then elsewhere, nothing with `-q`.
//!
//! Until everything has been counted, which happens beside the check, no end is claimed.

use super::options::FsckOptions;
use crate::cli::output::{Kind, Output};
use crate::fsck::Progress;
use indicatif::{BinaryBytes, FormattedDuration, HumanCount, ProgressBar, ProgressStyle};
use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// When lines are written, after the start and then again and again.
const FIRST_LINE: Duration = Duration::from_millis(250);
const NEXT_LINES: Duration = Duration::from_secs(10);
/// What a file costs besides its content, in bytes that could have been read meanwhile.
const FILE_COST: u64 = 32 * 1024;

/// Shows the progress to the user.
pub(super) struct Display {
    target: Target,
    begun: Instant,
    /// Work and bytes that were done before, when the check goes on from a checkpoint.
    origin: Option<(u64, u64)>,
}

enum Target {
    Bar(ProgressBar),
    Lines { out: Output, due: Duration },
    Nobody,
}

impl Display {
    pub(super) fn new(options: &FsckOptions) -> Display {
        let messages = &options.messages;
        let target = if messages.quiet {
            Target::Nobody
        } else if std::io::stderr().is_terminal() {
            Target::Bar(bar())
        } else {
            let out = Output::new(messages.quiet, messages.wpanic);
            let due = FIRST_LINE;
            Target::Lines { out, due }
        };
        Display {
            target,
            begun: Instant::now(),
            origin: None,
        }
    }

    /// Whether it is of use to know how much there is in all.
    pub(super) fn wants_total(&self) -> bool {
        !matches!(self.target, Target::Nobody)
    }

    /// Clears the way for lines that `write` writes.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.target {
            Target::Bar(bar) => bar.suspend(write),
            _ => write(),
        }
    }

    /// Shows how far it is, if it is time to.
    pub(super) fn update(&mut self, progress: &Progress) {
        let elapsed = self.begun.elapsed();
        let state = State::new(progress, elapsed, &mut self.origin);
        match &mut self.target {
            Target::Bar(bar) => {
                if let (Some((_, _, all)), None) = (state.all, bar.length()) {
                    bar.set_length(all);
                    bar.set_style(style("{spinner} [{bar:24}] {percent}% {msg}"));
                }
                bar.set_position(state.work);
                bar.set_message(state.to_string());
            }
            Target::Lines { out, due } if elapsed >= *due => {
                *due = elapsed + NEXT_LINES;
                out.write(Kind::Progress, &format!("fsck: {state}"));
            }
            _ => {}
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Target::Bar(bar) = &self.target {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    ProgressBar::new_spinner().with_style(style("{spinner} {msg}"))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// How far a check is.
struct State {
    files: u64,
    bytes: u64,
    /// Files, bytes and work in all, once they have been counted.
    all: Option<(u64, u64, u64)>,
    work: u64,
    /// Bytes each second.
    rate: u64,
    left: Option<Duration>,
}

impl State {
    fn new(progress: &Progress, elapsed: Duration, origin: &mut Option<(u64, u64)>) -> State {
        let (files, bytes) = (progress.files(), progress.bytes());
        let work = work_of(files, bytes);
        let (work_before, bytes_before) = *origin.get_or_insert((work, bytes));
        let all = progress.total();
        let all = all.map(|(files, bytes)| (files, bytes, work_of(files, bytes).max(1)));
        let left = all.and_then(|(_, _, all)| {
            let done = work.saturating_sub(work_before);
            let to_do = all.saturating_sub(work);
            scaled(elapsed, to_do, done)
        });
        State {
            files,
            bytes,
            all,
            work,
            rate: rate(bytes.saturating_sub(bytes_before), elapsed),
            left,
        }
    }
}

fn work_of(files: u64, bytes: u64) -> u64 {
    bytes.saturating_add(files.saturating_mul(FILE_COST))
}

/// Bytes each second.
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u64::MAX)
}

/// How long `to_do` takes when `done` took `elapsed`; `None` while that says nothing.
fn scaled(elapsed: Duration, to_do: u64, done: u64) -> Option<Duration> {
    let millis = elapsed
        .as_millis()
        .saturating_mul(u128::from(to_do))
        .checked_div(u128::from(done))?;
    Some(Duration::from_millis(u64::try_from(millis).ok()?))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (files, bytes) = (HumanCount(self.files), BinaryBytes(self.bytes));
        let rate = BinaryBytes(self.rate);
        match self.all {
            Some((all_files, all_bytes, _)) => {
                let (all_files, all_bytes) = (HumanCount(all_files), BinaryBytes(all_bytes));
                write!(
                    f,
                    "{files} of {all_files} files, {bytes} of {all_bytes}, {rate}/s"
                )?;
            }
            None => write!(f, "{files} files, {bytes}, {rate}/s, still counting")?,
        }
        match self.left {
            Some(left) => write!(f, ", {} left", FormattedDuration(left)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_is_done() {
        let second = Duration::from_secs(1);
        assert_eq!(scaled(second, 300, 100), Some(3 * second));
        assert_eq!(scaled(second, 300, 0), None);
        assert_eq!(scaled(second, 0, 7), Some(Duration::ZERO));
        assert_eq!(scaled(Duration::MAX, u64::MAX, 1), None);
    }

    #[test]
    fn a_state_claims_no_end_before_all_is_counted() {
        let mut state = State {
            files: 1234,
            bytes: 5 << 20,
            all: None,
            work: 0,
            rate: 3 << 20,
            left: None,
        };
        let wanted = "1,234 files, 5.00 MiB, 3.00 MiB/s, still counting";
        assert_eq!(state.to_string(), wanted);
        state.all = Some((2000, 8 << 20, 1));
        state.left = Some(Duration::from_secs(61));
        let wanted = "1,234 of 2,000 files, 5.00 MiB of 8.00 MiB, 3.00 MiB/s, 00:01:01 left";
        assert_eq!(state.to_string(), wanted);
    }

    #[test]
    fn the_templates_are_right() {
        for template in ["{spinner} {msg}", "{spinner} [{bar:24}] {percent}% {msg}"] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
