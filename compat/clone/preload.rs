//! The library for programs that insist on `FICLONE` (`tools/reflink-preload`).

use super::{Ground, SHARING, bytes};
use crate::support::disk::{Disk, Kind};
use crate::support::skip::skip;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The library, built into a directory of its own; `None`, and a note, without a C compiler.
fn build(what: &str) -> Option<(TempDir, PathBuf)> {
    let dir = TempDir::new().unwrap();
    let library = dir.path().join("reflink.so");
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tools/reflink-preload/reflink.c"
    );
    let flags = [
        "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
    ];
    let Ok(built) = Command::new("cc")
        .args(flags)
        .arg(&library)
        .arg(source)
        .output()
    else {
        skip(what, "no C compiler");
        return None;
    };
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Some((dir, library))
}

fn run(library: &Path, program: &str, args: &[&str], paths: &[&Path]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).args(paths).env("LD_PRELOAD", library);
    command.output().ok()
}

fn cp(library: &Path, paths: [&Path; 2]) -> bool {
    let cp = run(library, "cp", &["--reflink=always"], &paths);
    cp.unwrap().status.success()
}

/// What else programs ask of files in the mount and beside it is answered as without the library.
fn other_ioctls(library: &Path, ground: &Ground) {
    let beside = ground.vault.dir.join("source");
    for path in [ground.join("source"), beside] {
        for (program, args) in [("filefrag", &["-v"][..]), ("lsattr", &[])] {
            let with = run(library, program, args, &[&path]);
            let without = Command::new(program).args(args).arg(&path).output();
            let (Some(with), Ok(without)) = (with, without) else {
                skip("the preload library with other calls", "no e2fsprogs");
                continue;
            };
            assert_eq!(with, without, "{program} {}", path.display());
        }
    }
}

#[test]
fn programs_that_insist_on_a_clone_get_one() {
    let what = "the preload library";
    let Some((_dir, library)) = build(what) else {
        return;
    };
    for kind in SHARING {
        let Some(ground) = Ground::plain(kind, what) else {
            continue;
        };
        let content = bytes(1, 300_000);
        let source = ground.join("source");
        ground.write("source", &content);
        ground.write("other", &bytes(2, 1000));
        for name in ["new", "other"] {
            assert!(cp(&library, [&source, &ground.join(name)]), "{kind:?}");
            assert!(ground.read(name) == content);
            assert_eq!(ground.space_of(name).own, 0, "{kind:?}, {name}");
        }
        // a range; a file from elsewhere; a file that lies where it cannot share
        let range = format!("reflink {} 40960 40960 81920", source.display());
        ground.write("new", &bytes(3, 300_000));
        if run(&library, "xfs_io", &["-c", &range], &[&ground.join("new")]).is_some() {
            let found = ground.read("new");
            assert!(found[40_960..122_880] == content[40_960..122_880]);
            assert!(found[..40_960] == bytes(3, 300_000)[..40_960]);
        }
        other_ioctls(&library, &ground);
        let (elsewhere, target) = (ground.disk.path().join("file"), ground.join("target"));
        fs::write(&elsewhere, &content).unwrap();
        assert!(!cp(&library, [&elsewhere, &target]));
        // on the disk itself nothing has changed
        assert!(cp(&library, [&elsewhere, &ground.disk.path().join("copy")]));
        fs::remove_file(target).ok();
        ground.finish(what);
    }
}

#[test]
fn programs_that_insist_are_refused_where_nothing_is_shared() {
    let what = "the preload library without clones";
    let Some((_dir, library)) = build(what) else {
        return;
    };
    let Some(disk) = Disk::new(Kind::Ext4, what) else {
        return;
    };
    let ground = Ground::on(disk, super::features("plaintextnames"), &[]);
    ground.write("source", &bytes(1, 300_000));
    let [source, target] = ["source", "target"].map(|name| ground.join(name));
    assert!(!cp(&library, [&source, &target]));
    let plain = run(&library, "cp", &[], &[&source, &target]);
    assert!(plain.unwrap().status.success());
    assert!(ground.read("target") == bytes(1, 300_000));
}
