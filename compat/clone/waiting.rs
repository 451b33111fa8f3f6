//! What is seen of `gocryptfs clone` while it runs, and how it is interrupted.

use super::{Ground, SHARING, bytes};
use crate::cli::desk::Desk;
use crate::cli::terminal::Session;
use crate::support::program::{HEARING_SIGNALS, Program};
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// A tree of two files in a mounted vault where storage can be shared.
fn ground() -> Option<Ground> {
    let what = "clone -r at a terminal";
    let ground = Ground::plain(SHARING[0], what)?;
    fs::create_dir(ground.join("tree")).unwrap();
    ground.write("tree/one", &bytes(1, 100_000));
    ground.write("tree/two", &bytes(2, 100_000));
    Some(ground)
}

fn line(ground: &Ground, options: &str) -> String {
    let [tree, copy] = ["tree", "copy"].map(|name| ground.join(name));
    format!("clone {options} {} {}", tree.display(), copy.display())
}

/// Whether a signal is in a set of signals of a process, see `proc_pid_status(5)`.
fn has(pid: Pid, set: &str, signal: Signal) -> bool {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = fs::read_to_string(path).unwrap_or_default();
    let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
    let mask = lines.find_map(|(name, mask)| (name == set).then_some(mask));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

#[test]
fn a_terminal_shows_how_far_a_clone_is_unless_it_shall_be_quiet() {
    let Some(ground) = ground() else { return };
    for (options, is_shown) in [("-r", true), ("-r -q", false)] {
        let mut session =
            Session::start(&Program::ours(), &Desk::new(), &line(&ground, options), &[]);
        assert_eq!(session.end().code(), Some(0), "{}", session.seen);
        assert_eq!(
            session.seen.contains(" files, "),
            is_shown,
            "{}",
            session.seen
        );
        fs::remove_dir_all(ground.join("copy")).unwrap();
    }
}

#[test]
fn a_signal_ends_a_clone_and_nothing_is_left_of_it() {
    let Some(ground) = ground() else { return };
    let program = Program::ours().behind(HEARING_SIGNALS);
    // The clone waits for the mount, and the mount does nothing until the signal has come.
    ground.mount.signal(Signal::STOP);
    let mut session = Session::start(&program, &Desk::new(), &line(&ground, "-r"), &[]);
    let pid = Pid::from_child(&session.child);
    let waits = wait::until(|| has(pid, "SigBlk", Signal::INT).then_some(()));
    kill_process(pid, Signal::INT).unwrap();
    let taken = wait::until(|| (!has(pid, "ShdPnd", Signal::INT)).then_some(()));
    ground.mount.signal(Signal::CONT);
    assert!(waits.is_some() && taken.is_some());
    assert_eq!(session.end().code(), Some(15), "{}", session.seen);
    assert!(session.seen.contains("Interrupted"), "{}", session.seen);
    let names = fs::read_dir(ground.mount.path()).unwrap();
    let names = names.filter(|entry| entry.as_ref().unwrap().file_name() != "gocryptfs.conf");
    assert_eq!(names.count(), 1);
}

#[test]
fn a_signal_ends_a_measurement() {
    let program = Program::ours().behind(HEARING_SIGNALS);
    let mut session = Session::start(&program, &Desk::new(), "speed", &[]);
    session.read_to("\r\n");
    kill_process(Pid::from_child(&session.child), Signal::INT).unwrap();
    let status = session.end();
    assert_eq!(status.code(), None, "{}", session.seen);
    assert!(
        !session.seen.contains("XChaCha20-Poly1305-Rust"),
        "{}",
        session.seen
    );
}
