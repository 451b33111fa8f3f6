//! Either program reads what the other wrote, on every backing file system, with every combination
//! of features; and the Go program's check finds nothing in what ours wrote.

use crate::golden::{assert_same, volumes};
use crate::model::scribble;
use crate::support::digest::digest;
use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::random::Random;
use crate::support::skip::is_root;
use crate::support::tree;
use crate::support::vault::{ALL_FEATURES, Vault};

/// Sessions in which the programs take turns on one vault.
const TURNS: usize = 4;
/// Operations in one session.
const SCRIBBLES: usize = 150;

fn swap_on(kind: Kind) {
    let what = format!("swap on {kind:?}");
    let Some(go) = Program::go(&what) else { return };
    let Some(disk) = Disk::new(kind, &what) else {
        return;
    };
    let ours = Program::ours();
    for features in &ALL_FEATURES {
        let limits = kind.limits(features.limits);
        for (writer, reader) in [(&go, &ours), (&ours, &go)] {
            let what = format!("{what}, {}, written by {writer}", features.name);
            let vault = Vault::new_in(&disk.path(), writer, features);
            let mount = Mount::new(writer, &vault, &[]);
            tree::make(&mount.path(), limits).expect(&what);
            let written = digest(&mount.path()).expect(&what);
            mount.unmount();
            let mount = Mount::new(reader, &vault, &["-ro"]);
            assert_same(&written, &digest(&mount.path()).expect(&what), &what);
            mount.unmount();
            vault.assert_clean(&go);
        }
    }
}

#[test]
fn either_reads_what_the_other_wrote_on_ext4() {
    swap_on(Kind::Ext4);
}

#[test]
fn either_reads_what_the_other_wrote_on_btrfs() {
    swap_on(Kind::Btrfs);
}

#[test]
fn either_reads_what_the_other_wrote_on_xfs() {
    swap_on(Kind::Xfs);
}

#[test]
fn either_reads_what_the_other_wrote_on_tmpfs() {
    swap_on(Kind::Tmpfs);
}

/// The programs take turns at random operations; each must find what the other left.
fn take_turns(vault: &Vault, go: &Program, chance: &mut Random, what: &str) {
    let ours = Program::ours();
    let mut left: Option<String> = None;
    for turn in 0..TURNS {
        let program = if turn % 2 == 0 { &ours } else { go };
        let mount = Mount::new(program, vault, &[]);
        let found = digest(&mount.path()).unwrap();
        let what = format!("{what}, found by {program} in turn {turn}");
        if let Some(left) = &left {
            assert_same(left, &found, &what);
        }
        scribble(&mount.path(), chance, SCRIBBLES);
        left = Some(digest(&mount.path()).unwrap());
        mount.unmount();
    }
    vault.assert_clean(go);
}

#[test]
fn both_take_turns_on_one_vault() {
    let what = "turns on one vault";
    let Some(go) = Program::go(what) else { return };
    let mut chance = Random::new(what);
    for features in ALL_FEATURES.iter().filter(|f| f.limits.name == 255) {
        let vault = Vault::new(&go, features);
        take_turns(&vault, &go, &mut chance, features.name);
    }
}

#[test]
fn both_take_turns_on_every_golden_volume() {
    let what = "turns on the golden volumes";
    // the check reports files that their owner may not read
    if !is_root(what) {
        return;
    }
    let Some(go) = Program::go(what) else { return };
    let mut chance = Random::new(what);
    let folders = volumes()
        .into_iter()
        .filter(|folder| !folder.ends_with("longnames-off"));
    for folder in folders {
        let vault = Vault::unpack(&folder);
        take_turns(&vault, &go, &mut chance, &folder.display().to_string());
    }
}
