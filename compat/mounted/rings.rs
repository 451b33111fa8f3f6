//! Which way requests come. `tools/with-io-uring` runs all tests the other way.

use super::Session;
use std::fs;

/// Whether the kernel hands requests over through `io_uring`; not before Linux 6.14.
fn is_switched_on() -> bool {
    fs::read_to_string("/sys/module/fuse/parameters/enable_uring").is_ok_and(|on| on == "Y\n")
}

#[test]
fn requests_come_through_io_uring_where_that_is_switched_on() {
    let session = Session::new();
    fs::write(session.join("file"), "content").unwrap();
    let threads = fs::read_dir(format!("/proc/{}/task", session.mount.pid())).unwrap();
    let names = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")));
    let rings = names.filter(|name| name.as_ref().is_ok_and(|name| name.starts_with("ring-")));
    assert_eq!(rings.count() > 0, is_switched_on());
}
