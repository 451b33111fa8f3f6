//! What is seen of a check while it runs, and the question before a repair.

use crate::cli::desk::Desk;
use crate::cli::terminal::Session;
use crate::support::digest::digest;
use crate::support::program::{PASSWORD, Program};
use crate::support::wait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

/// So many findings that the program has to wait for somebody who reads them.
const MANY: usize = 3000;

/// A volume with entries that have no name.
fn damaged(count: usize) -> Desk {
    let desk = Desk::new();
    for n in 0..count {
        fs::write(desk.path("C").join(format!("no name {n}")), "").unwrap();
    }
    desk
}

#[test]
fn a_repair_begins_when_the_answer_is_yes() {
    for (answer, code) in [("n", 26), ("", 26), ("y", 0)] {
        let desk = damaged(1);
        let before = digest(&desk.path("C")).unwrap();
        let mut session = Session::start(&Program::ours(), &desk, "fsck --repair C", &[]);
        session.answer("Password: ", "test");
        session.read_to("Repair? [y/N] ");
        assert!(session.seen.contains("\": move to lost+found\r\n"));
        assert_eq!(digest(&desk.path("C")).unwrap(), before);
        session.enter(answer);
        assert_eq!(session.end().code(), Some(code), "{}", session.seen);
        let is_same = digest(&desk.path("C")).unwrap() == before;
        assert_eq!(is_same, code == 26, "{}", session.seen);
    }
}

#[test]
fn a_signal_at_the_question_ends_the_program_and_changes_nothing() {
    let desk = damaged(1);
    let before = digest(&desk.path("C")).unwrap();
    let mut session = Session::start(&Program::ours(), &desk, "fsck --repair C", &[]);
    session.answer("Password: ", "test");
    session.read_to("Repair? [y/N] ");
    kill_process(Pid::from_child(&session.child), Signal::INT).unwrap();
    assert_eq!(session.end().code(), Some(11), "{}", session.seen);
    assert!(session.seen.ends_with("fsck: aborted\r\n"));
    assert_eq!(digest(&desk.path("C")).unwrap(), before);
}

#[test]
fn a_terminal_shows_a_bar_unless_it_shall_be_quiet() {
    for (line, is_shown) in [("fsck C", true), ("fsck -q C", false)] {
        let desk = damaged(MANY);
        let mut session = Session::start(&Program::ours(), &desk, line, &[]);
        session.answer("Password: ", "test");
        session.read_to("fsck summary: 3000 corrupt files, 0 files skipped\r\n");
        assert_eq!(session.end().code(), Some(26));
        let seen = &session.seen;
        assert_eq!(seen.contains("% "), is_shown, "{seen}");
        assert_eq!(seen.contains(" of 3,000 files, "), is_shown, "{seen}");
        assert_eq!(seen.contains(" left"), is_shown, "{seen}");
    }
}

#[test]
fn elsewhere_a_line_tells_how_far_it_is() {
    let desk = damaged(MANY);
    let mut command = desk.command(&Program::ours(), "fsck C");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD).unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    // the program is kept from its end by reading what it says line by line
    let shown = wait::until(|| {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut ready = [PollFd::new(stderr.get_ref(), PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        (poll(&mut ready, Some(&now)).unwrap() > 0).then_some(())
    });
    assert!(shown.is_some());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(
        line.starts_with("fsck: ") && line.contains(" files, "),
        "{line}"
    );
    stdout.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(26));
}
