//! The exclusion patterns against the Go program, which shows what is left of a tree.
//!
//! Names are plain in these views, so what our matcher says can be compared without a mount.

use super::each;
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::Vault;
use gocryptfs_rs::reverse::Exclusions;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

const DIRS: [&str; 10] = [
    "bak", "d", "d.mp3", "d/bak", "d/e", "d/e/f", "foo.d", "keep.d", "sub", "x",
];
const IN_EACH_DIR: [&str; 10] = [
    ".hid", "a", "a b", "a.mp3", "abc", "foo.bar", "keep", "q1", "q?", "\u{e9}",
];
const AT_THE_TOP: [&[u8]; 34] = [
    b"!bang",
    b"#hash",
    b"#$~",
    b" lead",
    b"trail ",
    b"$",
    b"*",
    b"-",
    b"0",
    b"1.2.3",
    b"?",
    b"A",
    b"README.md",
    b"[x]",
    b"^a",
    b"_",
    b"a",
    b"a$",
    b"a(b",
    b"a)b",
    b"a+b",
    b"a..b",
    b"a.b",
    b"a1",
    b"aa",
    b"a[1]",
    b"a\\b",
    b"a{2}",
    b"a|b",
    b"axb",
    b"new\nline",
    b"tab\t",
    b"x.tar.gz",
    b"\xff\xfe",
];
/// One line, one pattern.
const PATTERNS: &str = include_str!("../../testdata/exclude/patterns");
/// What several patterns make of each other. Separated by blank lines.
const SEVERAL: &str = include_str!("../../testdata/exclude/several");

fn fill(root: &Path) {
    for dir in DIRS {
        fs::create_dir_all(root.join(dir)).unwrap();
        for name in IN_EACH_DIR {
            File::create(root.join(dir).join(name)).unwrap();
        }
    }
    for name in AT_THE_TOP {
        File::create(root.join(OsStr::from_bytes(name))).unwrap();
    }
}

/// The paths of everything below `root` that `is_shown` lets through.
fn paths(root: &Path, is_shown: &dyn Fn(&[u8]) -> bool) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let mut ahead = vec![root.to_owned()];
    while let Some(dir) = ahead.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
            if !is_shown(relative) {
                continue;
            }
            found.insert(relative.to_owned());
            if path.is_dir() {
                ahead.push(path);
            }
        }
    }
    found
}

/// What both programs do with these lines; a description if it is not the same.
fn difference(go: &Program, plain: &Vault, lines: &str) -> Option<String> {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("patterns");
    fs::write(&file, lines).unwrap();
    let mount = Mount::new(go, plain, &["-exclude-from", file.to_str().unwrap()]);
    let wanted = paths(&mount.path(), &|_| true);
    mount.unmount();
    let exclusions = Exclusions::new(lines.split('\n').map(str::as_bytes)).unwrap();
    let found = paths(&plain.dir, &|path| !exclusions.hide(path));
    let text = |paths: Vec<&Vec<u8>>| {
        let mut paths = paths.into_iter().map(|path| String::from_utf8_lossy(path));
        paths.next().map(String::from)
    };
    let [lost, gained] = [(&wanted, &found), (&found, &wanted)]
        .map(|(some, others)| text(some.difference(others).collect()));
    (wanted != found).then(|| format!("{lines:?}: lost {lost:?}, gained {gained:?}\n"))
}

#[test]
fn what_is_left_out_is_refused_as_by_the_go_program() {
    let long = "n".repeat(200);
    let plain = Vault::empty(&["-reverse", "-zerokey"]);
    for name in ["kept", "hidden", &long] {
        fs::write(plain.dir.join(name), "").unwrap();
    }
    let ours = Program::ours();
    let mount = Mount::new(&ours, &plain, &[]);
    let shown = paths(&mount.path(), &|_| true);
    mount.unmount();
    let excluded = ["-exclude", "hidden", "-exclude-wildcard", "nn*"];
    let go = Program::go("refusals of excluded paths");
    let answers = [Some(&ours), go.as_ref()].map(|program| {
        let mount = Mount::new(program?, &plain, &excluded);
        let kinds = shown.iter().map(|path| {
            let path = mount.path().join(OsStr::from_bytes(path));
            File::open(path).err().map(|error| error.kind())
        });
        let kinds: Vec<_> = kinds.collect();
        mount.unmount();
        Some(kinds)
    });
    let refused = answers[0].iter().flatten().flatten();
    assert_eq!(
        refused.collect::<Vec<_>>(),
        [&ErrorKind::PermissionDenied; 3]
    );
    assert!(go.is_none() || answers[0] == answers[1], "{answers:?}");
}

#[test]
fn every_pattern_leaves_what_it_leaves_in_the_go_program() {
    let Some(go) = Program::go("exclusion patterns") else {
        return;
    };
    let plain = Vault::empty(&["-reverse", "-zerokey", "-plaintextnames"]);
    fill(&plain.dir);
    let several = SEVERAL.split("\n\n");
    let cases: Vec<&str> = PATTERNS.lines().chain(several).collect();
    assert!(cases.len() > 220);
    let differences = each(&cases, |lines| {
        difference(&go, &plain, lines).unwrap_or_default()
    });
    assert!(differences.is_empty(), "{differences}");
}
