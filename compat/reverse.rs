//! Reverse mode beside that of the Go program: the same view of the same plain tree, byte for byte
//! and number for number, with every combination of options.

mod backup;
mod borg;
mod changing;
mod exclude;
mod views;
mod volumes;

use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::tree::{self, Limits};
use crate::support::vault::Vault;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Mounts at a time.
const WORKERS: usize = 3;

/// A plain tree with everything in it, to be shown without a configuration file.
fn plain_tree(limits: Limits) -> Vault {
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    fill(&plain.dir, limits);
    plain
}

fn fill(root: &Path, limits: Limits) {
    tree::make(root, limits).unwrap();
    let deep = (0..12).fold(root.join("deep"), |path, level| {
        path.join(format!("{level}{}", "d".repeat(limits.name - 60)))
    });
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("leaf"), "leaf").unwrap();
    fs::hard_link(root.join("links/first"), root.join("nested/fourth")).unwrap();
    fs::hard_link(root.join("links/short"), root.join("nested/short")).unwrap();
    drop(UnixListener::bind(root.join("socket")).unwrap());
    let mode = Mode::from_raw_mode(0o600);
    let device = (FileType::CharacterDevice, makedev(1, 3));
    let _ = mknodat(CWD, root.join("device"), device.0, mode, device.1);
    let lengths = root.join("lengths");
    fs::create_dir(&lengths).unwrap();
    for len in 1..=limits.name {
        fs::write(lengths.join("l".repeat(len)), "").unwrap();
    }
    let mut clock = 1_400_000_000;
    for name in ["deep", "lengths", "nested", "socket", "device"] {
        let path = root.join(name);
        if path.is_dir() {
            tree::age(&path, &mut clock).unwrap();
        }
        let _ = tree::set_mtime(&path, clock, 7);
    }
    tree::set_mtime(root, clock, 8).unwrap();
}

/// What a digest leaves out, of everything below `dir`, a line an entry: it need not be the same in
/// a copy, but in two views it is. Of `dir` itself the Go program does not know the number.
fn numbers(dir: &Path) -> String {
    let mut lines = Vec::new();
    let mut ahead = vec![dir.to_owned()];
    while let Some(path) = ahead.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(dir).unwrap().display();
        let ino = if path == dir { 0 } else { found.ino() };
        lines.push(format!(
            "{name} {ino} {} {} {} {} {} {} {} {}.{}\n",
            found.nlink(),
            found.rdev(),
            found.uid(),
            found.gid(),
            found.size(),
            found.blocks(),
            found.blksize(),
            found.ctime(),
            found.ctime_nsec(),
        ));
        if found.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            ahead.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    lines.sort();
    lines.concat()
}

/// All that one of the programs shows of a plain tree.
fn view(program: &Program, plain: &Vault, options: &[&str]) -> String {
    let mount = Mount::new(program, plain, options);
    let text = digest(&mount.path()).unwrap() + &numbers(&mount.path());
    mount.unmount();
    text
}

/// Works on several cases at a time; returns what was said about them.
fn each<T: Sync>(cases: &[T], work: impl Fn(&T) -> String + Sync) -> String {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let worker = || {
            let cases = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::Relaxed)));
            cases.map(&work).collect::<String>()
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        let texts = workers.into_iter().map(|worker| worker.join().unwrap());
        texts.collect()
    })
}
