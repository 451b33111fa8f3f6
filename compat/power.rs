//! Power failures: what was synced before is there afterwards.

use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
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

/// Files in directories of their own, with short and long names; one sync for each, or, for the last
/// ones, one for many that were made before.
fn work(top: &Path) -> Vec<PathBuf> {
    let long = "l".repeat(200);
    let mut synced = Vec::new();
    for number in 0..5 {
        synced.push(PathBuf::from(format!("dir {number}/{long}{number}/file")));
        synced.push(PathBuf::from(format!("dir {number}/below/{long}")));
    }
    for relative in &synced {
        write_durably(top, relative);
    }
    let many: Vec<_> = (0..DIRS)
        .map(|n| PathBuf::from(format!("many/{n}/{long}")))
        .collect();
    for relative in &many[1..] {
        let path = top.join(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    write_durably(top, &many[0]);
    synced.push(many[0].clone());
    synced
}

fn survives(kind: Kind) {
    let what = format!("a power failure on {kind:?}");
    let Some(disk) = Disk::new(kind, &what) else {
        return;
    };
    let ours = Program::ours();
    let vault = Vault::new_in(&disk.path(), &ours, &ALL_FEATURES[0]);
    rustix::fs::sync();
    let inside = vault.dir.strip_prefix(disk.path()).unwrap().to_owned();
    let image = TempDir::new().unwrap();
    let mount = Mount::new(&ours, &vault, &[]);
    let synced = work(&mount.path());
    disk.cut_power(image.path());
    mount.unmount();
    drop((vault, disk));
    let disk = Disk::come_back(image);
    let vault = Vault::found_at(disk.path().join(inside));
    let mount = Mount::new(&ours, &vault, &[]);
    for relative in &synced {
        let found = fs::read(mount.path().join(relative));
        let found = found.unwrap_or_else(|error| panic!("{what}: {}: {error}", relative.display()));
        assert_eq!(found, relative.as_os_str().as_encoded_bytes(), "{what}");
    }
    mount.unmount();
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
