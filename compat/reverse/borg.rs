//! A real backup program over both programs' views: whichever made the first backup, the next one of
//! the other adds nothing, and what comes back is a vault of the plain tree.

use super::plain_tree;
use crate::golden::assert_same;
use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::skip::skip_unless_ci;
use crate::support::tree::Limits;
use crate::support::vault::Vault;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// More than the description of a backup takes, less than any content that is not shared, bytes.
const DESCRIPTION: u64 = 4096;

/// A repository of `borg`, with a home of its own.
struct Borg {
    home: TempDir,
}

impl Borg {
    /// `None` if it is not installed, which is reported.
    fn new(what: &str) -> Option<Self> {
        if Command::new("borg").arg("--version").output().is_err() {
            skip_unless_ci(what, "borgbackup is not installed");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        let borg = Self { home };
        borg.run(Path::new("/"), &["init", "--encryption=none"]);
        Some(borg)
    }

    fn repository(&self) -> PathBuf {
        self.home.path().join("repository")
    }

    /// Runs in `dir`; fails if the program does. It tells of special files by ending with 1.
    fn run(&self, dir: &Path, args: &[&str]) -> Output {
        let output = Command::new("borg")
            .args(args)
            .current_dir(dir)
            .env("BORG_BASE_DIR", self.home.path())
            .env("BORG_REPO", self.repository())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        output
    }

    /// Backs `dir` up; returns how many bytes that added to the repository.
    fn back_up(&self, dir: &Path, name: &str) -> u64 {
        let archive = format!("::{name}");
        let args = ["create", "--json", "--compression=none", &archive, "."];
        let text = String::from_utf8(self.run(dir, &args).stdout).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let added = &json["archive"]["stats"]["deduplicated_size"];
        added.as_u64().unwrap()
    }
}

#[test]
fn a_backup_of_one_view_adds_nothing_to_that_of_the_other() {
    let what = "backups of both views";
    let (Some(go), Some(borg)) = (Program::go(what), Borg::new(what)) else {
        return;
    };
    let ours = Program::ours();
    let plain = plain_tree(Limits::NONE);
    let back_up = |program: &Program, name: &str| {
        let mount = Mount::new(program, &plain, &[]);
        let added = borg.back_up(&mount.path(), name);
        mount.unmount();
        added
    };
    assert!(back_up(&go, "theirs") > 10 * DESCRIPTION);
    let added = back_up(&ours, "ours");
    assert!(added < DESCRIPTION, "{added} bytes");
    let added = back_up(&go, "theirs-again");
    assert!(added < DESCRIPTION, "{added} bytes");
    let differences = borg.run(Path::new("/"), &["diff", "::theirs", "ours"]);
    assert_eq!(String::from_utf8_lossy(&differences.stdout), "");

    let restored = tempfile::tempdir().unwrap();
    borg.run(restored.path(), &["extract", "::ours"]);
    let mut vault = Vault::empty(&["-zerokey", "-aessiv", "-ro"]);
    restored.path().clone_into(&mut vault.dir);
    let mount = Mount::new(&ours, &vault, &[]);
    let wanted = kept(&digest(&plain.dir).unwrap());
    assert_same(&wanted, &kept(&digest(&mount.path()).unwrap()), "restored");
    mount.unmount();
}

/// What `borg` keeps of a digest: no sockets, which of several links are the same, no time after
/// 2038, and of course no attributes that the view does not show.
fn kept(digest: &str) -> String {
    let lines = digest.lines().filter(|line| !line.starts_with("./socket "));
    let kept = lines.map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [path, kind, mode, _, size, _, content, ..] = fields[..] else {
            panic!("not of a digest: {line}");
        };
        format!("{path} {kind} {mode} {size} {content}\n")
    });
    kept.collect()
}
