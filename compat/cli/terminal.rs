//! Prompts, through a pseudo-terminal: what is typed is never shown, whatever happens.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::{HEARING_SIGNALS, Program};
use crate::support::skip::is_root;
use crate::support::wait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ExitStatus};

/// A program at a terminal, and somebody who types and reads.
pub(crate) struct Session {
    person: OwnedFd,
    terminal: OwnedFd,
    pub(crate) child: Child,
    pub(crate) seen: String,
}

impl Session {
    pub(crate) fn start(
        program: &Program,
        desk: &Desk,
        line: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let person =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = openat(CWD, name, flags, Mode::empty()).unwrap();
        let mut command = desk.command(program, line);
        let child = command
            // a process of an orphaned group cannot be stopped
            .process_group(0)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(environment.iter().copied())
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal.try_clone().unwrap())
            .stderr(terminal.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self {
            person,
            terminal,
            child,
            seen: String::new(),
        }
    }

    /// Reads what is on the screen by now.
    fn look(&mut self) {
        let mut ready = [PollFd::new(&self.person, PollFlags::IN)];
        let moment = Timespec {
            tv_sec: 0,
            tv_nsec: 1_000_000,
        };
        if poll(&mut ready, Some(&moment)).unwrap() > 0 {
            let mut bytes = [0; 4096];
            let len = rustix::io::read(&self.person, &mut bytes).unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..len]));
        }
    }

    fn shows_what_is_typed(&self) -> bool {
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    }

    /// Waits for a prompt.
    fn expect(&mut self, prompt: &str) {
        let asked = wait::until(|| {
            self.look();
            (self.seen.ends_with(prompt) && !self.shows_what_is_typed()).then_some(())
        });
        assert!(asked.is_some(), "no {prompt:?} in {:?}", self.seen);
    }

    /// Waits until the last thing on the screen is this.
    pub(crate) fn read_to(&mut self, end: &str) {
        let shown = wait::until(|| {
            self.look();
            self.seen.ends_with(end).then_some(())
        });
        assert!(shown.is_some(), "no {end:?} in {:?}", self.seen);
    }

    /// Waits for a prompt and types a line.
    pub(crate) fn answer(&mut self, prompt: &str, line: &str) {
        self.expect(prompt);
        self.enter(line);
    }

    pub(crate) fn enter(&self, line: &str) {
        let line = format!("{line}\n");
        rustix::io::write(&self.person, line.as_bytes()).unwrap();
    }

    /// Fails unless a text was on the screen, in whatever letters.
    fn has_seen(&self, text: &str) {
        let seen = self.seen.to_lowercase();
        assert!(seen.contains(&text.to_lowercase()), "{:?}", self.seen);
    }

    /// Waits for the end. The terminal must be as it was then.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let status = wait::until(|| {
            self.look();
            self.child.try_wait().unwrap()
        });
        self.look();
        assert!(self.shows_what_is_typed());
        status.unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_new_password_is_asked_twice_and_not_shown() {
    for program in Program::both("a new password at the terminal") {
        let desk = Desk::new();
        let line = "-init -scryptn 10 E";
        let mut session = Session::start(&program, &desk, line, &[("NO_COLOR", "1")]);
        session.answer("Password: ", "geheim");
        session.answer("Repeat: ", "geheim");
        assert_eq!(session.end().code(), Some(0), "{}", session.seen);
        assert!(!session.seen.contains("geheim"), "{}", session.seen);
        assert!(!session.seen.contains('\x1b'), "{}", session.seen);

        let shown = session.seen.split_once("Your master key is:\r\n\r\n");
        let (key, _) = shown.unwrap().1.split_once("\r\n\r\n").unwrap();
        let key: String = key.split_whitespace().collect();
        assert_eq!((key.len(), key.matches('-').count()), (71, 7), "{key}");
        let line = format!("-passwd -masterkey {key} E");
        assert_eq!(desk.run(&Program::ours(), &line, b"new\n").code, Some(0));
    }
}

#[test]
fn two_different_passwords_are_none() {
    for program in Program::both("different passwords at the terminal") {
        let desk = Desk::new();
        let mut session = Session::start(&program, &desk, "-init -scryptn 10 E", &[]);
        session.answer("Password: ", "one");
        session.answer("Repeat: ", "two");
        assert_eq!(session.end().code(), Some(9));
        session.has_seen("passwords do not match");
    }
}

#[test]
fn a_password_to_open_is_asked_once_even_when_quiet() {
    for program in Program::both("a password at the terminal") {
        let desk = Desk::new();
        let mut session = Session::start(&program, &desk, "-q C M", &[]);
        session.answer("Password: ", "wrong");
        assert_eq!(session.end().code(), Some(12));
        session.has_seen("\x1b[31m");
        session.has_seen("failed to unlock master key: ");
        session.has_seen("Password incorrect.\x1b[0m");

        let mut session = Session::start(&program, &desk, "-q C M", &[]);
        session.answer("Password: ", "");
        assert_eq!(session.end().code(), Some(9));
        session.has_seen("password is empty");
    }
}

#[test]
fn the_right_password_mounts_in_the_background() {
    if !is_root("mounts from a terminal") {
        return;
    }
    for program in Program::both("mounts from a terminal") {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let mut session = Session::start(&program, &desk, "C M", &[]);
        session.answer("Password: ", "test");
        assert_eq!(session.end().code(), Some(0), "{}", session.seen);
        session.has_seen("\x1b[32mFilesystem mounted and ready.\x1b[0m");
        point.unmount();
    }
}

#[test]
fn a_changed_password_is_asked_once_and_twice() {
    for program in Program::both("another password at the terminal") {
        let desk = Desk::new();
        let mut session = Session::start(&program, &desk, "-passwd C", &[]);
        session.answer("Password: ", "test");
        session.answer("Password: ", "new");
        session.answer("Repeat: ", "new");
        assert_eq!(session.end().code(), Some(0), "{}", session.seen);
        session.has_seen("\x1b[32mPassword changed.\x1b[0m");
    }
}

#[test]
fn a_master_key_is_not_shown_either() {
    for program in Program::both("a master key at the terminal") {
        let desk = Desk::new();
        let mut session = Session::start(&program, &desk, "-fg -masterkey=stdin C M", &[]);
        session.answer("Masterkey: ", "0badc0de");
        assert_eq!(session.end().code(), Some(14));
        assert!(!session.seen.contains("0badc0de"), "{}", session.seen);
    }
}

#[test]
fn a_signal_at_the_prompt_ends_the_program_and_restores_the_terminal() {
    let desk = Desk::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let program = Program::ours().behind(HEARING_SIGNALS);
        let mut session = Session::start(&program, &desk, "-fg C M", &[]);
        session.expect("Password: ");
        kill_process(Pid::from_child(&session.child), signal).unwrap();
        assert_eq!(session.end().signal(), Some(signal.as_raw()));
    }
}

#[test]
fn a_stopped_program_shows_what_is_typed_and_asks_again() {
    let desk = Desk::new();
    let mut session = Session::start(&Program::ours(), &desk, "-fg -q C M", &[]);
    let pid = Pid::from_child(&session.child);
    session.expect("Password: ");
    kill_process(pid, Signal::TSTP).unwrap();
    wait::until(|| session.shows_what_is_typed().then_some(())).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    session.answer("Password: \r\nPassword: ", "wrong");
    assert_eq!(session.end().code(), Some(12));
}

#[test]
fn the_program_ends_with_its_terminal() {
    let desk = Desk::new();
    let mut session = Session::start(&Program::ours(), &desk, "-fg C M", &[]);
    session.expect("Password: ");
    session.person = openat(CWD, "/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
    let status = wait::until(|| session.child.try_wait().unwrap());
    assert_eq!(status.unwrap().code(), Some(9));
}
