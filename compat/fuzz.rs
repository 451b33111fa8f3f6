//! Chance and malice: whatever bytes a reader gets, it returns, and what it understands is right.
//!
//! Here inputs come from a simple mutator, two seconds for all targets; `FUZZ_SECONDS` sets
//! another time, `SEED` replays one. `tools/fuzz` runs the same targets for long, guided by coverage.
//! An input that has once failed is kept in `testdata/fuzz`, in a folder named as its target.

mod mutate;
mod seeds;
mod targets;

use crate::support::random::Random;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use targets::TARGETS;

/// Far more than any input takes, on a busy machine too.
const SLOWEST: Duration = Duration::from_secs(10);

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// Runs a target; tells the input if that fails.
fn survives(name: &str, target: fn(&[u8]), input: &[u8]) {
    let start = Instant::now();
    let ended = panic::catch_unwind(AssertUnwindSafe(|| target(input)));
    let shown = || {
        input.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    assert!(ended.is_ok(), "{name} fails for {}", shown());
    assert!(start.elapsed() < SLOWEST, "{name} is slow for {}", shown());
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
    let seconds = env::var("FUZZ_SECONDS").map_or(2, |text| text.parse().unwrap());
    let seeds = seeds::collect(&testdata());
    thread::scope(|scope| {
        for (name, target) in TARGETS {
            let seeds = &seeds[name];
            scope.spawn(move || fuzz(name, target, seeds, Duration::from_secs(seconds)));
        }
    });
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
