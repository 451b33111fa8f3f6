//! The life of the socket: when it is there, and what stands in its way.

use super::answer;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A run of ours in the foreground that still waits for its password.
struct Waiting {
    child: Child,
    vault: Vault,
    scratch: TempDir,
}

impl Waiting {
    fn new() -> Self {
        let ours = Program::ours();
        let vault = Vault::new(&ours, &ALL_FEATURES[0]);
        let scratch = TempDir::new().unwrap();
        fs::create_dir(scratch.path().join("plain")).unwrap();
        let child = ours
            .command()
            .args(["-q", "-fg", "-ctlsock", "socket"])
            .arg(&vault.dir)
            .arg("plain")
            .current_dir(scratch.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            vault,
            scratch,
        }
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("socket")
    }

    fn wait_for_the_socket(&self) {
        let made = wait::until(|| self.socket().exists().then_some(()));
        assert!(made.is_some(), "no socket");
    }

    fn type_password(&mut self, password: &[u8]) {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(password).unwrap();
    }

    /// The exit code, once it has ended and the socket is gone.
    fn end(mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        assert!(!self.socket().exists(), "the socket is left");
        drop(self.vault);
        status.code()
    }
}

#[test]
fn the_socket_is_there_before_the_password_and_gone_after_a_wrong_one() {
    let mut waiting = Waiting::new();
    waiting.wait_for_the_socket();
    waiting.type_password(b"wrong\n");
    assert_eq!(waiting.end(), Some(12));
}

#[test]
fn a_signal_removes_the_socket() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut waiting = Waiting::new();
        waiting.wait_for_the_socket();
        waiting.type_password(b"test\n");
        assert!(answer(&waiting.socket(), b"{}").contains("empty input"));
        kill_process(Pid::from_child(&waiting.child), signal).unwrap();
        assert_eq!(waiting.end(), Some(15));
    }
}

#[test]
fn a_socket_that_cannot_be_made_is_the_same_failure_for_both() {
    let Some(go) = Program::go("ctlsock") else {
        return;
    };
    let vault = Vault::new(&go, &ALL_FEATURES[0]);
    let scratch = TempDir::new().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("plain")).unwrap();
    fs::write(path("file"), "").unwrap();
    let _served = UnixListener::bind(path("served")).unwrap();
    let (plain, vault) = (path("plain"), vault.dir.to_str().unwrap());
    for name in ["file", "served", "plain", "missing/socket"] {
        let args = ["-q", "-ctlsock", &path(name), vault, &plain];
        let [go, ours] = [&go, &Program::ours()].map(|program| program.run(&args));
        assert_eq!(go.status.code(), Some(20), "{}", said(&go));
        assert_eq!(said(&go), said(&ours));
    }
}

#[test]
fn a_socket_that_nobody_serves_any_more_is_replaced() {
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let scratch = TempDir::new().unwrap();
    let socket = scratch.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    let mount = Mount::new(&ours, &vault, &["-ctlsock", socket.to_str().unwrap()]);
    assert!(answer(&socket, b"{}").contains("empty input"));
    let log = mount.unmount();
    assert!(
        log.contains("ctlsock: deleting orphaned socket file"),
        "{log}"
    );
    assert!(!socket.exists());
}
