//! Where the messages of a mount in the background go: to the system log, if there is one, or to
//! where they went before.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::{is_root, skip};
use crate::support::wait;
use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output, Stdio};

/// Mounts with a system log that is the socket `log`, and reads a damaged file.
const WITH_A_LOG: &str = r#"
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/fuse c 10 229
touch /dev/log
mount --bind log /dev/log
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

fn run_with_a_log(desk: &Desk, program: &Program) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-euc"]);
    command.arg(WITH_A_LOG).arg(program.path());
    let command = command.current_dir(desk.path("")).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_mount_in_the_background_writes_to_the_system_log() {
    let what = "the system log";
    if !is_root(what) {
        return;
    }
    let namespace = Command::new("unshare").args(["--mount", "true"]).status();
    if !namespace.is_ok_and(|status| status.success()) {
        return skip(what, "no mount namespace can be made here");
    }
    for program in Program::both(what) {
        let desk = damaged();
        let log = UnixDatagram::bind(desk.path("log")).unwrap();
        log.set_nonblocking(true).unwrap();
        let output = run_with_a_log(&desk, &program);
        assert!(output.status.success(), "{program}: {output:?}");
        assert_eq!(output.stderr, b"", "{program}: {output:?}");
        let mut buf = [0; 4096];
        let lines = std::iter::from_fn(|| log.recv(&mut buf).ok().map(|len| buf[..len].to_vec()));
        let lines: Vec<String> = lines.map(|line| String::from_utf8(line).unwrap()).collect();
        // facility "user", severity "warning"
        let warned = lines.iter().any(|line| {
            let is_warning = line.starts_with("<12>") && line.contains("gocryptfs[");
            is_warning && line.contains(": corrupt block #0: ")
        });
        assert!(warned, "{program}: {lines:?}");
    }
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
