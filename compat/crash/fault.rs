//! Each system call of an operation fails in turn, as on a bad or full disk: what is reported as
//! done is done, and what is reported as failed has changed nothing.

use super::operations::{Operation, chosen};
use super::snapshot::State;
use super::{Ground, act, complaints, is_whole};
use crate::support::disk::Kind;
use crate::support::tracer::{Call, Plan};
use std::fmt::{self, Display, Formatter};

/// Without `WHOLE`, every so many faults one is tried.
const ONE_OF: usize = 15;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Once(&'static str, i32),
    /// From this call on there is no space.
    Full,
}

impl Fault {
    /// What may befall a call.
    fn of(call: &Call) -> Vec<Self> {
        let mut faults = vec![Self::Once("EIO", libc::EIO)];
        if call.takes_space {
            faults.push(Self::Once("ENOSPC", libc::ENOSPC));
            faults.push(Self::Once("EDQUOT", libc::EDQUOT));
            faults.push(Self::Full);
        }
        if call.changes {
            faults.push(Self::Once("EROFS", libc::EROFS));
        }
        if call.name == "openat" {
            faults.push(Self::Once("EMFILE", libc::EMFILE));
        }
        if ["openat", "pwrite64", "pread64", "ftruncate", "fallocate"].contains(&call.name) {
            faults.push(Self::Once("EINTR", libc::EINTR));
        }
        faults
    }

    fn plan(self, nth: usize) -> Plan {
        match self {
            Self::Once(_, errno) => Plan::Fail(nth, errno),
            Self::Full => Plan::FailFrom(nth, libc::ENOSPC),
        }
    }
}

impl Display for Fault {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Once(name, _) => name,
            Self::Full => "no space from here on",
        })
    }
}

/// What came of all faults.
#[derive(Default)]
struct Tally {
    /// All that there are.
    places: usize,
    faults: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn fail(&mut self, ground: &Ground, operation: &Operation) {
        let Some((states, seen)) = ground.states(operation) else {
            return;
        };
        for (nth, call) in seen.calls.iter().enumerate() {
            for fault in Fault::of(call) {
                self.places += 1;
                if is_whole() || self.places.is_multiple_of(ONE_OF) {
                    self.meet(ground, operation, &states, (nth, fault));
                }
            }
        }
    }

    fn meet(
        &mut self,
        ground: &Ground,
        operation: &Operation,
        states: &[State],
        (nth, fault): (usize, Fault),
    ) {
        let vault = ground.copy();
        let (done, seen) = act(&vault, operation, fault.plan(nth));
        let Some(hit) = seen.hit else {
            return;
        };
        self.faults += 1;
        let (last, before) = states.split_last().unwrap();
        let allowed: Vec<_> = match done {
            Ok(()) => vec![last],
            // a part of a copy may have been made
            Err(_) if operation.piecemeal.is_some() => states.iter().collect(),
            Err(_) => before.iter().collect(),
        };
        let wrong = complaints(&vault, operation, &allowed);
        if !wrong.is_empty() {
            let said = done.map_or_else(|error| error.to_string(), |()| "done".to_owned());
            let what = format!("{}, {fault} of {nth}: {}", operation.name, hit.name);
            let wrong = wrong.join("; ");
            self.wrong.push(format!("{what}: reported {said}; {wrong}"));
        }
    }
}

fn fail_everywhere(kind: Option<Kind>, what: &str) {
    let Some(ground) = Ground::new(kind, what) else {
        return;
    };
    let mut tally = Tally::default();
    for operation in chosen() {
        tally.fail(&ground, &operation);
    }
    let Tally { faults, wrong, .. } = tally;
    eprintln!("{what}: {faults} faults, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_call_that_fails_loses_nothing() {
    fail_everywhere(None, "faults of each call");
}

#[test]
fn a_call_that_fails_loses_nothing_on_btrfs() {
    fail_everywhere(Some(Kind::Btrfs), "faults of each call on btrfs");
}
