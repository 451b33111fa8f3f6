//! The daemon is killed at random moments while several programs work: whatever was reported as done
//! is there, and only what was just being done may be half done.
//!
//! `ROUNDS=500` kills as often; without it a few times.

use super::{EMPTY, LATER, findings, go_findings};
use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::vault::{ALL_FEATURES, Vault};
use rustix::fs::copy_file_range;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, hint, thread};

const WORKERS: u64 = 3;
const NAMES: usize = 12;

/// A program that works in a directory of its own, and knows what it has there.
struct Worker {
    dir: PathBuf,
    chance: Random,
    /// Files with their content, directories without.
    has: BTreeMap<String, Option<Vec<u8>>>,
    /// What is being worked on.
    at_work: Vec<String>,
}

impl Worker {
    fn new(mount: &Path, number: u64, seed: u64) -> Self {
        let dir = mount.join(format!("worker {number}"));
        fs::create_dir(&dir).unwrap();
        Self {
            dir,
            chance: Random::from_seed(seed + number),
            has: BTreeMap::new(),
            at_work: Vec::new(),
        }
    }

    /// Works until the file system is gone.
    fn work(mut self, done: &AtomicUsize) -> Self {
        while self.step().is_ok() {
            done.fetch_add(1, Ordering::SeqCst);
        }
        self
    }

    fn name(&mut self) -> String {
        let number = self.chance.below(NAMES);
        let len = *self.chance.pick(&[1, 200]);
        format!("{}{number}", "n".repeat(len))
    }

    fn step(&mut self) -> io::Result<()> {
        let (one, other) = (self.name(), self.name());
        let (path, new) = (self.dir.join(&one), self.dir.join(&other));
        let (what, target) = (self.has.get(&one).cloned(), self.has.get(&other).cloned());
        self.at_work = vec![one.clone()];
        match (self.chance.below(8), what) {
            (_, None) if self.chance.below(3) == 0 => {
                fs::create_dir(&path)?;
                self.has.insert(one, None);
            }
            (_, None) => {
                let len = self.chance.below(30_000);
                let content = self.chance.bytes(len);
                fs::write(&path, &content)?;
                self.has.insert(one, Some(content));
            }
            (0, Some(None)) => {
                fs::remove_dir(&path)?;
                self.has.remove(&one);
            }
            (0, Some(Some(_))) => {
                fs::remove_file(&path)?;
                self.has.remove(&one);
            }
            (1 | 2, Some(what)) if one != other && fits(what.as_ref(), target.as_ref()) => {
                self.at_work.push(other.clone());
                fs::rename(&path, new)?;
                self.has.remove(&one);
                self.has.insert(other, what);
            }
            (3, Some(Some(content))) if one != other && !matches!(target, Some(None)) => {
                self.at_work = vec![other.clone()];
                copy(&path, &new, content.len())?;
                self.has.insert(other, Some(content));
            }
            (4, Some(Some(mut content))) => {
                let size = self.chance.below(30_000);
                File::options()
                    .write(true)
                    .open(&path)?
                    .set_len(size as u64)?;
                content.resize(size, 0);
                self.has.insert(one, Some(content));
            }
            (_, Some(Some(mut content))) => {
                let (at, len) = (self.chance.below(30_000), self.chance.below(9000));
                let data = self.chance.bytes(len);
                let file = File::options().write(true).open(&path)?;
                file.write_all_at(&data, at as u64)?;
                if self.chance.below(4) == 0 {
                    file.sync_all()?;
                }
                if !data.is_empty() {
                    content.resize(content.len().max(at + len), 0);
                    content[at..at + len].copy_from_slice(&data);
                }
                self.has.insert(one, Some(content));
            }
            (_, Some(None)) => File::open(&path)?.sync_all()?,
        }
        Ok(())
    }

    /// What is not as it was, but for what was being worked on.
    fn losses(&self, mount: &Path) -> Vec<String> {
        let dir = mount.join(self.dir.file_name().unwrap());
        let mut lost = Vec::new();
        for (name, what) in &self.has {
            let path = dir.join(name);
            let is_same = match what {
                None => fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none()),
                Some(content) => fs::read(&path).is_ok_and(|found| found == *content),
            };
            if !is_same && !self.at_work.contains(name) {
                lost.push(format!("lost {}", path.display()));
            }
        }
        for entry in fs::read_dir(&dir).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !self.has.contains_key(&name) && !self.at_work.contains(&name) {
                lost.push(format!("{name} is new"));
            }
        }
        lost
    }
}

/// Whether something can be renamed over something: both files, or both directories.
fn fits(what: Option<&Vec<u8>>, target: Option<&Option<Vec<u8>>>) -> bool {
    target.is_none_or(|target| target.is_some() == what.is_some())
}

fn copy(from: &Path, to: &Path, len: usize) -> io::Result<()> {
    let (source, target) = (File::open(from)?, File::create(to)?);
    let (mut from, mut to) = (0, 0);
    while from < len as u64 {
        let left = len - usize::try_from(from).unwrap();
        copy_file_range(&source, Some(&mut from), &target, Some(&mut to), left)?;
    }
    Ok(())
}

/// Kills once; what is wrong then.
fn round(vault: &Vault, seed: u64) -> Vec<String> {
    let mut chance = Random::from_seed(seed);
    let mount = Mount::new(&Program::ours(), vault, &[]);
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::new(&mount.path(), number, chance.next()))
        .collect();
    let done = AtomicUsize::new(0);
    let (wanted, moment) = (10 + chance.below(300), chance.below(200_000));
    let workers: Vec<_> = thread::scope(|scope| {
        let done = &done;
        let running = workers.into_iter().map(|w| scope.spawn(|| w.work(done)));
        let running: Vec<_> = running.collect();
        while done.load(Ordering::SeqCst) < wanted {
            hint::spin_loop();
            thread::yield_now();
        }
        (0..moment).for_each(|_| hint::spin_loop());
        let pid = Pid::from_raw(mount.pid().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        running.into_iter().map(|r| r.join().unwrap()).collect()
    });
    drop(mount);
    inspect(vault, &workers)
}

fn inspect(vault: &Vault, workers: &[Worker]) -> Vec<String> {
    let mount = Mount::new(&Program::ours().behind(LATER), vault, &[]);
    let path = mount.path();
    let mut wrong: Vec<_> = workers.iter().flat_map(|w| w.losses(&path)).collect();
    // files at work may have lost the block being written: they go first
    for worker in workers {
        let dir = path.join(worker.dir.file_name().unwrap());
        for name in &worker.at_work {
            let at_work = dir.join(name);
            let _ = fs::remove_file(&at_work).or_else(|_| fs::remove_dir(&at_work));
        }
        let probe = dir.join("probe");
        if let Err(error) = fs::write(&probe, "x").and_then(|()| fs::remove_file(&probe)) {
            wrong.push(format!("cannot use {}: {error}", dir.display()));
        }
    }
    mount.unmount();
    wrong.extend(findings(vault).into_iter().filter(|class| class != EMPTY));
    wrong.extend(go_findings(vault));
    let mount = Mount::new(&Program::ours().behind(LATER), vault, &[]);
    for worker in workers {
        let dir = mount.path().join(worker.dir.file_name().unwrap());
        wrong.extend(fs::remove_dir_all(dir).err().map(|error| error.to_string()));
    }
    mount.unmount();
    let left = fs::read_dir(&vault.dir).unwrap().flatten();
    let left = left.map(|entry| entry.file_name().into_string().unwrap());
    wrong.extend(left.filter(|name| !["gocryptfs.conf", "gocryptfs.diriv"].contains(&&**name)));
    wrong
}

fn kill_often(kind: Option<Kind>, what: &str) {
    let disk = match kind.map(|kind| Disk::new(kind, what)) {
        Some(None) => return,
        disk => disk.flatten(),
    };
    let place = disk.as_ref().map_or(env::temp_dir(), Disk::path);
    let rounds = env::var("ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    let mut chance = Random::new(what);
    let mut wrong = Vec::new();
    for number in 0..rounds {
        let vault = Vault::new_in(&place, &Program::ours(), &ALL_FEATURES[0]);
        let found = round(&vault, chance.next());
        if !found.is_empty() {
            wrong.push(format!("round {number}: {}", found.join("; ")));
        }
    }
    eprintln!("{what}: {rounds} kills, {} with losses", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_done() {
    kill_often(None, "kills at random moments");
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_done_on_btrfs() {
    kill_often(Some(Kind::Btrfs), "kills at random moments on btrfs");
}
