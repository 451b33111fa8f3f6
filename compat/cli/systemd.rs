//! What a service manager sees of a mount in the foreground.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

/// As long as a mount may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_mount_in_the_foreground_tells_that_it_stands_and_ends_on_sigterm() {
    if !is_root("sd_notify(3)") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let socket = desk.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = desk.command(&Program::ours(), "-fg -q -passfile right C M");
    command.env("NOTIFY_SOCKET", &socket).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut message = [0; 64];
    let len = manager.recv(&mut message).unwrap();
    assert_eq!(&message[..len], b"READY=1\n");
    assert!(point.line().is_some());
    point.wait_for_answer();
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(15));
    assert!(point.line().is_none());
}

#[test]
fn a_mount_stands_although_no_manager_listens() {
    if !is_root("sd_notify(3)") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut command = desk.command(&Program::ours(), "-fg -passfile right C M");
    command.env("NOTIFY_SOCKET", desk.path("nobody"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let shown = crate::support::wait::until(|| point.line());
    assert!(shown.is_some());
    point.unmount();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("NOTIFY_SOCKET "), "{said}");
}
