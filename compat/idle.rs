//! `-idle`: the file system goes when nobody uses it, and not before.

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use std::fs;
use std::process::Command;

/// Long enough to begin to use the file system on a busy machine, too.
const IDLE: &[&str] = &["-idle", "2s"];

struct Idle {
    vault: Vault,
    mount: Mount,
}

impl Idle {
    fn new() -> Self {
        let ours = Program::ours();
        let vault = Vault::new(&ours, &ALL_FEATURES[0]);
        let mount = Mount::new(&ours, &vault, IDLE);
        Self { vault, mount }
    }

    /// Waits until it has gone by itself; returns what it said.
    fn gone(self) -> String {
        let log = self.mount.ended();
        drop(self.vault);
        log
    }
}

#[test]
fn an_open_file_or_directory_keeps_the_file_system_until_it_is_closed() {
    let (with_file, with_dir) = (Idle::new(), Idle::new());
    let file = fs::File::create(with_file.mount.path().join("file")).unwrap();
    let dir = fs::read_dir(with_dir.mount.path()).unwrap();
    let log = Idle::new().gone();
    assert!(
        log.contains("idleMonitor: filesystem idle; unmounting: /"),
        "{log}"
    );
    for held in [&with_file, &with_dir] {
        let log = held.mount.log();
        assert!(!log.contains("idleMonitor"), "{log}");
    }
    drop((file, dir));
    with_file.gone();
    with_dir.gone();
}

#[test]
fn a_working_directory_inside_keeps_the_file_system() {
    let idle = Idle::new();
    let inside = idle.mount.path();
    let mut guest = Command::new("sleep")
        .arg("1000")
        .current_dir(inside)
        .spawn()
        .unwrap();
    let failed = wait::until(|| {
        let log = idle.mount.log();
        log.contains("idleMonitor: unmount failed: ").then_some(())
    });
    guest.kill().unwrap();
    guest.wait().unwrap();
    assert!(failed.is_some(), "{}", idle.mount.log());
    idle.gone();
}
