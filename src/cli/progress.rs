//! How far long work is: a bar on a terminal, a line now and then elsewhere, nothing with `-q`.
//!
//! Until everything has been counted, which may happen beside the work, no end is claimed.

use super::output::{Kind, Output};
use indicatif::{BinaryBytes, FormattedDuration, HumanCount, ProgressBar, ProgressStyle};
use std::fmt;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// When lines are written, after the start and then again and again.
const FIRST_LINE: Duration = Duration::from_millis(250);
const NEXT_LINES: Duration = Duration::from_secs(10);
/// What a file costs besides its content, in bytes that could have been read meanwhile.
const FILE_COST: u64 = 32 * 1024;
/// How often a terminal is shown how far it is.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// How far the work is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Files that are done.
    pub(crate) files: u64,
    /// Bytes that are done.
    pub(crate) bytes: u64,
    /// How much there is in all.
    pub(crate) total: Total,
}

/// How much there is to do in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Total {
    /// Nobody counts.
    #[default]
    Unknown,
    /// Somebody is counting.
    Counting,
    /// So many files and bytes.
    Known(u64, u64),
}

/// Shows the progress to the user.
pub(crate) struct Display {
    /// What is done, in one word.
    name: &'static str,
    target: Target,
    /// When it was shown last.
    shown: Option<Instant>,
    begun: Instant,
    /// Work and bytes that were done before, when it goes on from a checkpoint.
    origin: Option<(u64, u64)>,
}

enum Target {
    Bar(ProgressBar),
    Lines { out: Output, due: Duration },
    Nobody,
}

impl Display {
    /// Shows it where `out` writes to, under this name.
    pub(crate) fn new(name: &'static str, out: &Output) -> Display {
        let target = if out.is_quiet() {
            Target::Nobody
        } else if std::io::stderr().is_terminal() {
            Target::Bar(bar())
        } else {
            let (out, due) = (out.clone(), FIRST_LINE);
            Target::Lines { out, due }
        };
        Display {
            name,
            target,
            shown: None,
            begun: Instant::now(),
            origin: None,
        }
    }

    /// Whether it is of use to know how much there is in all.
    pub(crate) fn wants_total(&self) -> bool {
        !matches!(self.target, Target::Nobody)
    }

    /// Clears the way for lines that `write` writes.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.target {
            Target::Bar(bar) => bar.suspend(write),
            _ => write(),
        }
    }

    /// Shows how far it is, unless that was done a moment ago.
    pub(crate) fn tick(&mut self, counts: impl FnOnce() -> Counts) {
        if self.shown.is_none_or(|shown| shown.elapsed() >= TICK) {
            self.shown = Some(Instant::now());
            self.update(&counts());
        }
    }

    /// Shows how far it is, if it is time to.
    pub(crate) fn update(&mut self, counts: &Counts) {
        let elapsed = self.begun.elapsed();
        let state = State::new(counts, elapsed, &mut self.origin);
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
                out.write(Kind::Progress, &format!("{}: {state}", self.name));
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

/// How far it is, to be shown.
struct State {
    files: u64,
    bytes: u64,
    /// Files, bytes and work in all, once they have been counted.
    all: Option<(u64, u64, u64)>,
    is_counting: bool,
    work: u64,
    /// Bytes each second.
    rate: u64,
    left: Option<Duration>,
}

impl State {
    fn new(counts: &Counts, elapsed: Duration, origin: &mut Option<(u64, u64)>) -> State {
        let Counts {
            files,
            bytes,
            total,
        } = *counts;
        let work = work_of(files, bytes);
        let (work_before, bytes_before) = *origin.get_or_insert((work, bytes));
        let all = match total {
            Total::Known(files, bytes) => Some((files, bytes, work_of(files, bytes).max(1))),
            Total::Unknown | Total::Counting => None,
        };
        let left = all.and_then(|(_, _, all)| {
            let done = work.saturating_sub(work_before);
            let to_do = all.saturating_sub(work);
            scaled(elapsed, to_do, done)
        });
        State {
            files,
            bytes,
            all,
            is_counting: matches!(total, Total::Counting),
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
            None => write!(f, "{files} files, {bytes}, {rate}/s")?,
        }
        if self.is_counting {
            f.write_str(", still counting")?;
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
            is_counting: true,
            work: 0,
            rate: 3 << 20,
            left: None,
        };
        let wanted = "1,234 files, 5.00 MiB, 3.00 MiB/s, still counting";
        assert_eq!(state.to_string(), wanted);
        state.is_counting = false;
        assert_eq!(state.to_string(), "1,234 files, 5.00 MiB, 3.00 MiB/s");
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
