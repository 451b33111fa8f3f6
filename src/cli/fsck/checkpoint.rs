//! The file in which an interrupted check is continued: JSON, one object a line, only ever added
//! to. First comes the volume that it belongs to, then findings and, from time to time, how far
//! the check is; of these the last counts. A line that was cut short by a crash is ignored.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::values::quoted;
use crate::fsck::{Checkpoint, Mark, Totals};
use crate::sys::{Backing, Dir, Errno, File, OpenFlags};
use crate::vault::Vault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the state is written.
const EVERY: Duration = Duration::from_secs(10);
/// What the first line says of the form of the others.
const VERSION: u64 = 1;
/// Only the owner may read what the findings say of plain names.
const MODE: u32 = 0o600;
const SIZE_MAX: usize = 1 << 30;

/// A file that holds how far a check is.
pub(super) struct CheckpointFile {
    dir: Dir,
    name: OsString,
    path: PathBuf,
    file: File,
    end: u64,
    state: Option<Checkpoint>,
    /// What was found before, as lines and as objects.
    findings: Vec<(String, Value)>,
    known: HashSet<String>,
    saved: Instant,
}

impl CheckpointFile {
    /// Opens the file, or makes it if there is none.
    ///
    /// # Errors
    /// It cannot be read or written, is no such file, or belongs to another volume.
    pub(super) fn open(path: &Path, vault: &Vault) -> Result<Self, Failure> {
        let failed = |errno: Errno| failure(path, &errno);
        let (dir, name) = Dir::open_above(path).map_err(failed)?;
        let (file, content) = match dir.open_file(&name, OpenFlags::RDWR) {
            Ok(file) => (file, dir.read_small(&name, SIZE_MAX).map_err(failed)?),
            Err(Errno::NOENT) => {
                let made = dir.create_file(&name, OpenFlags::RDWR, MODE);
                (made.map_err(failed)?, Vec::new())
            }
            Err(errno) => return Err(failed(errno)),
        };
        let volume = vault.root_key();
        let volume = volume.map_err(|error| Failure::new(ExitCode::Other, error.to_string()))?;
        let head = json!({"fsck": VERSION, "device": volume.dev, "inode": volume.ino});
        let mut opened = Self {
            dir,
            name,
            path: path.to_owned(),
            file,
            end: 0,
            state: None,
            findings: Vec::new(),
            known: HashSet::new(),
            saved: Instant::now(),
        };
        if content.is_empty() {
            opened.append(&head)?;
        } else {
            opened.load(&content, &head)?;
        }
        Ok(opened)
    }

    fn load(&mut self, content: &[u8], head: &Value) -> Result<(), Failure> {
        let mut lines = content.split_inclusive(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        if serde_json::from_slice::<Value>(first).ok().as_ref() != Some(head) {
            let what = "is no checkpoint of this volume";
            return Err(Failure::usage(format!("{} {what}", quoted(&self.path))));
        }
        self.end = first.len() as u64;
        for line in lines {
            let Ok(object) = serde_json::from_slice::<Value>(line) else {
                break;
            };
            self.end += line.len() as u64;
            if let Some(state) = checkpoint(&object["state"]) {
                self.state = Some(state);
            } else if let Some(text) = object["finding"].as_str() {
                self.known.insert(text.to_owned());
                self.findings
                    .push((text.to_owned(), object["json"].clone()));
            }
        }
        let cut = self.file.set_len(self.end);
        cut.map_err(|errno| failure(&self.path, &errno))
    }

    /// Where the check goes on, if the file is not new.
    pub(super) fn take_state(&mut self) -> Option<Checkpoint> {
        self.state.take()
    }

    /// What was found before.
    pub(super) fn findings(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.findings.iter().map(|(text, json)| (text, json))
    }

    /// Keeps a finding; `false` if it is there already.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(&mut self, text: &str, json: &Value) -> Result<bool, Failure> {
        let is_new = !self.known.contains(text);
        if is_new {
            self.append(&json!({"finding": text, "json": json}))?;
        }
        Ok(is_new)
    }

    /// Whether it is time to save the state.
    pub(super) fn is_due(&self) -> bool {
        self.saved.elapsed() >= EVERY
    }

    /// Keeps how far the check is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&mut self, state: &Checkpoint) -> Result<(), Failure> {
        self.saved = Instant::now();
        self.append(&json!({"state": object(state)}))?;
        let synced = self.file.sync(true);
        synced.map_err(|errno| failure(&self.path, &errno))
    }

    /// Removes the file: there is nothing to go on with.
    ///
    /// # Errors
    /// What `unlink(2)` says.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let removed = self.dir.unlink(&self.name);
        removed.map_err(|errno| failure(&self.path, &errno))
    }

    fn append(&mut self, line: &Value) -> Result<(), Failure> {
        let line = format!("{line}\n");
        let written = self.file.write_at(line.as_bytes(), self.end);
        written.map_err(|short| failure(&self.path, &short.errno))?;
        self.end += line.len() as u64;
        Ok(())
    }
}

fn failure(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let message = format!("Checkpoint {}: {error}", quoted(path));
    Failure::new(ExitCode::Other, message)
}

/// Names and paths are bytes: base64 keeps them all.
fn encoded(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}

fn decoded(value: &Value) -> Option<OsString> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    Some(OsString::from_vec(bytes))
}

fn object(state: &Checkpoint) -> Value {
    let names = |names: &Vec<OsString>| names.iter().map(|name| encoded(name.as_bytes())).collect();
    let dirs = state.dirs.iter().map(|dir| mark(dir, names));
    let files = state
        .files
        .iter()
        .map(|file| mark(file, |blocks| json!(blocks)));
    let Totals {
        files: done,
        dirs: done_dirs,
        bytes,
        damaged,
        skipped,
    } = state.totals;
    json!({
        "dirs": dirs.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "totals": [done, done_dirs, bytes, damaged, skipped],
    })
}

fn mark<P>(mark: &Mark<P>, pending: impl Fn(&P) -> Value) -> Value {
    json!({
        "path": encoded(mark.path.as_os_str().as_bytes()),
        "next": mark.next,
        "pending": pending(&mark.pending),
        "damaged": mark.is_damaged,
    })
}

fn checkpoint(object: &Value) -> Option<Checkpoint> {
    let totals: [u64; 5] = serde_json::from_value(object["totals"].clone()).ok()?;
    let [files, dirs, bytes, damaged, skipped] = totals;
    Some(Checkpoint {
        dirs: marks(&object["dirs"], |pending| {
            pending.as_array()?.iter().map(decoded).collect()
        })?,
        files: marks(&object["files"], |pending| {
            serde_json::from_value(pending.clone()).ok()
        })?,
        totals: Totals {
            files,
            dirs,
            bytes,
            damaged,
            skipped,
        },
    })
}

fn marks<P>(marks: &Value, pending: impl Fn(&Value) -> Option<P>) -> Option<Vec<Mark<P>>> {
    let mark = |mark: &Value| {
        Some(Mark {
            path: decoded(&mark["path"])?.into(),
            next: mark["next"].as_u64()?,
            pending: pending(&mark["pending"])?,
            is_damaged: mark["damaged"].as_bool()?,
        })
    };
    marks.as_array()?.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_as_it_was() {
        let state = Checkpoint {
            dirs: vec![Mark {
                path: PathBuf::from(OsString::from_vec(b"a/\xff\xfe".to_vec())),
                next: u64::MAX,
                pending: vec!["x".into(), OsString::from_vec(b"\x80".to_vec())],
                is_damaged: false,
            }],
            files: vec![Mark {
                path: PathBuf::from("f"),
                next: 8,
                pending: vec![(0, 4), (6, 8)],
                is_damaged: true,
            }],
            totals: Totals {
                files: 1,
                dirs: 2,
                bytes: 3,
                damaged: 4,
                skipped: 5,
            },
        };
        assert_eq!(checkpoint(&object(&state)), Some(state));
        assert_eq!(checkpoint(&json!({})), None);
    }
}
