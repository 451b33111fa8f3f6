//! The two programs: ours, and the Go program that is the reference.

use super::skip::skip_unless_ci;
use std::env;
use std::fmt::{self, Display, Formatter};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The password of every test vault.
pub(crate) const PASSWORD: &[u8] = b"test\n";

/// What lets a program be ended by signals even if the tests are run by nohup(1) or as a job in the
/// background, which have some of them ignored.
pub(crate) const HEARING_SIGNALS: &[&str] = &["env", "--default-signal"];

/// A program with the command line of gocryptfs.
pub(crate) struct Program {
    path: PathBuf,
    /// A command that starts it.
    before: &'static [&'static str],
}

impl Program {
    /// The one this package builds, or the one that `GOCRYPTFS_UNDER_TEST` names.
    pub(crate) fn ours() -> Self {
        match env::var_os("GOCRYPTFS_UNDER_TEST") {
            None => Self::built(),
            Some(path) => Self {
                path: path.into(),
                before: &[],
            },
        }
    }

    /// The one this package builds, even if another one is under test.
    pub(crate) fn built() -> Self {
        let path = env!("CARGO_BIN_EXE_gocryptfs").into();
        Self { path, before: &[] }
    }

    /// Ours, without root's right to ignore the permissions of files.
    pub(crate) fn ours_obeying_permissions() -> Self {
        let before: &[_] = if rustix::process::geteuid().is_root() {
            &["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        } else {
            &[]
        };
        Self {
            before,
            ..Self::ours()
        }
    }

    /// The Go program on the path; without it, reports that `what` was skipped.
    pub(crate) fn go(what: &str) -> Option<Self> {
        let version = Command::new("gocryptfs").arg("-version").output();
        let is_go =
            version.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("go-fuse"));
        if !is_go {
            skip_unless_ci(what, "the Go program is not installed");
        }
        is_go.then(|| Self {
            path: "gocryptfs".into(),
            before: &[],
        })
    }

    /// Ours, and the Go program if it is installed; else reports that `what` was skipped with it.
    pub(crate) fn both(what: &str) -> Vec<Self> {
        let both = [Some(Self::ours()), Self::go(what)];
        both.into_iter().flatten().collect()
    }

    /// The same, started by another command.
    pub(crate) fn behind(self, before: &'static [&'static str]) -> Self {
        Self { before, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn command(&self) -> Command {
        let Some((first, rest)) = self.before.split_first() else {
            return Command::new(&self.path);
        };
        let mut command = Command::new(first);
        command.args(rest).arg(&self.path);
        command
    }

    /// Runs to its end with the password on standard input, twice for those who ask twice.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a program that needs no password may have gone already
        let _ = child.stdin.take().unwrap().write_all(&PASSWORD.repeat(2));
        child.wait_with_output().unwrap()
    }
}

impl Display for Program {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.path.display())
    }
}

/// What a program said, for messages of failed tests.
pub(crate) fn said(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{}\n{stdout}{stderr}", output.status)
}
