//! What the view is for: copies of it that either program opens, and that stay as they are when the
//! other program shows the view from now on.

use super::plain_tree;
use crate::golden::assert_same;
use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::tree::Limits;
use crate::support::vault::Vault;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

/// Copies `from` to `to` and returns what had to be done, a line an entry.
fn rsync(options: &str, from: &Path, to: &Path) -> String {
    let mut from = from.as_os_str().to_owned();
    from.push("/");
    let output = Command::new("rsync")
        .args([options, "--itemize-changes", "--delete"])
        .args([from.as_os_str(), to.as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A digest without the content of files that have several names: that depends on when each was
/// looked up last, in the Go program too.
fn lasting(digest: &str) -> String {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        if words[1] == "f" && words[3] != "1" {
            words.remove(6);
        }
        words.join(" ")
    };
    digest.lines().map(|it| line(it) + "\n").collect()
}

#[test]
fn rsync_has_nothing_to_do_after_the_go_programs_view() {
    let Some(go) = Program::go("rsync of both views") else {
        return;
    };
    let plain = plain_tree(Limits::NONE);
    let scratch = tempfile::tempdir().unwrap();
    for options in [&[][..], &["-plaintextnames"], &["-deterministic-names"]] {
        let copies = ["theirs", "ours"].map(|name| scratch.path().join(name));
        for (program, copy) in [&go, &Program::ours()].into_iter().zip(&copies) {
            let mount = Mount::new(program, &plain, options);
            assert!(rsync("-aH", &mount.path(), copy).lines().count() > 100);
            mount.unmount();
        }
        let [theirs, ours] = copies
            .each_ref()
            .map(|copy| lasting(&digest(copy).unwrap()));
        assert_same(&theirs, &ours, &format!("{options:?}"));
        let mount = Mount::new(&Program::ours(), &plain, options);
        assert_eq!(rsync("-aH", &mount.path(), &copies[0]), "", "{options:?}");
        mount.unmount();
        for copy in copies {
            fs::remove_dir_all(copy).unwrap();
        }
    }
}

#[test]
fn rsync_has_nothing_to_do_by_content_either() {
    let Some(go) = Program::go("rsync of both views by content") else {
        return;
    };
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    crate::support::tree::make(&plain.dir, Limits::NONE).unwrap();
    fs::remove_dir_all(plain.dir.join("links")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let copy = scratch.path().join("copy");
    let mount = Mount::new(&go, &plain, &[]);
    rsync("-aH", &mount.path(), &copy);
    mount.unmount();
    let mount = Mount::new(&Program::ours(), &plain, &[]);
    assert_eq!(rsync("-aHc", &mount.path(), &copy), "");
    mount.unmount();
}

/// A vault in a directory that somebody else provides.
fn vault_at(dir: &Path, options: &[&str]) -> Vault {
    let mut vault = Vault::empty(options);
    dir.clone_into(&mut vault.dir);
    vault
}

#[test]
fn a_vault_shows_the_tree_that_the_view_is_of() {
    let go = Program::go("the view as a vault");
    let plain = plain_tree(Limits::NONE);
    let whole = digest(&plain.dir).unwrap();
    // Extended attributes too, which only the newest version shows.
    let bare = whole.lines().map(|line| {
        let attributes = line.find(" user.");
        attributes.map_or(line, |at| &line[..at]).to_owned() + "\n"
    });
    let bare: String = bare.collect();
    for (options, wanted) in [
        (&["-reverse-newest"][..], &whole),
        (&[], &bare),
        (&["-plaintextnames"], &bare),
        (&["-deterministic-names"], &bare),
        (&["-raw64=false", "-hkdf=false"], &bare),
        (&["-longnamemax", "62"], &bare),
    ] {
        let view = Mount::new(&Program::ours(), &plain, options);
        for program in [Some(&Program::ours()), go.as_ref()].into_iter().flatten() {
            let mut vault = vault_at(&view.path(), &["-zerokey", "-aessiv", "-ro"]);
            let format = options
                .iter()
                .filter(|option| **option != "-reverse-newest");
            vault.options.extend(format.map(ToString::to_string));
            let mount = Mount::new(program, &vault, &[]);
            let found = digest(&mount.path()).unwrap();
            assert_same(wanted, &found, &format!("{options:?} opened by {program}"));
            mount.unmount();
        }
        view.unmount();
    }
}

#[test]
fn a_copy_that_leaves_holes_out_is_a_vault_too() {
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    for (name, at, len) in [
        ("front", 1 << 20, 1 << 20),
        ("tail", 0, 1 << 20),
        ("odd", 70_000, 99_999),
    ] {
        let file = fs::File::create(plain.dir.join(name)).unwrap();
        file.set_len(len).unwrap();
        file.write_all_at(b"data", at).unwrap();
    }
    let view = Mount::new(&Program::ours(), &plain, &[]);
    let scratch = tempfile::tempdir().unwrap();
    let status = Command::new("cp")
        .args(["-a", "--sparse=auto"])
        .arg(view.path())
        .arg(scratch.path().join("copy"))
        .status();
    assert!(status.unwrap().success());
    let copy = vault_at(
        &scratch.path().join("copy"),
        &["-zerokey", "-aessiv", "-ro"],
    );
    let mount = Mount::new(&Program::ours(), &copy, &[]);
    let wanted = digest(&plain.dir).unwrap();
    assert_same(&wanted, &digest(&mount.path()).unwrap(), "a sparse copy");
    mount.unmount();
    view.unmount();
}
