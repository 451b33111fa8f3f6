//! `-badname`: names that do not decrypt are shown and can be used, as with the Go program.

use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

const MARK: &str = " GOCRYPTFS_BAD_NAME";

/// A plain name, and what happens to its encrypted form.
type Damage = (&'static str, fn(&str) -> String);

const DAMAGE: [Damage; 11] = [
    ("appended", |text| format!("{text}abc")),
    ("one more", |text| format!("{text}A")),
    ("cut", |text| text[..text.len() - 1].to_owned()),
    ("changed", |text| {
        let other = if text.starts_with('x') { 'y' } else { 'x' };
        format!("{other}{}", &text[1..])
    }),
    ("dotted", |text| format!("{}.{}", &text[..11], &text[11..])),
    ("a name of two blocks, cut", |text| {
        text[..text.len() - 3].to_owned()
    }),
    ("a name of two blocks, appended", |text| {
        format!("{text}.bak")
    }),
    ("junk", |_| "junk".to_owned()),
    ("other junk", |_| "[*?] \\".to_owned()),
    ("dir", |text| format!("{text}!")),
    ("link", |text| format!("{text}~")),
];

/// Kinds of names.
const KINDS: [&[&str]; 4] = [
    &[],
    &["-deterministic-names"],
    &["-hkdf=false"],
    &["-raw64=false"],
];

/// A vault of the Go program with damaged names beside good ones. Key and IV are always the same,
/// since what is damaged decrypts by chance now and then.
fn damaged(go: &Program, kind: &[&str]) -> Vault {
    let vault = Vault::empty(&[&["-zerokey"], kind].concat());
    if !kind.contains(&"-deterministic-names") {
        fs::write(vault.dir.join("gocryptfs.diriv"), [7; 16]).unwrap();
    }
    let mount = Mount::new(go, &vault, &[]);
    let top = mount.path();
    fs::create_dir_all(top.join("dir/sub")).unwrap();
    symlink("target", top.join("link")).unwrap();
    for (name, _) in &DAMAGE[..9] {
        fs::write(top.join(name), name).unwrap();
    }
    fs::write(top.join("good"), "good").unwrap();
    let inode = |name: &str| fs::symlink_metadata(top.join(name)).unwrap().ino();
    let inodes = DAMAGE.map(|(name, _)| inode(name));
    mount.unmount();
    for ((_, damage), inode) in DAMAGE.iter().zip(inodes) {
        let disk = entry(&vault.dir, inode);
        let name = disk.file_name().unwrap().to_str().unwrap();
        fs::rename(&disk, vault.dir.join(damage(name))).unwrap();
    }
    vault
}

/// The entry of a directory that has this inode number.
fn entry(dir: &Path, inode: u64) -> PathBuf {
    let mut entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let found = entries.find(|entry| fs::symlink_metadata(entry.path()).unwrap().ino() == inode);
    found.unwrap().path()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn options(patterns: &[&str]) -> Vec<String> {
    let options = patterns.iter();
    options
        .map(|pattern| format!("-badname={pattern}"))
        .collect()
}

fn mount(program: &Program, vault: &Vault, patterns: &[&str]) -> Mount {
    let options = options(patterns);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    Mount::new(program, vault, &options)
}

fn shown<T: std::fmt::Debug>(result: io::Result<T>) -> String {
    format!("{:?}", result.map_err(|error| error.raw_os_error()))
}

/// Does all kinds of things with what is shown; returns what came of it.
fn use_all(top: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    for (number, name) in names(top).into_iter().enumerate() {
        let path = top.join(&name);
        let mut note = |what: String| notes.push(format!("{name}: {what}"));
        note(shown(
            fs::symlink_metadata(&path).map(|found| (found.mode(), found.len())),
        ));
        note(shown(fs::read_to_string(&path)));
        note(shown(fs::read_link(&path)));
        let opened = OpenOptions::new().append(true).open(&path);
        note(shown(opened.and_then(|mut file| file.write_all(b"!"))));
        note(shown(fs::write(path.join("sub/file"), "x")));
        note(shown(fs::read(path.join("sub/file"))));
        note(shown(fs::hard_link(
            &path,
            top.join(format!("linked {number}")),
        )));
        let (away, other) = (top.join(format!("away {number}")), format!("{name}{MARK}"));
        note(shown(fs::rename(&path, top.join(other))));
        match number % 3 {
            0 => note(shown(
                fs::rename(&path, &away).and_then(|()| fs::read(&away)),
            )),
            1 => note(shown(fs::remove_file(&path))),
            _ => note(shown(fs::rename(top.join("good"), &path))),
        }
        note(shown(fs::symlink_metadata(&path).map(|found| found.len())));
    }
    for name in ["new", "junk"] {
        let path = top.join(format!("{name}{MARK}"));
        notes.push(shown(fs::write(&path, "x")));
        notes.push(shown(fs::create_dir(&path)));
        notes.push(shown(fs::symlink_metadata(&path).map(|found| found.len())));
    }
    notes.extend(names(top));
    notes
}

const PATTERNS: [&[&str]; 7] = [
    &[],
    &["*"],
    &["junk", "*abc"],
    &["?unk"],
    &["[i-k]*", "*.bak"],
    &["*[!~]"],
    &["\\[\\*\\?] \\\\", "*[^!~a-zA-Z0-9]*"],
];

#[test]
fn both_show_and_use_the_same_names() {
    let Some(go) = Program::go("badname") else {
        return;
    };
    let ours = Program::ours();
    for kind in KINDS {
        let vault = damaged(&go, kind);
        for patterns in PATTERNS {
            let [go, ours] = [&go, &ours].map(|program| {
                let mount = mount(program, &vault, patterns);
                let names = names(&mount.path());
                mount.unmount();
                names
            });
            assert_eq!(go, ours, "{kind:?} {patterns:?}");
        }
        let copy = vault.copy();
        let [go, ours] = [(&go, &vault), (&ours, &copy)].map(|(program, vault)| {
            let mount = mount(program, vault, &["*"]);
            let notes = use_all(&mount.path());
            mount.unmount();
            notes
        });
        for (go, ours) in go.iter().zip(&ours) {
            assert_eq!(go, ours, "{kind:?}");
        }
        assert_eq!(go.len(), ours.len(), "{kind:?}");
    }
}

#[test]
fn what_is_shown_is_no_damage() {
    let Some(go) = Program::go("badname") else {
        return;
    };
    let vault = damaged(&go, KINDS[0]);
    for patterns in PATTERNS {
        let [go, ours] = [&go, &Program::ours()].map(|program| {
            let options = options(patterns);
            let options = options.iter().map(String::as_str);
            let line = ["-q", "-fsck", "-zerokey"].into_iter();
            let line: Vec<_> = line.chain(options).collect();
            let output = program.run(&[&line[..], &[vault.dir.to_str().unwrap()]].concat());
            let corrupt = said(&output).matches("fsck: corrupt entry").count();
            (output.status.code(), corrupt)
        });
        assert_eq!(go, ours, "{patterns:?}");
    }
}

/// With the Go program, such a name is another name of the good file.
#[test]
fn the_mark_behind_a_good_name_means_nothing() {
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let mount = mount(&ours, &vault, &["*"]);
    let good = mount.path().join("good");
    fs::write(&good, "good").unwrap();
    let marked = mount.path().join(format!("good{MARK}"));
    let refused = fs::write(&marked, "bad").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::NotFound);
    assert_eq!(fs::read(&good).unwrap(), b"good");
    mount.unmount();
}

#[test]
fn a_long_name_with_a_damaged_name_file_can_be_rescued() {
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let good = Mount::new(&ours, &vault, &[]);
    fs::write(good.path().join("l".repeat(200)), "rescue me").unwrap();
    good.unmount();
    let names_of = names(&vault.dir);
    let file = names_of
        .iter()
        .find(|name| name.strip_suffix(".name").is_some())
        .unwrap();
    let file = vault.dir.join(file);
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, &text[..200]).unwrap();
    let mount = mount(&ours, &vault, &["*"]);
    let [shown] = &names(&mount.path())[..] else {
        panic!("{:?}", names(&mount.path()))
    };
    assert!(shown.ends_with(MARK), "{shown}");
    let (path, rescued) = (mount.path().join(shown), mount.path().join("rescued"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "rescue me");
    fs::rename(&path, &rescued).unwrap();
    assert_eq!(fs::read_to_string(&rescued).unwrap(), "rescue me");
    mount.unmount();
    if let Some(go) = Program::go("the check after the rescue") {
        vault.assert_clean(&go);
    }
}
