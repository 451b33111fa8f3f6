//! Saying that something was not tested.

use std::env;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Reports, past the test runner's capture, that a test or a part of it did not run.
pub(crate) fn skip(what: &str, why: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let line = format!("SKIPPED: {what}: {why} ({count} skipped so far)\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// As [`skip`], for what the continuous integration must have: there, its absence is a failure.
pub(crate) fn skip_unless_ci(what: &str, why: &str) {
    assert!(env::var_os("CI").is_none(), "{what}: {why}, but CI is set");
    skip(what, why);
}

/// Whether the tests run as root; reports a skip of `what` if not.
pub(crate) fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip(what, "needs root");
    }
    root
}
