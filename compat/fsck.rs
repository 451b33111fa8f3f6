//! The check of a volume: it finds each kind of damage, finds nothing where nothing is wrong, and
//! changes nothing.

mod collection;
mod command;
mod entangled;
mod flips;
mod readable;
mod repair;
mod resume;
mod saving;
mod terminal;
mod unreadable;

use crate::support::program::Program;
use crate::support::vault::Vault;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Runs our check of `vault`; `args` stand in front of CIPHERDIR, `paths` behind it.
fn check(vault: &Vault, args: &[&str], paths: &[&str]) -> Output {
    let mut line = vec!["fsck"];
    line.extend(vault.options.iter().map(String::as_str));
    line.extend(args);
    line.push(vault.dir.to_str().unwrap());
    line.extend(paths);
    Program::ours().run(&line)
}

/// The findings in JSON output, without the summary, as lines: class, path, first and last block.
fn lines(output: &Output) -> Vec<String> {
    let objects = objects(output);
    let findings = objects.iter().filter(|object| object["type"] == "finding");
    let mut lines: Vec<_> = findings.map(line).collect();
    lines.sort();
    lines
}

fn line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    let line = format!("{} {}", text("class"), text("path"));
    match finding["block"].as_u64() {
        Some(first) => format!("{line} {first} {}", finding["last_block"]),
        None => line,
    }
}

/// The JSON objects in the output, which holds nothing else.
fn objects(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let objects = text.lines().map(serde_json::from_str);
    objects.map(|object| object.expect(text)).collect()
}

/// The folders of all damaged volumes.
pub(crate) fn broken_volumes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/broken");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(found.len() > 50);
    found
}

fn broken(name: &str) -> Vault {
    let folder = broken_volumes()
        .into_iter()
        .find(|path| path.ends_with(name));
    Vault::unpack(&folder.unwrap())
}
