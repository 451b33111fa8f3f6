//! A folder with everything that the command lines of the tests name, in which they run.

use crate::support::program::{Program, said};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// What `gocryptfs` answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Whether a text is in either stream. Version 2.3 of the Go program begins some messages with
    /// a capital where later ones do not, so capitals do not count.
    pub(crate) fn says(&self, text: &str) -> bool {
        let streams = [&self.stdout, &self.stderr];
        let text = text.to_lowercase();
        streams
            .iter()
            .any(|stream| stream.to_lowercase().contains(&text))
    }
}

/// The files of a volume: names, modes and contents. It is made once, all desks get a copy.
fn volume() -> &'static [(OsString, u32, Vec<u8>)] {
    static VOLUME: OnceLock<Vec<(OsString, u32, Vec<u8>)>> = OnceLock::new();
    VOLUME.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        let path = dir.path().to_str().unwrap();
        let made = Program::ours().run(&["-q", "-init", "-scryptn", "10", path]);
        assert!(made.status.success(), "{}", said(&made));
        let files = fs::read_dir(dir.path()).unwrap().map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let content = fs::read(entry.path()).unwrap();
            (entry.file_name(), metadata.permissions().mode(), content)
        });
        files.collect()
    })
}

/// The words of a line, which blanks separate unless they stand between single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// A folder with a volume `C` (password `test`), an empty directory `E`, a mount point `M`, a
/// directory `full` that is not empty, and some files that hold passwords.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        for name in ["C", "E", "M", "full"] {
            fs::create_dir(desk.path(name)).unwrap();
        }
        let files: [(&str, &[u8]); 7] = [
            ("full/file", b""),
            ("right", b"test\n"),
            ("te", b"te"),
            ("st", b"st\nrest"),
            ("wrong", b"tset\n"),
            ("empty", b""),
            ("newline", b"\ntest\n"),
        ];
        for (name, content) in files {
            fs::write(desk.path(name), content).unwrap();
        }
        for (name, mode, content) in volume() {
            let path = desk.path("C").join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        desk
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program with the words of `line`, in this folder.
    pub(crate) fn command(&self, program: &Program, line: &str) -> Command {
        let mut command = program.command();
        command.args(words(line));
        command.current_dir(self.0.path()).env("FROM_ENV", "test");
        // the Go program leaves a directory there when a check fails
        command.env("TMPDIR", self.0.path());
        command
    }

    /// Runs to the end with `input` on stdin.
    pub(crate) fn run(&self, program: &Program, line: &str, input: &[u8]) -> Answer {
        self.run_with(program, line, input, &[])
    }

    /// Mounts `C` on `M` in the background.
    pub(crate) fn mount(&self, program: &Program, options: &str) -> Answer {
        self.run(program, &format!("{options} C M"), b"test\n")
    }

    /// As [`Desk::run`], with these variables in the environment.
    pub(crate) fn run_with(
        &self,
        program: &Program,
        line: &str,
        input: &[u8],
        environment: &[(&str, &OsStr)],
    ) -> Answer {
        let mut child = self
            .command(program, line)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a program that reads nothing may have gone already
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Answer {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
