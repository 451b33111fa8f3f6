//! Formats, mount options, and kinds of backing storage.

use super::{Ground, SHARING, Space, WHOLE, bytes, copy, copy_in_pieces, features};
use crate::support::disk::{Disk, Kind};
use crate::support::program::Program;
use crate::support::skip::skip;
use crate::support::vault::ALL_FEATURES;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::process::Command;

/// Copies one file whole; returns how the two lie.
fn cloned(ground: &Ground, name: &str) -> Space {
    let content = bytes(1, 500_001);
    let source = ground.write("source", &content);
    copy(&source, &ground.open(name), 0, 0, WHOLE).unwrap();
    assert!(ground.read(name) == content);
    ground.space()
}

#[test]
fn every_format_shares() {
    for kind in SHARING {
        for features in &ALL_FEATURES {
            let what = format!("clones with {} on {kind:?}", features.name);
            let Some(ground) = Ground::new(kind, &what, features, &[]) else {
                continue;
            };
            let long = "l".repeat(features.limits.name);
            let Space { own, shared } = cloned(&ground, &long);
            assert!(own == 0 && shared >= 1_000_000, "{what}: {own} own");
            ground.finish(&what);
        }
    }
}

#[test]
fn who_does_not_want_clones_gets_none() {
    for kind in SHARING {
        for options in [["-reflink=never", "-nosyslog"], ["-o", "reflink=never"]] {
            let what = format!("{options:?} on {kind:?}");
            let Some(ground) = Ground::new(kind, &what, features("aes-gcm"), &options) else {
                continue;
            };
            assert_eq!(cloned(&ground, "copy").shared, 0, "{what}");
            ground.finish(&what);
        }
    }
}

#[test]
fn with_others_at_work_only_new_files_share() {
    for kind in SHARING {
        let what = format!("-sharedstorage on {kind:?}");
        let options = ["-sharedstorage"];
        let Some(ground) = Ground::new(kind, &what, features("plaintextnames"), &options) else {
            continue;
        };
        assert_eq!(cloned(&ground, "copy").own, 0, "{what}");
        let (source, pieces) = (ground.open("source"), ground.open("pieces"));
        copy_in_pieces(&source, &pieces, 65_536);
        assert_eq!(ground.space_of("pieces").own, 0, "{what}");
        let other = ground.write("other", &[7; 1000]);
        copy(&source, &other, 0, 0, WHOLE).unwrap();
        assert_eq!(ground.space_of("other").shared, 0, "{what}");
        let hole = ground.open("hole");
        hole.set_len(500_001).unwrap();
        copy(&source, &hole, 0, 0, WHOLE).unwrap();
        assert_eq!(ground.space_of("hole").shared, 0, "{what}");
        assert!(ground.read("source") == ground.read("hole"));
        drop((source, pieces, other, hole));
        ground.finish(&what);
    }
}

/// Runs a program on a directory of the ciphertext.
fn set_up(program: &str, args: &[&str], what: &str) -> bool {
    let done = Command::new(program).args(args).output();
    let works = done.is_ok_and(|output| output.status.success());
    if !works {
        skip(what, &format!("{program} {args:?} does not work here"));
    }
    works
}

#[test]
fn copies_reach_from_one_subvolume_into_another() {
    let what = "clones between subvolumes";
    let Some(ground) = Ground::plain(Kind::Btrfs, what) else {
        return;
    };
    let inner = ground.vault.dir.join("inner");
    if !set_up(
        "btrfs",
        &["subvolume", "create", inner.to_str().unwrap()],
        what,
    ) {
        return;
    }
    assert_eq!(cloned(&ground, "inner/copy").own, 0);
    ground.finish(what);
}

/// On btrfs, a file without copy on write cannot share with one that has it.
#[test]
fn files_without_copy_on_write_share_with_each_other_alone() {
    let what = "files without copy on write";
    let Some(ground) = Ground::plain(Kind::Btrfs, what) else {
        return;
    };
    fs::create_dir(ground.join("nocow")).unwrap();
    let nocow = ground.vault.dir.join("nocow");
    if !set_up("chattr", &["+C", nocow.to_str().unwrap()], what) {
        return;
    }
    assert_eq!(cloned(&ground, "nocow/copy").shared, 0);
    let source = ground.open("nocow/copy");
    copy(&source, &ground.open("nocow/second"), 0, 0, WHOLE).unwrap();
    assert_eq!(ground.space_of("nocow/second").own, 0);
    // over a file of its own, over a hole, and in pieces
    ground.write("nocow/other", &[7; 1000]);
    ground.open("nocow/hole").set_len(600_000).unwrap();
    for name in ["nocow/other", "nocow/hole", "nocow/pieces"] {
        let target = ground.open(name);
        copy_in_pieces(&ground.open("source"), &target, 100_000);
        target.set_len(500_001).unwrap();
        assert!(ground.read(name) == ground.read("source"), "{name}");
        assert_eq!(ground.space_of(name).shared, 0, "{name}");
    }
    drop(source);
    ground.finish(what);
}

#[test]
fn compressed_files_share() {
    let what = "compressed files";
    let Some(ground) = Ground::plain(Kind::Btrfs, what) else {
        return;
    };
    let disk = ground.disk.path();
    let disk = disk.to_str().unwrap();
    if !set_up("mount", &["-o", "remount,compress-force=zstd", disk], what) {
        return;
    }
    assert_eq!(cloned(&ground, "copy").own, 0);
    ground.finish(what);
}

#[test]
fn blocks_of_any_size_share() {
    for size in ["1024", "2048", "16384"] {
        let what = format!("XFS with blocks of {size}");
        let options = ["-b", &format!("size={size}")];
        let Some(disk) = Disk::with_options(Kind::Xfs, &what, &options) else {
            continue;
        };
        let ground = Ground::on(disk, features("plaintextnames"), &[]);
        assert_eq!(cloned(&ground, "copy").own, 0, "{what}");
        let source = ground.open("source");
        for (name, hole) in [("pieces", 0), ("hole", 600_000), ("short hole", 9000)] {
            let target = ground.open(name);
            target.set_len(hole).unwrap();
            copy_in_pieces(&source, &target, 100_000);
            target.set_len(500_001).unwrap();
            assert!(ground.read(name) == ground.read("source"), "{what}, {name}");
            assert!(ground.space_of(name).shared > 300_000, "{what}, {name}");
        }
        drop(source);
        ground.finish(&what);
    }
}

#[test]
fn a_file_beyond_4_gib_shares() {
    const SIZE: u64 = (5 << 30) + 5;
    for kind in SHARING {
        let what = format!("a huge file on {kind:?}");
        let Some(ground) = Ground::plain(kind, &what) else {
            continue;
        };
        let source = ground.open("source");
        source.set_len(SIZE).unwrap();
        let places = [0, (1 << 30) - 4096, (4 << 30) - 50_000, SIZE - 100_000];
        for at in places {
            source.write_all_at(&bytes(2, 100_000), at).unwrap();
        }
        source.sync_all().unwrap();
        for (name, piece) in [("whole", WHOLE), ("pieces", 1 << 30)] {
            let target = ground.open(name);
            copy_in_pieces(&source, &target, piece);
            assert_eq!(target.metadata().unwrap().len(), SIZE, "{what}");
            assert_eq!(ground.space_of(name).own, 0, "{what}, {name}");
        }
        drop(source);
        let go = Program::go(&what);
        let ground = ground.again(&go.unwrap_or_else(Program::ours), &["-ro"]);
        let [source, whole, pieces] =
            ["source", "whole", "pieces"].map(|name| File::open(ground.join(name)).unwrap());
        for at in places {
            let wanted = part(&source, at);
            assert!(wanted == part(&whole, at), "{what}, whole, {at}");
            assert!(wanted == part(&pieces, at), "{what}, pieces, {at}");
        }
    }
}

fn part(file: &File, at: u64) -> Vec<u8> {
    let mut part = vec![0; 120_000];
    let len = file.read_at(&mut part, at).unwrap();
    part.truncate(len);
    part
}
