//! Tests against the real world: golden vaults, the Go program, the kernel; and the source itself.
//!
//! Every test works in temporary directories of its own, so all of them run in parallel. What a
//! machine lacks (the Go program, a file system) is reported as a line that begins with `SKIPPED`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]
#![allow(clippy::print_stderr, reason = "the runner shows it when a test fails")]

mod badname;
mod cli;
mod clone;
mod core;
mod crash;
mod ctlsock;
mod direct;
mod documents;
mod fsck;
mod fuzz;
mod golden;
mod idle;
mod json;
mod model;
mod mounted;
mod power;
mod programs;
mod reverse;
mod secrets;
mod support;
mod swap;
mod tidy;
mod vectors;
mod xray;
