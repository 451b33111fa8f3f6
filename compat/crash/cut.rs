//! The program is killed before each system call of an operation that changes anything.

use super::operations::{Operation, chosen};
use super::{Ground, act, complaints, is_whole};
use crate::support::disk::Kind;
use crate::support::tracer::Plan;

/// Without `WHOLE`, every so many cuts one is tried.
const ONE_OF: usize = 3;

/// What came of all cuts.
#[derive(Default)]
struct Tally {
    /// All that there are.
    places: usize,
    cuts: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn cut(&mut self, ground: &Ground, operation: &Operation) {
        let Some((states, seen)) = ground.states(operation) else {
            return;
        };
        let allowed: Vec<_> = states.iter().collect();
        for (nth, call) in seen.calls.iter().filter(|call| call.changes).enumerate() {
            self.places += 1;
            if !is_whole() && !self.places.is_multiple_of(ONE_OF) {
                continue;
            }
            let vault = ground.copy();
            let (_, seen) = act(&vault, operation, Plan::Kill(nth));
            self.cuts += usize::from(seen.hit.is_some());
            let wrong = complaints(&vault, operation, &allowed);
            if !wrong.is_empty() {
                let what = format!("{} before {nth}: {}", operation.name, call.name);
                self.wrong.push(format!("{what}: {}", wrong.join("; ")));
            }
        }
    }
}

fn cut_everywhere(kind: Option<Kind>, what: &str) {
    let Some(ground) = Ground::new(kind, what) else {
        return;
    };
    let mut tally = Tally::default();
    for operation in chosen() {
        tally.cut(&ground, &operation);
    }
    let Tally { cuts, wrong, .. } = tally;
    eprintln!("{what}: {cuts} cuts, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_kill_before_any_change_leaves_old_or_new() {
    cut_everywhere(None, "kills before each change");
}

#[test]
fn a_kill_before_any_change_leaves_old_or_new_on_btrfs() {
    cut_everywhere(Some(Kind::Btrfs), "kills before each change on btrfs");
}
