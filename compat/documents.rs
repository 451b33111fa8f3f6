//! README.md and docs: what they claim is shown by tests that exist, their links lead somewhere, and
//! the commands in their blocks of kind `sh` run.

use crate::support::program::Program;
use crate::support::skip::{is_root, skip};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What the commands find unless they make directories themselves.
const PRELUDE: &str = "
mkdir vault plain documents view backup
gocryptfs -q -init -scryptn 10 vault
gocryptfs -q vault plain
mkdir -p plain/photos/2019 plain/notes
echo picture | tee plain/photos/2019/cat.jpg >plain/notes/today
echo letter >documents/letter
fusermount3 -u plain
";

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(top().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let paths = docs.chain([top().join("README.md"), top().join("tools/bench/README.md")]);
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The names of all functions in the Rust files below `dir`.
fn functions(dir: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let source = fs::read_to_string(path).unwrap();
            let named = source.split("fn ").skip(1);
            into.extend(named.filter_map(|tail| Some(tail.split_once('(')?.0.to_owned())));
        }
    }
}

/// What stands between backticks outside of blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_and_command_that_is_named_exists() {
    let mut known = BTreeSet::new();
    for dir in ["src", "compat", "tools"] {
        functions(&top().join(dir), &mut known);
    }
    let mut named = 0;
    for (path, text) in documents() {
        for line in text.lines() {
            let is_evidence = |word: &&str| word.starts_with("tools/") || is_sentence(word);
            for word in quoted(line).filter(is_evidence) {
                let command = word.split(' ').next().unwrap();
                let is_there = known.contains(word) || top().join(command).exists();
                assert!(is_there, "{}: {word}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 40);
}

/// Whether a word is like the name of a test.
fn is_sentence(word: &str) -> bool {
    let is_word = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    word.matches('_').count() >= 3 && word.chars().all(is_word)
}

#[test]
fn every_row_of_the_comparison_names_its_evidence() {
    let readme = fs::read_to_string(top().join("README.md")).unwrap();
    let mut rows = 0;
    for table in readme.split("| shown by |\n").skip(1) {
        for row in table
            .lines()
            .skip(1)
            .take_while(|line| line.starts_with('|'))
        {
            let evidence = row.trim_end_matches('|').rsplit('|').next().unwrap();
            let mut words = quoted(evidence).peekable();
            assert!(words.peek().is_some(), "{row}");
            for word in words {
                let is_known = word.starts_with("tools/") || word.matches('_').count() >= 2;
                assert!(is_known, "{word}: {row}");
            }
            rows += 1;
        }
    }
    assert!(rows >= 20);
}

#[test]
fn every_link_leads_to_a_file() {
    for (path, text) in documents() {
        let links = text.split("](").skip(1);
        for link in links.filter_map(|tail| tail.split_once(')')) {
            let file = link.0.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                let target = path.parent().unwrap().join(file);
                assert!(target.exists(), "{}: {file}", path.display());
            }
        }
    }
}

#[test]
fn the_commands_of_the_documents_run() {
    if !is_root("commands of README.md") {
        return;
    }
    let has_rsync = Command::new("rsync").arg("--version").output().is_ok();
    for (path, text) in documents() {
        for block in text.split("```sh\n").skip(1) {
            let commands = block.split("```").next().unwrap();
            if commands.contains("rsync") && !has_rsync {
                skip("commands of docs/reverse.md", "rsync is not installed");
                continue;
            }
            run(&path, commands);
        }
    }
}

/// Runs commands where they have what they name, with an answer whenever they ask for a password.
fn run(document: &Path, commands: &str) {
    let home = TempDir::new().unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(Program::ours().path(), bin.join("gocryptfs")).unwrap();
    let prelude = if commands.contains("mkdir") {
        ""
    } else {
        PRELUDE
    };
    let script = format!(
        "set -eu -o pipefail\ntrap 'umount -l plain view 2>/dev/null || true' EXIT\n{prelude}{commands}"
    );
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(home.path());
    shell.env("PATH", format!("{}:{path}", bin.display()));
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&b"test\n".repeat(20)).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}: {said}\n{commands}",
        document.display()
    );
}
