//! The view itself: names, contents, attributes and numbers.

use super::{each, plain_tree, view};
use crate::golden::assert_same;
use crate::support::disk::{Disk, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::tree::Limits;
use crate::support::vault::Vault;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Every combination of the options that say what the view looks like, for a mount without a
/// configuration file.
fn combinations() -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    for hkdf in [&[][..], &["-hkdf=false"]] {
        found.push([hkdf, &["-plaintextnames"]].concat());
        for padding in [&[][..], &["-raw64=false"]] {
            for names in [&[][..], &["-deterministic-names"]] {
                for long in [&[][..], &["-longnamemax", "62"], &["-longnamemax", "100"]] {
                    found.push([hkdf, padding, names, long].concat());
                }
            }
        }
    }
    found
}

#[test]
fn the_view_is_that_of_the_go_program_with_all_options() {
    let Some(go) = Program::go("views of a plain tree") else {
        return;
    };
    let compare = |plain: &Vault, options: &Vec<&str>| {
        let wanted = view(&go, plain, options);
        let found = view(&Program::ours(), plain, options);
        assert_same(&wanted, &found, &format!("{options:?}"));
        String::new()
    };
    let plain = plain_tree(Limits::NONE);
    let mut cases = combinations();
    let key = "-masterkey=01234567-89abcdef-01234567-89abcdef-01234567-89abcdef-01234567-89abcdef";
    cases.push(vec!["-zerokey=false", key, "-aessiv"]);
    let excluded = ["-exclude", "names", "-exclude-wildcard", "*.x"];
    cases.push([&excluded[..], &["-exclude-wildcard", "!first"]].concat());
    each(&cases, |options| compare(&plain, options));
    let short = plain_tree(Limits {
        name: 175,
        ..Limits::NONE
    });
    let cases = [
        vec!["-longnames=false"],
        vec!["-longnames=false", "-deterministic-names", "-raw64=false"],
    ];
    each(&cases, |options| compare(&short, options));
}

#[test]
fn other_file_systems_appear_empty_on_request() {
    let what = "a file system within a plain tree";
    let Some(go) = Program::go(what) else { return };
    let Some(disk) = Disk::new(Kind::Tmpfs, what) else {
        return;
    };
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    let inner = plain.dir.join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(disk.path().join("file"), "elsewhere").unwrap();
    let source = disk.path();
    rustix::mount::mount_bind(&source, &inner).unwrap();
    let compared = std::panic::catch_unwind(|| {
        // The directory that is mounted and what is in it: two lines for each of them.
        for (options, lines) in [(&[][..], 10), (&["-one-file-system"], 8)] {
            let wanted = view(&go, &plain, options);
            let found = view(&Program::ours(), &plain, options);
            assert_same(&wanted, &found, &format!("{options:?}"));
            assert_eq!(found.lines().count(), lines, "{found}");
        }
    });
    let unmounted = rustix::mount::unmount(&inner, rustix::mount::UnmountFlags::DETACH);
    compared.unwrap();
    unmounted.unwrap();
}

/// The names in the top directory of the view, with the digits taken out of them.
fn names(program: &Program, plain: &Vault, options: &[&str]) -> BTreeSet<String> {
    let mount = Mount::new(program, plain, options);
    let entries = fs::read_dir(mount.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.map(|name| name.replace(|c: char| c.is_ascii_digit(), ""));
    let names = names.collect();
    mount.unmount();
    names
}

#[test]
fn what_cannot_be_shown_is_listed_so_that_a_backup_fails_rather_than_leaves_it_out() {
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    fs::write(plain.dir.join("gocryptfs.conf"), "no configuration").unwrap();
    fs::write(plain.dir.join(".gocryptfs.reverse.conf"), "{}").unwrap();
    fs::write(plain.dir.join("n".repeat(200)), "").unwrap();
    let ours = Program::ours();
    if let Some(go) = Program::go("name collisions") {
        let options = ["-plaintextnames"];
        let wanted = names(&go, &plain, &options);
        assert_eq!(names(&ours, &plain, &options), wanted);
        assert!(wanted.contains("gocryptfs.conf_NAME_COLLISION_"));
    }
    for (options, count) in [(["-plaintextnames"], 3), (["-longnames=false"], 4)] {
        let mount = Mount::new(&ours, &plain, &options);
        let entries = fs::read_dir(mount.path()).unwrap();
        let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(paths.len(), count, "{paths:?}");
        let kinds = paths
            .iter()
            .filter_map(|path| fs::symlink_metadata(path).err());
        let kinds: Vec<_> = kinds.map(|error| error.kind()).collect();
        assert_eq!(kinds, [ErrorKind::NotFound], "{paths:?}");
        let copy = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .args([mount.path(), copy.path().join("copy")])
            .output();
        assert!(!copied.unwrap().status.success());
        let log = mount.unmount();
        assert!(log.contains("cannot be shown"), "{log}");
    }
}

#[test]
fn a_directory_that_may_not_be_searched_is_listed_all_the_same() {
    let plain = Vault::empty(&["-reverse", "-zerokey", "-plaintextnames"]);
    let dir = plain.dir.join("dir");
    fs::create_dir(&dir).unwrap();
    fs::create_dir(dir.join("inner")).unwrap();
    fs::write(dir.join("file"), "").unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o400)).unwrap();
    let mount = Mount::new(&Program::ours_obeying_permissions(), &plain, &[]);
    let entries = fs::read_dir(mount.path().join("dir")).unwrap();
    let entries: BTreeMap<_, _> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), entry.file_type().unwrap().is_dir()))
        .collect();
    assert_eq!(
        entries,
        [("file".into(), false), ("inner".into(), true)].into()
    );
    let refused = fs::metadata(mount.path().join("dir/file")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    mount.unmount();
}

#[test]
fn the_numbers_that_a_listing_tells_are_those_of_the_objects() {
    use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
    let plain = plain_tree(Limits::NONE);
    let mount = Mount::new(&Program::ours(), &plain, &["-plaintextnames"]);
    for dir in ["links", "nested", "names"] {
        for entry in fs::read_dir(mount.path().join(dir)).unwrap() {
            let entry = entry.unwrap();
            let found = fs::symlink_metadata(entry.path()).unwrap();
            assert_eq!(entry.ino(), found.ino(), "{}", entry.path().display());
        }
    }
    mount.unmount();
}

#[test]
fn what_the_kernel_shows_of_the_mount_is_that_of_the_go_program() {
    let Some(go) = Program::go("mount options of views") else {
        return;
    };
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    for options in [&[][..], &["-allow_other"], &["-fsname", "name"]] {
        let shown = [&go, &Program::ours()].map(|program| {
            let mount = Mount::new(program, &plain, options);
            let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
            let point = mount.path().display().to_string();
            let line = mounts.lines().find(|line| line.contains(&point)).unwrap();
            let line = line.replace(&point, "POINT");
            mount.unmount();
            // The largest read is the one thing that may differ.
            let words = line.split([' ', ',']);
            let words = words.filter(|word| !word.starts_with("max_read="));
            words.map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(shown[0], shown[1], "{options:?}");
        assert_eq!(shown[1][2..4], ["fuse.gocryptfs-reverse", "ro"]);
    }
}
