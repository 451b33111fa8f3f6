//! Mounts as scripts see them: the way into the background, what the kernel shows, signals.

use super::desk::{Answer, Desk};
use super::point::Point;
use crate::support::disk::{Disk, Kind};
use crate::support::program::Program;
use crate::support::skip::is_root;
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn mount(desk: &Desk, program: &Program, options: &str) -> Answer {
    desk.run(program, &format!("{options} C M"), b"test\n")
}

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
fn mount_in_foreground(desk: &Desk, point: &Point, options: &str) -> Child {
    let line = format!("-fg -q -passfile right {options} C M");
    let mut command = desk.command(&Program::ours(), &line);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let shown = wait::until(|| {
        let ended = child.try_wait().unwrap();
        assert_eq!(ended, None, "{options}");
        point.shown()
    });
    assert!(shown.is_some(), "{options}");
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
    for sent in [Signal::INT, Signal::TERM] {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let mut child = mount_in_foreground(&desk, &point, "");
        signal(child.id(), sent);
        assert_eq!(child.wait().unwrap().code(), Some(15));
        assert_eq!(point.shown(), None);
    }
}

#[test]
fn a_signal_ends_a_mount_that_is_in_use() {
    if !is_root("signals") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut child = mount_in_foreground(&desk, &point, "");
    let open = File::create(point.path().join("file")).unwrap();
    signal(child.id(), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(15));
    assert_eq!(point.shown(), None);
    drop(open);
}

#[test]
fn an_unmount_from_outside_ends_in_peace() {
    if !is_root("unmounts") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let mut child = mount_in_foreground(&desk, &point, "");
    point.unmount();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[rustfmt::skip]
const SHOWN: &[(&str, &str)] = &[
    ("", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-ro", "fuse.gocryptfs ro,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-rw -ro", "fuse.gocryptfs ro,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-suid -dev", "fuse.gocryptfs rw,relatime,user_id=0,group_id=0"),
    ("-suid -dev -nosuid -nodev", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-noexec -exec", "fuse.gocryptfs rw,nosuid,nodev,noexec,relatime,user_id=0,group_id=0"),
    ("-allow_other", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other"),
    ("-force_owner 1:2", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other"),
    ("-acl", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions"),
    ("-ko noatime", "fuse.gocryptfs rw,nosuid,nodev,noatime,user_id=0,group_id=0"),
    ("-o ro,noexec,nofail,dev,suid", "fuse.gocryptfs ro,noexec,relatime,user_id=0,group_id=0"),
    ("-q -nosyslog=0 -kernel_cache -noprealloc -sharedstorage", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
];

#[test]
fn the_kernel_shows_what_the_options_say() {
    if !is_root("the list of mounts") {
        return;
    }
    let go = Program::go("the list of mounts");
    for program in [Some(Program::ours()), go].iter().flatten() {
        for (options, wanted) in SHOWN {
            let desk = Desk::new();
            let point = Point::new(&desk);
            let answer = mount(&desk, program, options);
            assert_eq!(answer.code, Some(0), "{program} {options}: {answer:?}");
            let shown = point.shown();
            assert_eq!(shown.as_deref(), Some(*wanted), "{program} {options}");
            point.unmount();
        }
    }
}

#[test]
fn the_name_of_the_file_system_is_the_volume_or_the_option() {
    if !is_root("names of file systems") {
        return;
    }
    let desk = Desk::new();
    let volume = desk.path("C");
    let wanted = [("", volume.to_str().unwrap()), ("-fsname=a,b", "a_b")];
    for (options, wanted) in wanted {
        let point = Point::new(&desk);
        let answer = mount(&desk, &Program::ours(), options);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = format!("{wanted} {} ", point.path().display());
        assert!(mounts.contains(&line), "{mounts}");
        point.unmount();
    }
}

#[test]
fn every_way_to_the_key_mounts() {
    if !is_root("ways to the key") {
        return;
    }
    let key = "00112233".repeat(8);
    for options in [
        "-q",
        "-passfile te -passfile=st",
        "-o passfile=right",
        "-extpass=printenv -extpass=FROM_ENV",
        "-zerokey",
        "-nonempty -masterkey=KEY",
    ] {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let options = options.replace("KEY", &key);
        let answer = mount(&desk, &Program::ours(), &options);
        assert_eq!(answer.code, Some(0), "{options}: {answer:?}");
        fs::write(point.path().join("file"), "content").unwrap();
        point.unmount();
    }
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
