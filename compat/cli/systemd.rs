//! What a service manager sees of a mount in the foreground.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// The exit code of a program that is told to end.
fn terminated(mut child: Child) -> Option<i32> {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    child.wait().unwrap().code()
}

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
    let child = command.spawn().unwrap();
    let mut message = [0; 64];
    let len = manager.recv(&mut message).unwrap();
    assert_eq!(&message[..len], b"READY=1\n");
    assert!(point.line().is_some());
    point.wait_for_answer();
    assert_eq!(terminated(child), Some(15));
    assert!(point.line().is_none());
}

#[test]
fn the_unit_mounts_with_the_password_in_a_credential() {
    if !is_root("the systemd unit") {
        return;
    }
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/package/gocryptfs@.service");
    let unit = fs::read_to_string(unit).unwrap();
    let setting = |name: &str| unit.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(setting("Type="), Some("notify"));
    let desk = Desk::new();
    for dir in ["vaults", "photos"] {
        fs::create_dir(desk.path(dir)).unwrap();
    }
    fs::rename(desk.path("C"), desk.path("vaults/photos")).unwrap();
    fs::rename(desk.path("right"), desk.path("password")).unwrap();
    let here = desk.path("");
    let line = setting("ExecStart=/usr/bin/gocryptfs").unwrap();
    let line = line.replace("%h/", here.to_str().unwrap());
    let line = line.replace("${CREDENTIALS_DIRECTORY}/", here.to_str().unwrap());
    let point = Point::at(desk.path("photos"));
    let mut command = desk.command(&Program::ours(), &line.replace("%i", "photos"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    assert!(wait::until(|| point.line()).is_some());
    point.wait_for_answer();
    let code = terminated(child).map(|code| code.to_string());
    assert_eq!(code.as_deref(), setting("SuccessExitStatus="));
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
    let shown = wait::until(|| point.line());
    assert!(shown.is_some());
    point.wait_for_answer();
    point.unmount();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("NOTIFY_SOCKET "), "{said}");
}
