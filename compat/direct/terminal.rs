//! What is seen of an export while it runs, and how it is interrupted.

use crate::cli::desk::Desk;
use crate::cli::terminal::Session;
use crate::support::program::{HEARING_SIGNALS, PASSWORD, Program};
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

/// So many entries without a name that the program has to wait for somebody who reads about them.
const MANY: usize = 3000;

fn damaged() -> Desk {
    let desk = Desk::new();
    for n in 0..MANY {
        fs::write(desk.path("C").join(format!("no name {n}")), "").unwrap();
    }
    desk
}

#[test]
fn a_terminal_shows_a_bar_unless_it_shall_be_quiet() {
    for (line, is_shown) in [("export C E", true), ("export -q C E", false)] {
        let desk = damaged();
        let mut session = Session::start(&Program::ours(), &desk, line, &[]);
        session.answer("Password: ", "test");
        session.read_to("\x1b[0m\r\n");
        let end = "gocryptfs fsck --dry-run";
        wait::until(|| {
            session.read_to("\x1b[0m\r\n");
            session.seen.contains(end).then_some(())
        });
        assert_eq!(session.end().code(), Some(26));
        let seen = &session.seen;
        assert_eq!(seen.contains(" files, "), is_shown, "{seen}");
    }
}

#[test]
fn a_signal_ends_an_export() {
    let desk = damaged();
    let program = Program::ours().behind(HEARING_SIGNALS);
    for (line, signal) in [("export C E", Signal::INT), ("export C -", Signal::TERM)] {
        let mut command = desk.command(&program, line);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD).unwrap();
        // it is in the midst of its work once it tells of something, and cannot go on until that
        // is read
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("cannot read "), "{line}");
        kill_process(Pid::from_child(&child), signal).unwrap();
        // it goes on line by line, so that it sees the signal long before its end
        let status = wait::until(|| {
            let _ = stderr.read_line(&mut line);
            child.try_wait().unwrap()
        });
        assert_eq!(status.unwrap().code(), Some(15), "{line}");
    }
}
