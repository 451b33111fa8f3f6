//! Operations that are cut short, by a kill or by an error from below: what was there before is
//! there, or what was asked for; and everything stays usable.
//!
//! By default a part of the cuts and faults is tried; with `WHOLE=1` all of them. `tools/crash`
//! prints the figures, of the Go program too (`GOCRYPTFS_UNDER_TEST`).

mod cut;
mod fault;
mod kill;
mod operations;
mod passwd;
mod snapshot;

use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::skip::skip;
use crate::support::tracer::{Plan, Seen, Tracer};
use crate::support::vault::{ALL_FEATURES, Vault};
use operations::{Operation, make_tree};
use serde_json::Value;
use snapshot::State;
use std::env;
use std::fs;
use std::io;
use std::process::Command;

/// The directory in the vault that holds the tree.
const TREE: &str = "tree";
/// What an operation leaves behind that is cut short may stay for a minute, in case it is still
/// at work. These runs come after that.
const LATER: &[&str] = &["faketime", "-f", "+120s"];
/// Classes of findings that the next use of the directory or of the file mends.
const MENDED: [&str; 4] = ["block", "diriv-missing", "leftover", "longname-stale"];
/// An empty file that has a header already: as good as one without.
const EMPTY: &str = "header-cut";

/// A vault with a tree, to be copied for each try.
struct Ground {
    // before the disk that it is on
    vault: Vault,
    disk: Option<Disk>,
}

/// Whether all that there is shall be tried.
fn is_whole() -> bool {
    env::var_os("WHOLE").is_some()
}

impl Ground {
    /// On a disk of its own, or wherever temporary files are.
    fn new(kind: Option<Kind>, what: &str) -> Option<Self> {
        if Command::new("faketime").arg("-v").output().is_err() {
            skip(what, "faketime is not installed");
            return None;
        }
        let disk = match kind {
            Some(kind) => Some(Disk::new(kind, what)?),
            None => None,
        };
        let program = Program::ours();
        let place = disk.as_ref().map_or(env::temp_dir(), Disk::path);
        let vault = Vault::new_in(&place, &program, &ALL_FEATURES[0]);
        let mount = Mount::new(&program, &vault, &[]);
        fs::create_dir(mount.path().join(TREE)).unwrap();
        make_tree(&mount.path().join(TREE)).unwrap();
        mount.unmount();
        Some(Self { vault, disk })
    }

    /// A fresh copy of the vault.
    fn copy(&self) -> Vault {
        match &self.disk {
            Some(disk) => self.vault.copy_to(&disk.path()),
            None => self.vault.copy(),
        }
    }

    /// The states that an operation may leave, and the calls that it takes. The first state is the
    /// one before it, the last the one that it is to reach. `None`, and a note, if the program does
    /// not know the operation.
    fn states(&self, operation: &Operation) -> Option<(Vec<State>, Seen)> {
        let program = Program::ours();
        let vault = self.copy();
        let mount = Mount::new(&program, &vault, &[]);
        let tree = mount.path().join(TREE);
        let mut states = vec![State::of(&tree, operation.piecemeal)];
        for via in operation.via {
            via(&tree).unwrap();
            states.push(State::of(&tree, operation.piecemeal));
        }
        mount.unmount();
        let vault = self.copy();
        let mount = Mount::new(&program, &vault, &[]);
        let tree = mount.path().join(TREE);
        let tracer = Tracer::attach(mount.pid(), &vault.dir, Plan::Watch);
        let done = (operation.act)(&tree);
        let seen = tracer.finish();
        states.push(State::of(&tree, operation.piecemeal));
        mount.unmount();
        if let Err(error) = done {
            skip(operation.name, &error.to_string());
            return None;
        }
        Some((states, seen))
    }
}

/// Lets an operation happen on a mount of `vault` while its program meets with `plan`.
fn act(vault: &Vault, operation: &Operation, plan: Plan) -> (io::Result<()>, Seen) {
    let mount = Mount::new(&Program::ours(), vault, &[]);
    let tree = mount.path().join(TREE);
    let tracer = Tracer::attach(mount.pid(), &vault.dir, plan);
    let done = (operation.act)(&tree);
    let seen = tracer.finish();
    if matches!(plan, Plan::Kill(_)) {
        drop(mount);
    } else {
        mount.unmount();
    }
    (done, seen)
}

/// Everything that is wrong with a vault which shall show one of `states`. Uses it up.
fn complaints(vault: &Vault, operation: &Operation, states: &[&State]) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = findings(vault).into_iter();
    let lasting = found.filter(|class| !MENDED.contains(&&**class));
    wrong.extend(lasting.map(|class| format!("fsck finds {class}")));
    let program = later(Program::ours());
    let mount = Mount::new(&program, vault, &[]);
    let tree = mount.path().join(TREE);
    let found = State::of(&tree, operation.piecemeal);
    let difference = found.difference(states);
    wrong.extend(difference.map(|what| format!("neither old nor new{what}")));
    for dir in found.tree.dirs() {
        let probe = tree.join(dir).join("probe");
        if let Err(error) = fs::write(&probe, "x").and_then(|()| fs::remove_file(&probe)) {
            wrong.push(format!("cannot use directory {}: {error}", dir.display()));
        }
    }
    mount.unmount();
    if !found.has_lost() {
        let stay = findings(vault).into_iter();
        wrong.extend(stay.map(|class| format!("{class} stays")));
        wrong.extend(go_findings(vault));
    }
    wrong.extend(not_removed(vault, &program));
    wrong
}

/// What of a vault cannot be removed.
fn not_removed(vault: &Vault, program: &Program) -> Vec<String> {
    let mut wrong = Vec::new();
    let mount = Mount::new(program, vault, &[]);
    if let Err(error) = fs::remove_dir_all(mount.path().join(TREE)) {
        wrong.push(format!("cannot be removed: {error}"));
    }
    mount.unmount();
    let left = fs::read_dir(&vault.dir).unwrap().flatten();
    let left = left.map(|entry| entry.file_name().into_string().unwrap());
    let left = left.filter(|name| !["gocryptfs.conf", "gocryptfs.diriv"].contains(&&**name));
    wrong.extend(left.map(|name| format!("{name} is left")));
    wrong
}

/// The classes of what our check finds.
fn findings(vault: &Vault) -> Vec<String> {
    let built = Program::built();
    let output = built.run(&["fsck", "--json", vault.dir.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let findings = objects.filter(|object: &Value| object["type"] == "finding");
    let classes = findings.map(|finding| finding["class"].as_str().unwrap().to_owned());
    classes.filter(|class| class != EMPTY).collect()
}

/// What the Go program's check says, if it is installed.
fn go_findings(vault: &Vault) -> Option<String> {
    let go = Program::go("the check of the Go program")?;
    vault
        .complaints(&go)
        .map(|output| format!("Go's fsck: {}", said(&output)))
}

/// A program that lives two minutes later.
fn later(program: Program) -> Program {
    program.behind(LATER)
}
