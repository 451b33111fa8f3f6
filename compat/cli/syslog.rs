//! Where the messages of a mount in the background go: to the system log, if there is one, or to
//! where they went before.

use super::desk::Desk;
use super::point::Point;
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::skip::{is_root, skip};
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use rustix::process::Signal;
use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

/// Mounts with a system log that is the socket `log`, known at the path `$1`, and reads a damaged
/// file.
const WITH_A_LOG: &str = r#"
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/fuse c 10 229
mount -t tmpfs none /run
mkdir -p "${1%/*}"
touch "$1"
mount --bind log "$1"
"$0" -q -passfile right C M
! cat M/file 2>/dev/null
umount M
"#;

/// A desk whose volume has a damaged file, `file`.
fn damaged() -> Desk {
    let desk = Desk::new();
    let point = Point::new(&desk);
    assert_eq!(desk.mount(&Program::ours(), "-q").code, Some(0));
    fs::write(point.path().join("file"), "content").unwrap();
    point.unmount();
    let mut entries = fs::read_dir(desk.path("C")).unwrap().map(Result::unwrap);
    let is_ours = |name: &str| name.starts_with("gocryptfs.");
    let file = entries.find(|entry| !is_ours(entry.file_name().to_str().unwrap()));
    let file = file.unwrap().path();
    let mut content = fs::read(&file).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(file, content).unwrap();
    desk
}

/// What a mount of the volume in a new desk writes to a log at this path.
fn logged(program: &Program, path: &str) -> Vec<String> {
    let desk = damaged();
    let log = UnixDatagram::bind(desk.path("log")).unwrap();
    log.set_nonblocking(true).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-euc"]);
    command.arg(WITH_A_LOG).arg(program.path()).arg(path);
    let command = command.current_dir(desk.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    assert_eq!(output.stderr, b"", "{program}: {output:?}");
    let mut buf = [0; 4096];
    let lines = std::iter::from_fn(|| log.recv(&mut buf).ok().map(|len| buf[..len].to_vec()));
    lines.map(|line| String::from_utf8(line).unwrap()).collect()
}

/// Whether mounts can be made that only some processes see; reports a skip of `what` if not.
fn has_namespaces(what: &str) -> bool {
    if !is_root(what) {
        return false;
    }
    let namespace = Command::new("unshare").args(["--mount", "true"]).status();
    let has_any = namespace.is_ok_and(|status| status.success());
    if !has_any {
        skip(what, "no mount namespace can be made here");
    }
    has_any
}

#[test]
fn a_mount_in_the_background_writes_to_the_system_log() {
    let what = "the system log";
    if !has_namespaces(what) {
        return;
    }
    for program in Program::both(what) {
        let lines = logged(&program, "/dev/log");
        // facility "user", severity "warning"
        let warned = lines.iter().any(|line| {
            let is_warning = line.starts_with("<12>") && line.contains("gocryptfs[");
            is_warning && line.contains(": corrupt block #0: ")
        });
        assert!(warned, "{program}: {lines:?}");
    }
}

#[test]
fn journald_gets_what_went_wrong_in_fields() {
    if !has_namespaces("the journal") {
        return;
    }
    let entries = logged(&Program::ours(), "/run/systemd/journal/socket");
    let is_warning = |entry: &&String| entry.contains("corrupt block #0: ");
    let warning = entries.iter().find(is_warning).unwrap();
    let fields: Vec<(&str, &str)> = warning
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| *value)
    };
    assert_eq!(field("PRIORITY"), "4", "{warning}");
    assert_eq!(field("SYSLOG_IDENTIFIER"), "gocryptfs");
    assert_eq!(
        [field("OPERATION"), field("BLOCK"), field("ERRNO")],
        ["read", "0", "5"]
    );
    let (inode, path) = (field("INODE"), field("ENCRYPTED_PATH"));
    assert!(inode.parse::<u64>().unwrap() > 0, "{warning}");
    let message = format!("read: inode {inode}: corrupt block #0: ");
    assert!(field("MESSAGE").starts_with(&message), "{warning}");
    assert!(path.len() >= 22 && !path.contains("file"), "{warning}");
}

#[test]
fn a_signal_switches_debug_messages_on_and_off() {
    if !is_root("debug messages of a mount") {
        return;
    }
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let mount = Mount::new(&ours, &vault, &[]);
    let is_told = |what: &str| wait::until(|| mount.log().contains(what).then_some(())).is_some();
    fs::create_dir_all(mount.path().join("dir/inner")).unwrap();
    fs::remove_dir(mount.path().join("dir")).unwrap_err();
    mount.signal(Signal::USR2);
    assert!(is_told("Debug messages are on."), "{}", mount.log());
    assert!(!mount.log().contains("rmdir: "), "{}", mount.log());
    fs::remove_dir(mount.path().join("dir")).unwrap_err();
    assert!(is_told("rmdir: "), "{}", mount.log());
    mount.signal(Signal::USR2);
    assert!(is_told("Debug messages are off."), "{}", mount.log());
    let before = mount.log().matches("rmdir: ").count();
    fs::remove_dir(mount.path().join("dir")).unwrap_err();
    assert_eq!(mount.log().matches("rmdir: ").count(), before);
    mount.unmount();
}

#[test]
fn a_mount_that_keeps_its_output_writes_there() {
    let what = "output of a mount in the background";
    if !is_root(what) {
        return;
    }
    for program in Program::both(what) {
        let desk = damaged();
        let point = Point::new(&desk);
        let stderr = File::create(desk.path("stderr")).unwrap();
        let mut command = desk.command(&program, "-q -nosyslog -passfile right C M");
        let command = command.stdin(Stdio::null()).stderr(stderr);
        assert!(command.status().unwrap().success(), "{program}");
        fs::read(point.path().join("file")).unwrap_err();
        point.unmount();
        let said = wait::until(|| {
            let said = fs::read_to_string(desk.path("stderr")).unwrap();
            said.contains(": corrupt block #0: ").then_some(())
        });
        assert!(said.is_some(), "{program}");
    }
}
