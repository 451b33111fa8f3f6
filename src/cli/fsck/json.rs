//! Findings and the summary as JSON objects, one a line, for programs.

use crate::cli::json::VERSION;
use crate::cli::values::hexadecimal;
use crate::fsck::repair::Step;
use crate::fsck::{Finding, Severity, Totals};
use serde_json::{Map, Value, json};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The object for a finding.
pub(super) fn finding(finding: &Finding) -> Value {
    let damage = &finding.damage;
    let severity = match damage.severity() {
        Severity::Damage => "damage",
        Severity::Skipped => "skipped",
        Severity::Note => "note",
    };
    let mut object = Map::new();
    object.insert("type".into(), "finding".into());
    object.insert("version".into(), VERSION.into());
    object.insert("class".into(), damage.class().into());
    object.insert("severity".into(), severity.into());
    path(&mut object, "path", Some(finding.path.as_os_str()));
    let plain = finding.plain.as_ref().map(|path| path.as_os_str());
    path(&mut object, "plain_path", plain);
    object.insert("inode".into(), finding.ino.into());
    if let Some((first, last)) = damage.blocks() {
        object.insert("block".into(), first.0.into());
        object.insert("last_block".into(), last.0.into());
        object.insert("offset".into(), damage.offset().into());
    }
    object.insert("message".into(), damage.to_string().into());
    object.insert("repair".into(), damage.remedy().to_string().into());
    object.into()
}

/// Names are bytes; where they are no UTF-8, a second key holds them as they are, in hexadecimal.
fn path(object: &mut Map<String, Value>, key: &str, path: Option<&OsStr>) {
    let text = path.map(|path| path.to_string_lossy().into_owned());
    object.insert(key.into(), text.into());
    if let Some(path) = path.filter(|path| path.to_str().is_none()) {
        let hex = hexadecimal(path.as_bytes());
        object.insert(format!("{key}_hex"), hex.into());
    }
}

/// The object at the end. `result` is `clean`, `damaged` or `aborted`.
pub(super) fn summary(result: &str, totals: &Totals) -> Value {
    json!({
        "type": "summary",
        "version": VERSION,
        "result": result,
        "files": totals.files,
        "directories": totals.dirs,
        "bytes": totals.bytes,
        "damaged": totals.damaged,
        "skipped": totals.skipped,
    })
}

/// The object for a step of a repair.
pub(super) fn step(step: &Step, state: &str, error: Option<&str>) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), "repair".into());
    object.insert("version".into(), VERSION.into());
    path(&mut object, "path", Some(step.path.as_os_str()));
    let plain = step.plain.as_ref().map(|path| path.as_os_str());
    path(&mut object, "plain_path", plain);
    object.insert("action".into(), step.action.word().into());
    object.insert("message".into(), step.action.to_string().into());
    object.insert("state".into(), state.into());
    if let Some(error) = error {
        object.insert("error".into(), error.into());
    }
    object.into()
}

/// The object at the end of a repair.
pub(super) fn repaired(done: usize, left: usize, saved: Option<&Path>) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), "repair-summary".into());
    object.insert("version".into(), VERSION.into());
    object.insert("done".into(), done.into());
    object.insert("left".into(), left.into());
    path(&mut object, "saved", saved.map(Path::as_os_str));
    object.into()
}
