//! What fuzzing begins with: the parts of the volumes in `testdata`, and lines as users write them.
//! This file is also part of the program in `tools/fuzzer`.

use super::targets::TARGETS;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

/// Longer ones make every execution slow, bytes.
const LONGEST: usize = 10_000;
/// Inputs of one target, at most.
const MOST: usize = 200;

/// What stands in front of an input that chooses the kind of codecs by its first byte.
const CHOICES: [u8; 4] = [0x02, 0x01, 0x20, 0x4a];

const ARGUMENTS: [&str; 8] = [
    "gocryptfs\n-q\n-extpass\ncat\n-extpass=-x\n/\n/mnt\n-o\nro,fsname=x,nodev,noatime",
    "gocryptfs\n-init\n--scryptn=0x10\n-longnamemax\n100\n-xchacha\n/\n",
    "gocryptfs\n-fg\n-idle\n1h30m0.5s\n-force_owner\n1000:1000\n-badname=*[!a-z]\n/\n/",
    "gocryptfs\nfsck\n--json\n--repair\n--bad-blocks=zero\n--save\n/x\n/\na/b",
    "gocryptfs\nclone\n-r\na\nb\n--\n-c",
    "gocryptfs\nmount\n--ctlsock=/tmp/x\n-masterkey=00-11\n/\n/",
    "gocryptfs\n-reverse\n-exclude=a\n-ew\n*.b\n-exclude-from\n/f\n/\n/",
    "mount.gocryptfs\n/\n/\n-o=rw,allow_other,x-systemd.automount,,passfile=/p,ko=a",
];
const REQUESTS: [&str; 4] = [
    r#"{"EncryptPath":"a/b/c"}"#,
    r#"{"decryptPath":"\u00e9\n","Other":[1e9,null,{"x":"\ud83d\ude00"}]}"#,
    r#"{"Result":"x","ErrNo":-1,"ErrText":"y","WarnText":""}"#,
    "null",
];
const BAD_NAMES: [&str; 3] = [
    "*[!~]\njunk",
    "\\[\\*\\?] \\\\\n[*?] \\",
    "?unk[a-z^]*\njunk.bak",
];

/// Inputs for each target, from the folder `testdata`.
pub(crate) fn collect(testdata: &Path) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut seeds: BTreeMap<_, _> = TARGETS
        .iter()
        .map(|(name, _)| (*name, Vec::new()))
        .collect();
    let mut add = |target: &str, input: Vec<u8>| {
        let of_target = seeds.get_mut(target).expect("a target of this name");
        if input.len() <= LONGEST && !of_target.contains(&input) {
            of_target.push(input);
        }
    };
    for folder in ["volumes", "broken"] {
        for volume in fs::read_dir(testdata.join(folder)).expect("testdata") {
            let scratch = tempfile::tempdir().expect("a temporary directory");
            let archive = volume.expect("testdata").path().join("cipher.tar.gz");
            let mut unpack = Command::new("tar");
            unpack.args(["--no-same-permissions", "--warning=no-timestamp", "-xzf"]);
            unpack.arg(archive).arg("-C").arg(scratch.path());
            assert!(unpack.status().expect("tar").success());
            walk(scratch.path(), &mut add);
        }
    }
    for (target, texts) in [
        ("arguments", &ARGUMENTS[..]),
        ("control-request", &REQUESTS),
    ] {
        for text in texts {
            add(target, text.as_bytes().to_vec());
        }
    }
    for text in BAD_NAMES {
        with_choices(text.as_bytes(), |input| add("bad-names", input));
    }
    let patterns = fs::read(testdata.join("exclude/patterns")).expect("testdata");
    let lines: Vec<_> = patterns.split(|byte| *byte == b'\n').collect();
    for lines in lines.chunks(3) {
        add("exclusions", lines.join(&b'\n'));
    }
    for inputs in seeds.values_mut() {
        inputs.sort();
        let step = inputs.len().div_ceil(MOST).max(1);
        *inputs = inputs.iter().step_by(step).cloned().collect();
    }
    seeds
}

/// Hands over what an unpacked volume holds.
fn walk(dir: &Path, add: &mut impl FnMut(&str, Vec<u8>)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().expect("a type");
        with_choices(name.as_bytes(), |input| add("name", input));
        if kind.is_dir() {
            walk(&path, add);
        } else if let Ok(target) = fs::read_link(&path) {
            let target = target.as_os_str().as_bytes();
            with_choices(target, |input| add("symlink", input));
            with_choices(&[b"user.gocryptfs.", target].concat(), |input| {
                add("xattr", input);
            });
        } else if kind.is_file() {
            add_file(name.as_bytes(), &fs::read(&path).unwrap_or_default(), add);
        }
    }
}

fn add_file(name: &[u8], content: &[u8], add: &mut impl FnMut(&str, Vec<u8>)) {
    match name {
        b"gocryptfs.conf" => add("conf", content.to_vec()),
        b"gocryptfs.diriv" => add("diriv", content.to_vec()),
        _ if name.ends_with(b".name") => {
            with_choices(content, |input| add("name-file", input));
        }
        _ => {
            add("header", content[..content.len().min(18)].to_vec());
            with_choices(content, |input| add("blocks", input));
            let part = &content[..content.len().min(5000)];
            with_choices(part, |input| add("changed-blocks", input));
        }
    }
}

fn with_choices(text: &[u8], mut add: impl FnMut(Vec<u8>)) {
    for choice in CHOICES {
        add([&[choice], text].concat());
    }
}
