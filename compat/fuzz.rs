//! Chance and malice: whatever bytes a reader gets, it returns, and what it understands is right.
//!
//! Here inputs come from a simple mutator, two seconds for all targets; `FUZZ_SECONDS` sets
//! another time for each, `SEED` replays one. `tools/fuzz` runs the same targets for long, guided by coverage.
//! An input that has once failed is kept in `testdata/fuzz`, in a folder named as its target.

mod mutate;
mod seeds;
mod targets;

use crate::support::random::Random;
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use targets::TARGETS;

/// Far more processor time than any input takes.
const SLOWEST: Duration = Duration::from_secs(10);

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// What this thread has had until now.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// Runs a target; tells the input if that fails.
fn survives(name: &str, target: fn(&[u8]), input: &[u8]) {
    let start = processor_time();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| target(input)));
    let shown = || {
        input.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    assert!(ended.is_ok(), "{name} fails for {}", shown());
    assert!(
        processor_time() < start + SLOWEST,
        "{name} is slow for {}",
        shown()
    );
}

/// Runs a target on its seeds, and for `time` on what chance makes of them.
fn fuzz(name: &str, target: fn(&[u8]), seeds: &[Vec<u8>], time: Duration) {
    let mut chance = Random::new(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for input in seeds {
        survives(name, target, input);
    }
    let (start, mut count) = (Instant::now(), seeds.len());
    while start.elapsed() < time {
        survives(name, target, &mutate::mutated(&mut chance, seeds));
        count += 1;
    }
    eprintln!("{name}: {count} inputs survived");
}

#[test]
fn every_reader_survives_what_chance_makes_of_real_input() {
    let time = env::var("FUZZ_SECONDS").map_or(Duration::from_millis(150), |seconds| {
        Duration::from_secs(seconds.parse().unwrap())
    });
    let seeds = seeds::collect(&testdata());
    for (name, target) in TARGETS {
        fuzz(name, target, &seeds[name], time);
    }
}

#[test]
fn every_reader_survives_what_once_broke_it() {
    for (name, target) in TARGETS {
        let kept = fs::read_dir(testdata().join("fuzz").join(name));
        for input in kept.into_iter().flatten() {
            survives(name, target, &fs::read(input.unwrap().path()).unwrap());
        }
    }
}
