//! `ls`: what is in directories, by name.

use super::faults::Faults;
use super::screen::{Screen, screen};
use super::{ListArgs, locate};
use crate::cli::exit::Failure;
use crate::reader::{Object, Order};
use crate::sys::{Kind, Time};
use crate::vault::Vault;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

pub(super) fn run(
    args: &ListArgs,
    paths: &[PathBuf],
    vault: &Vault,
    faults: &mut Faults<'_>,
) -> Result<(), Failure> {
    let top = [PathBuf::new()];
    let paths = if paths.is_empty() { &top } else { paths };
    let mut dirs = Vec::new();
    let mut listing = Listing {
        args,
        vault,
        faults,
        screen: screen(),
    };
    for path in paths {
        match locate(vault, path, !args.long, listing.faults)? {
            Some(object) if object.stat.is_dir() => dirs.push((path.clone(), object)),
            Some(object) => listing.entry(path.as_os_str(), &object)?,
            None => {}
        }
    }
    let has_headings = paths.len() > 1 || args.recursive;
    let mut is_first = dirs.len() == paths.len();
    dirs.reverse();
    while let Some((path, dir)) = dirs.pop() {
        if has_headings {
            if !std::mem::take(&mut is_first) {
                listing.screen.line("", OsStr::new(""), "")?;
            }
            let path = match path.as_os_str() {
                top if top.is_empty() => OsStr::new("."),
                path => path,
            };
            listing.screen.line("", path, ":")?;
        }
        let inner = listing.directory(&dir)?;
        if args.recursive {
            let inner = inner.into_iter().rev();
            dirs.extend(inner.map(|(name, object)| (path.join(name), object)));
        }
    }
    listing.screen.finish()
}

/// A run of `ls`.
struct Listing<'a, 'b, W> {
    args: &'a ListArgs,
    vault: &'a Vault,
    faults: &'a mut Faults<'b>,
    screen: Screen<W>,
}

impl<W: Write> Listing<'_, '_, W> {
    /// Shows the entries of a directory; returns those that are directories.
    fn directory(&mut self, dir: &Object) -> Result<Vec<(OsString, Object)>, Failure> {
        let mut inner = Vec::new();
        let read = dir.open_dir(self.vault).and_then(|open| {
            let entries = dir.entries(self.vault, &open, &mut |fault| self.faults.tell(&fault));
            Ok((open, entries?))
        });
        let (open, mut entries) = match read {
            Ok(read) => read,
            Err(error) => {
                self.faults.tell(&dir.fault(error));
                return Ok(inner);
            }
        };
        Order::Names.sort(&mut entries);
        for entry in entries {
            if !self.args.long && !self.args.recursive {
                self.screen.line("", &entry.name, "")?;
                continue;
            }
            match dir.child(self.vault, &open, &entry.name, entry.backing) {
                Ok(object) => {
                    self.entry(&entry.name, &object)?;
                    if object.stat.is_dir() {
                        inner.push((entry.name, object));
                    }
                }
                Err(fault) => self.faults.tell(&fault),
            }
        }
        Ok(inner)
    }

    /// Shows one object.
    fn entry(&mut self, name: &OsStr, object: &Object) -> Result<(), Failure> {
        if !self.args.long {
            return self.screen.line("", name, "");
        }
        let stat = &object.stat;
        let size = match object.kind() {
            Kind::CharDevice | Kind::BlockDevice => {
                let (major, minor) = (rustix::fs::major(stat.rdev), rustix::fs::minor(stat.rdev));
                format!("{major}, {minor}")
            }
            _ => stat.size.to_string(),
        };
        let line = format!(
            "{} {:>3} {:>5} {:>5} {size:>12} {} ",
            mode(stat.mode),
            stat.nlink,
            stat.uid,
            stat.gid,
            date(stat.mtime)
        );
        if object.kind() != Kind::Symlink {
            return self.screen.line(&line, name, "");
        }
        match object.target(self.vault) {
            Ok(target) => {
                let mut arrow = name.to_owned();
                arrow.push(" -> ");
                arrow.push(OsString::from_vec(target));
                self.screen.line(&line, &arrow, "")
            }
            Err(error) => {
                self.faults.tell(&object.fault(error));
                self.screen.line(&line, name, "")
            }
        }
    }
}

/// The mode as ls(1) shows it.
fn mode(mode: u32) -> String {
    let kind = match rustix::fs::FileType::from_raw_mode(mode).into() {
        Kind::File => '-',
        Kind::Dir => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Unknown => '?',
    };
    let mut text = String::from(kind);
    // Each class of users, and the bit that changes how its right to execute is shown.
    for (shift, special, with, without) in [
        (6, 0o4000, 's', 'S'),
        (3, 0o2000, 's', 'S'),
        (0, 0o1000, 't', 'T'),
    ] {
        let rights = mode >> shift;
        let right = |bit, letter| if rights & bit == 0 { '-' } else { letter };
        text.push(right(4, 'r'));
        text.push(right(2, 'w'));
        text.push(match (mode & special != 0, rights & 1 != 0) {
            (false, _) => right(1, 'x'),
            (true, true) => with,
            (true, false) => without,
        });
    }
    text
}

/// A time in UTC, by the Gregorian calendar.
fn date(time: Time) -> String {
    let (days, seconds) = (time.secs.div_euclid(86_400), time.secs.rem_euclid(86_400));
    // Years are counted from March on, so that the day that may be missing is the last one; 400 of
    // them have 146,097 days. 0000-03-01 was 719,468 days before 1970.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + later;
    let (hour, minute) = (seconds / 3_600, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_look_as_in_ls() {
        assert_eq!(mode(0o100_644), "-rw-r--r--");
        assert_eq!(mode(0o041_777), "drwxrwxrwt");
        assert_eq!(mode(0o104_711), "-rws--x--x");
        assert_eq!(mode(0o107_000), "---S--S--T");
        assert_eq!(mode(0o120_777), "lrwxrwxrwx");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let shown = |secs| date(Time { secs, nanos: 0 });
        assert_eq!(shown(0), "1970-01-01 00:00");
        assert_eq!(shown(951_782_399), "2000-02-28 23:59");
        assert_eq!(shown(951_782_400), "2000-02-29 00:00");
        assert_eq!(shown(4_107_542_400), "2100-03-01 00:00");
        assert_eq!(shown(1_234_567_890), "2009-02-13 23:31");
        assert_eq!(shown(-1), "1969-12-31 23:59");
        assert_eq!(shown(-62_135_596_800), "0001-01-01 00:00");
    }
}
