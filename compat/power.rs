//! Power failures: what was synced before is there afterwards. `CUTS=100` lets the power fail as
//! often on each kind of disk.

use crate::support::disk::{Disk, Kind, copy_image};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::write_log::Log;
use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Directories; twice as many as helper files are kept to be synced one by one.
const DIRS: usize = 130;

/// Writes and syncs a file, then each directory above it up to `top`, as databases do.
fn write_durably(top: &Path, relative: &Path) {
    let path = top.join(relative);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(&path).unwrap();
    file.write_all(relative.as_os_str().as_encoded_bytes())
        .unwrap();
    file.sync_all().unwrap();
    for dir in path
        .ancestors()
        .skip(1)
        .take_while(|dir| dir.starts_with(top))
    {
        File::open(dir).unwrap().sync_all().unwrap();
    }
}

/// What a program has synced, and how much had been written to the disk then.
type Synced = Vec<(PathBuf, usize)>;

/// Files in directories of their own, with short and long names, and copies; one sync for each, or,
/// for the last ones, one for many that were made before.
fn work(top: &Path, written: &Log) -> Synced {
    let long = "l".repeat(200);
    let mut synced = Vec::new();
    let mut durably = |relative: PathBuf| {
        write_durably(top, &relative);
        synced.push((relative, written.len()));
    };
    for number in 0..5 {
        durably(PathBuf::from(format!("dir {number}/{long}{number}/file")));
        durably(PathBuf::from(format!("dir {number}/below/{long}")));
    }
    let many: Vec<_> = (0..DIRS)
        .map(|n| PathBuf::from(format!("many/{n}/{long}")))
        .collect();
    for relative in &many[1..] {
        let path = top.join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    durably(many[0].clone());
    let copy = top.join("copy");
    fs::write(&copy, vec![7; 100_000]).unwrap();
    for number in 0..3 {
        // a clone, where storage is shared
        fs::copy(&copy, top.join(format!("{long} clone {number}"))).unwrap();
        durably(PathBuf::from(format!("{long} next to clones {number}")));
    }
    synced
}

/// Works on a logged disk; then lets the power fail at some moments, and looks for what was synced.
fn survives(kind: Kind) {
    let what = format!("power failures on {kind:?}");
    let Some((disk, logged)) = Disk::logged(kind, &what) else {
        return;
    };
    let program = Program::ours();
    let vault = Vault::new_in(&disk.path(), &program, &ALL_FEATURES[0]);
    rustix::fs::sync();
    let inside = vault.dir.strip_prefix(disk.path()).unwrap().to_owned();
    let begin = logged.log.len();
    let mount = Mount::new(&program, &vault, &[]);
    let synced = work(&mount.path(), &logged.log);
    let end = logged.log.len();
    mount.unmount();
    drop(vault);
    let (_disk, log, before) = disk.end(logged);
    let mut chance = Random::new(&what);
    let cuts: usize = env::var("CUTS").map_or(2, |cuts| cuts.parse().unwrap());
    let (mut looked, mut lost) = (0, Vec::new());
    for number in 0..cuts {
        let cut = match number {
            0 => end,
            _ => begin + chance.below(end - begin),
        };
        let scratch = TempDir::new().unwrap();
        let image = scratch.path().join("image");
        copy_image(&before, &image);
        log.image_at(
            cut,
            &File::options().write(true).open(&image).unwrap(),
            &mut chance,
        );
        let disk = Disk::come_back(scratch);
        let vault = Vault::found_at(disk.path().join(&inside));
        let mount = Mount::new(&program, &vault, &[]);
        for (relative, _) in synced.iter().filter(|(_, at)| *at <= cut) {
            looked += 1;
            let found = fs::read(mount.path().join(relative));
            if !found.is_ok_and(|found| found == relative.as_os_str().as_encoded_bytes()) {
                lost.push(format!(
                    "after {cut} of {end} events: {}",
                    relative.display()
                ));
            }
        }
        mount.unmount();
    }
    let count = lost.len();
    eprintln!("{what}: {cuts} cuts, {looked} files that were synced, {count} lost");
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn what_was_synced_survives_a_power_failure_on_ext4() {
    survives(Kind::Ext4);
}

#[test]
fn what_was_synced_survives_a_power_failure_on_btrfs() {
    survives(Kind::Btrfs);
}

#[test]
fn what_was_synced_survives_a_power_failure_on_xfs() {
    survives(Kind::Xfs);
}
