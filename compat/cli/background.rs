//! Mounts as scripts see them: the way into the background, what the kernel shows, signals.

use super::desk::Desk;
use super::point::Point;
use crate::support::disk::{Disk, Kind};
use crate::support::program::{HEARING_SIGNALS, Program};
use crate::support::skip::is_root;
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The process that a run with this id left in the background.
fn daemon_of(parent: u32) -> Option<u32> {
    let marker = format!("-notifypid={parent}\0");
    fs::read_dir("/proc").unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        let line = fs::read(path.join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let pid = path.file_name()?.to_str()?.parse().ok()?;
        line.contains(&marker).then_some(pid)
    })
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Mounts in the foreground and waits until the kernel shows it.
fn mount_in_foreground(program: &Program, desk: &Desk, point: &Point) -> Child {
    let mut command = desk.command(program, "-fg -q -passfile right C M");
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let shown = wait::until(|| {
        assert_eq!(child.try_wait().unwrap(), None);
        point.shown()
    });
    assert!(shown.is_some());
    point.wait_for_answer();
    child
}

#[test]
fn a_mount_stands_when_the_command_returns_and_lets_go_of_its_streams() {
    if !is_root("mounts in the background") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut command = desk.command(&Program::ours(), "-passfile right C M");
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = output.spawn().unwrap();
    let parent = child.id();
    // this reads stdout to its end, which the daemon must not hold open
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    assert!(
        stdout.ends_with("Filesystem mounted and ready.\n"),
        "{stdout}"
    );
    assert!(point.shown().is_some());

    let daemon = daemon_of(parent).unwrap();
    for stream in 0..3 {
        let stream = fs::read_link(format!("/proc/{daemon}/fd/{stream}")).unwrap();
        assert_eq!(stream, Path::new("/dev/null"));
    }
    let here = fs::read_link(format!("/proc/{daemon}/cwd")).unwrap();
    assert_eq!(here, Path::new("/"));
    let stat = fs::read_to_string(format!("/proc/{daemon}/stat")).unwrap();
    let (_, stat) = stat.rsplit_once(") ").unwrap();
    assert_eq!(stat.split(' ').nth(3), Some(daemon.to_string().as_str()));

    point.unmount();
    wait::until(|| (!is_alive(daemon)).then_some(())).unwrap();
}

#[test]
fn the_process_in_the_background_lets_go_of_inherited_descriptors() {
    if !is_root("inherited descriptors") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    // the pipe is at its end when nobody holds descriptor 7 any more
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg("exec \"$0\" \"$@\" 7>&1 >/dev/null 2>&1");
    shell.arg(Program::ours().path());
    shell.args(["-q", "-passfile", "right", "C", "M"]);
    shell.current_dir(desk.path(""));
    let output = shell.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(point.shown().is_some());
    point.unmount();
}

#[test]
fn keys_stay_in_memory_and_files_can_be_opened_in_masses() {
    if !is_root("limits of the process") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut child = mount_in_foreground(&Program::ours(), &desk, &point);
    let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let limits = file("limits");
    let limit = |name: &str| -> Vec<String> {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(limit("Max core file size")[..2], ["0", "0"]);
    let files = limit("Max open files");
    assert_eq!(files[0], files[1]);
    let status = file("status");
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    assert!(!locked.unwrap().trim().starts_with("0 "), "{status}");
    point.unmount();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_command_fails_if_the_process_in_the_background_is_killed() {
    let desk = Desk::new();
    let mut command = desk.command(&Program::ours(), "-q C M");
    let mut parent = command.stdin(Stdio::piped()).spawn().unwrap();
    let daemon = wait::until(|| daemon_of(parent.id())).unwrap();
    signal(daemon, Signal::KILL);
    assert_eq!(parent.wait().unwrap().code(), Some(255));
}

#[test]
fn signals_unmount_and_end_with_code_15() {
    if !is_root("signals") {
        return;
    }
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let program = Program::ours().behind(HEARING_SIGNALS);
        let mut child = mount_in_foreground(&program, &desk, &point);
        signal(child.id(), sent);
        assert_eq!(child.wait().unwrap().code(), Some(15));
        assert_eq!(point.shown(), None);
    }
}

#[test]
fn a_hangup_does_nothing_to_a_mount_that_ignores_it() {
    if !is_root("signals") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let program = Program::ours().behind(&["nohup"]);
    let mut child = mount_in_foreground(&program, &desk, &point);
    signal(child.id(), Signal::HUP);
    assert!(fs::metadata(point.path()).is_ok());
    signal(child.id(), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(15));
}

#[test]
fn a_signal_ends_a_mount_that_is_in_use() {
    if !is_root("signals") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut child = mount_in_foreground(&Program::ours(), &desk, &point);
    let open = File::create(point.path().join("file")).unwrap();
    signal(child.id(), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(15));
    assert_eq!(point.shown(), None);
    drop(open);
}

#[test]
fn a_mount_behind_a_symlink_is_unmounted() {
    if !is_root("mounts behind symlinks") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    symlink("M", desk.path("link")).unwrap();
    let start = |line| desk.command(&Program::ours(), line).spawn().unwrap();
    let mut child = start("-fg -q -passfile right C link");
    wait::until(|| point.shown()).unwrap();
    point.wait_for_answer();
    signal(child.id(), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(15));
    assert_eq!(point.shown(), None);

    let mut child = start("-fg -q -passfile right -idle 100ms C link");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(point.shown(), None);
}

#[test]
fn an_unmount_from_outside_ends_in_peace() {
    if !is_root("unmounts") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut child = mount_in_foreground(&Program::ours(), &desk, &point);
    point.unmount();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Options and what is written to stdin.
const WAYS: [(&str, &str); 12] = [
    ("-q", "test\nrest\n"),
    ("-q", "test"),
    ("-passfile right", ""),
    ("-passfile te -passfile=st", ""),
    ("-passfile /dev/stdin", "test\n"),
    ("-o passfile=right", ""),
    ("-extpass 'printenv FROM_ENV'", ""),
    ("-extpass=printenv -extpass=FROM_ENV", ""),
    ("-config C/gocryptfs.conf -extpass 'cat right'", ""),
    ("-zerokey", ""),
    ("-masterkey=KEY", ""),
    ("-masterkey stdin", "KEY\nrest\n"),
];

#[test]
fn every_way_to_the_key_mounts() {
    if !is_root("ways to the key") {
        return;
    }
    let key = "00112233-".repeat(8);
    for program in Program::both("ways to the key") {
        for (options, input) in WAYS {
            let desk = Desk::new();
            let point = Point::new(&desk);
            let line = format!("{} C M", options.replace("KEY", &key));
            let input = input.replace("KEY", &key);
            let answer = desk.run(&program, &line, input.as_bytes());
            assert_eq!(answer.code, Some(0), "{program} {line}: {answer:?}");
            fs::write(point.path().join("file"), "content").unwrap();
            point.unmount();
        }
    }
}

/// Mounts with the process that is to be told instead of the first one.
const NOTIFIED: &str = r#"
trap 'echo notified; exit' USR1
"$0" -q -fg -passfile right -notifypid=$$ C M &
wait
"#;

#[test]
fn whoever_wants_it_is_notified_of_the_mount() {
    if !is_root("notification") {
        return;
    }
    for program in Program::both("notification") {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let mut shell = Command::new("sh");
        shell.args(["-c", NOTIFIED]).arg(program.path());
        let shell = shell.current_dir(desk.path("")).stdin(Stdio::null());
        let output = shell.output().unwrap();
        assert_eq!(output.stdout, b"notified\n", "{program}: {output:?}");
        assert!(point.shown().is_some(), "{program}");
        point.unmount();
    }
}

#[test]
fn closed_streams_do_no_harm() {
    if !is_root("closed streams") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" -passfile right -nosyslog C M <&- >&- 2>&-"]);
    shell.arg(Program::ours().path());
    let status = shell.current_dir(desk.path("")).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let file = point.path().join("file");
    fs::write(&file, "content").unwrap();
    assert_eq!(fs::read(file).unwrap(), b"content");
    point.unmount();
}

#[test]
fn a_directory_that_is_not_empty_needs_an_option() {
    if !is_root("mounts over entries") {
        return;
    }
    let desk = Desk::new();
    let point = Point::at(desk.path("full"));
    let answer = desk.run(&Program::ours(), "-nonempty C full", b"test\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(!point.path().join("file").exists());
    point.unmount();
    assert!(point.path().join("file").exists());
}

#[test]
fn a_volume_on_a_read_only_file_system_is_mounted_read_only() {
    let Some(backing) = Disk::new(Kind::Tmpfs, "read-only file systems") else {
        return;
    };
    let volume = backing.path().join("C");
    fs::create_dir(&volume).unwrap();
    let desk = Desk::new();
    let line = format!("-q -init -scryptn 10 {}", volume.display());
    assert_eq!(desk.run(&Program::ours(), &line, b"test\n").code, Some(0));
    let remounted = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(backing.path())
        .status();
    assert!(remounted.unwrap().success());

    let point = Point::new(&desk);
    let line = format!("-rw {} M", volume.display());
    let answer = desk.run(&Program::ours(), &line, b"test\n");
    assert_eq!(answer.code, Some(1));
    assert!(
        answer.says("is on a read-only filesystem, refusing."),
        "{answer:?}"
    );

    let line = format!("{} M", volume.display());
    let answer = desk.run(&Program::ours(), &line, b"test\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.says("is on a read-only filesystem, mounting as read-only."));
    assert!(point.shown().unwrap().starts_with("fuse.gocryptfs ro,"));
    point.unmount();
}
