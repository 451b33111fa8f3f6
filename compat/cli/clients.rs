//! The command lines of desktop programs, wrappers and scripts, each run by both programs.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Who makes volumes, with which line (E is the directory), and what is written to stdin.
const INITS: &[(&str, &str, &str)] = &[
    ("SiriKali", "--init -q -scryptn 10 E", "test\n"),
    (
        "Plasma Vault, the password twice",
        "-init -scryptn 10 E",
        "test\ntest\n",
    ),
    ("GNOME Vaults", "--init -q -scryptn 10 -- E", "test"),
    (
        "a script",
        "-q -init -plaintextnames -scryptn=10 -extpass=printenv -extpass=FROM_ENV E",
        "",
    ),
    (
        "a container",
        "-init -scryptn 10 -passfile right -nosyslog E",
        "",
    ),
];

/// Who mounts, with which line (C and M are the directories, @/C is followed by the path of C), what
/// is written to stdin, and what the kernel shows: the source, and options among the others.
const MOUNTS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "SiriKali",
        "-q --config C/gocryptfs.conf C M -o rw,fsname=Gocryptfs@/C",
        "test\n",
        "Gocryptfs@/C",
        "rw,nosuid,nodev",
    ),
    (
        "SiriKali, read-only",
        "-q C M -o ro,fsname=gocryptfs@x",
        "test",
        "gocryptfs@x",
        "ro,nosuid",
    ),
    (
        "Plasma Vault",
        "-nonempty C M",
        "test\n",
        "C",
        "rw,nosuid,nodev",
    ),
    (
        "Plasma Vault, options last",
        "C M -nonempty",
        "test\n",
        "C",
        "rw,nosuid,nodev",
    ),
    ("GNOME Vaults", "-q -- C M", "test", "C", "rw,nosuid,nodev"),
    (
        "zuluCrypt",
        "C M -o nodev,nosuid,quiet",
        "test\n",
        "C",
        "rw,nosuid,nodev",
    ),
    (
        "pam_mount",
        "C M -o rw,noexec,nosuid,nodev,allow_other,passfile=right",
        "",
        "C",
        "rw,nosuid,nodev,noexec",
    ),
    (
        "mount.fuse3",
        "C M -o rw,passfile=right,nofail,dev,suid",
        "",
        "C",
        "rw,relatime",
    ),
    (
        "CLI_ABI, one password line",
        "-q -- C M",
        "test\n",
        "C",
        "rw,nosuid,nodev",
    ),
    (
        "a script",
        "-q -extpass 'printenv FROM_ENV' C M",
        "",
        "C",
        "rw,nosuid,nodev",
    ),
    (
        "two secrets",
        "-passfile te -passfile st -q C M",
        "",
        "C",
        "rw,nosuid,nodev",
    ),
];

#[test]
fn volumes_are_made_by_the_command_lines_of_clients() {
    for program in Program::both("volumes made by clients") {
        for (client, line, input) in INITS {
            let desk = Desk::new();
            let answer = desk.run(&program, line, input.as_bytes());
            assert_eq!(answer.code, Some(0), "{program} {client}: {answer:?}");
            let is_quiet = line.contains("-q ");
            assert_eq!(answer.stdout.is_empty(), is_quiet, "{client}: {answer:?}");
            assert_eq!(answer.stderr, "", "{client}");
            let info = desk.run(&program, "-info E", b"");
            assert_eq!(info.code, Some(0), "{client}: {info:?}");
        }
    }
}

#[test]
fn clients_mount_with_their_command_lines() {
    if !is_root("mounts of clients") {
        return;
    }
    for program in Program::both("mounts of clients") {
        for (client, line, input, source, options) in MOUNTS {
            let desk = Desk::new();
            let point = Point::new(&desk);
            // this reads stdout to its end, as GNOME Vaults does
            let volume = format!("@{}", desk.path("C").display());
            let line = line.replace("@/C", &volume);
            let answer = desk.run(&program, &line, input.as_bytes());
            assert_eq!(answer.code, Some(0), "{program} {client}: {answer:?}");
            let is_quiet = line.contains("-q") || line.contains("quiet");
            let is_told = answer.stdout.contains("Filesystem mounted and ready.\n");
            assert_eq!(is_told, !is_quiet, "{program} {client}: {answer:?}");
            let [shown_source, kind, shown] = point.line().unwrap();
            let source = source.replace("@/C", &volume);
            let wanted = if source == "C" {
                desk.path("C")
            } else {
                source.into()
            };
            assert_eq!(Path::new(&shown_source), wanted, "{program} {client}");
            assert_eq!(kind, "fuse.gocryptfs");
            assert!(shown.starts_with(options), "{program} {client}: {shown}");
            if !options.starts_with("ro") {
                fs::write(point.path().join("file"), client).unwrap();
                assert_eq!(
                    fs::read(point.path().join("file")).unwrap(),
                    client.as_bytes()
                );
            }
            point.unmount();
        }
    }
}

/// Reads what `child` says until it has mounted: the Go program fails when it is unmounted before.
fn wait_until_ready(child: &mut Child) {
    let said = BufReader::new(child.stdout.as_mut().unwrap());
    let mut lines = said.lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "Filesystem mounted and ready."));
}

#[test]
fn supervisors_keep_a_mount_in_the_foreground() {
    if !is_root("mounts of supervisors") {
        return;
    }
    for program in Program::both("mounts of supervisors") {
        for line in [
            "-extpass 'printenv FROM_ENV' -fg -nosyslog C M",
            "-fg -allow_other -passfile right -o rw C M",
        ] {
            let desk = Desk::new();
            let point = Point::new(&desk);
            let mut command = desk.command(&program, line);
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            wait_until_ready(&mut child);
            point.unmount();
            assert_eq!(child.wait().unwrap().code(), Some(0), "{program} {line}");
        }
    }
}

#[test]
fn shells_hand_over_a_password_in_a_pipe_with_a_number() {
    if !is_root("mounts of shells") {
        return;
    }
    for program in Program::both("mounts of shells") {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let mut shell = Command::new("bash");
        shell
            .args(["-c", "exec \"$0\" -q -passfile <(printf test) C M"])
            .arg(program.path());
        let output = shell
            .current_dir(desk.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
        point.unmount();
    }
}

#[test]
fn the_version_is_where_front_ends_look_for_it() {
    let answer = Desk::new().run(&Program::ours(), "--version", b"");
    let first = answer.stdout.split(';').next().unwrap();
    let words: Vec<&str> = first.split(' ').collect();
    assert_eq!(words[0], "gocryptfs");
    let numbers: Vec<u32> = words[1]
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(numbers.len(), 3);
    assert!(numbers[0] >= 2, "{first}");
}
