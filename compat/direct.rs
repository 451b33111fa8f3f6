//! `ls`, `cat`, `find` and `export`: what a volume holds, without mounting it.

mod damage;
mod shape;
mod terminal;

use crate::golden::{assert_same, volumes};
use crate::support::digest::digest;
use crate::support::program::{Program, said};
use crate::support::skip::{is_root, skip};
use crate::support::vault::Vault;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Runs a verb on `vault`; `words` stand in front of CIPHERDIR, `paths` behind it.
fn run(vault: &Vault, words: &[&str], paths: &[&str]) -> Output {
    let (verb, options) = words.split_first().unwrap();
    let mut line = vec![*verb];
    line.extend(vault.options.iter().map(String::as_str));
    line.extend(options);
    line.push(vault.dir.to_str().unwrap());
    line.extend(paths);
    Program::ours().run(&line)
}

/// What a successful run writes to stdout.
fn answer(vault: &Vault, words: &[&str], paths: &[&str]) -> String {
    let output = run(vault, words, paths);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn golden(name: &str) -> Vault {
    let found = volumes().into_iter().find(|path| path.ends_with(name));
    Vault::unpack(&found.unwrap())
}

/// Unpacks an archive with tar(1) to a new directory.
fn unpack(archive: &Path) -> TempDir {
    let dir = TempDir::new().unwrap();
    let unpacked = Command::new("tar")
        .args(["--xattrs", "--xattrs-include=*", "--numeric-owner"])
        .args(["--warning=no-timestamp", "-xpf"])
        .arg(archive)
        .arg("-C")
        .arg(dir.path())
        .status();
    assert!(unpacked.unwrap().success());
    dir
}

#[test]
fn an_export_of_every_golden_volume_is_its_tree() {
    for folder in volumes() {
        let vault = Vault::unpack(&folder);
        let wanted = fs::read_to_string(folder.join("digest")).unwrap();
        let scratch = TempDir::new().unwrap();
        let tree = scratch.path().join("tree");
        let output = run(&vault, &["export"], &[tree.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
        let name = folder.display().to_string();
        assert_same(&wanted, &digest(&tree).unwrap(), &name);

        let archive = scratch.path().join("archive");
        answer(&vault, &["export", "--tar"], &[archive.to_str().unwrap()]);
        assert_same(&wanted, &digest(unpack(&archive).path()).unwrap(), &name);
        let streamed = run(&vault, &["export"], &["-"]).stdout;
        assert!(streamed == fs::read(&archive).unwrap(), "{name}");
    }
}

#[test]
fn an_archive_is_read_by_other_programs() {
    let what = "archives in other programs";
    let vault = golden("aes-gcm");
    let scratch = TempDir::new().unwrap();
    let archive = scratch.path().join("archive");
    answer(&vault, &["export", "--tar"], &[archive.to_str().unwrap()]);
    let wanted = answer(&vault, &["find"], &[]).matches('\n').count();
    let script = "import sys, tarfile; t = tarfile.open(sys.argv[1]); print(len(t.getnames()), \
                  len(t.extractfile('holes/middle').read()))";
    match Command::new("python3")
        .args(["-c", script])
        .arg(&archive)
        .output()
    {
        // one name has a newline in it
        Ok(out) => assert_eq!(out.stdout, format!("{} 40003\n", wanted - 1).as_bytes()),
        Err(_) => skip(what, "there is no python3"),
    }
}

/// Reads a volume as a user without privileges who has no /dev/fuse.
const AS_NOBODY: &str = r#"
mount -t tmpfs none /dev
mknod -m 666 /dev/null c 1 3
test ! -e /dev/fuse
exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -euc '
"$0" export -q -passfile right C mine/tree
"$0" ls -passfile right C
"$0" cat -passfile right C contents/1 contents/4097 | wc -c
"$0" export -passfile right C - | tar -t | wc -l
' "$0"
"#;

#[test]
fn a_plain_user_reads_a_volume_where_there_is_no_fuse() {
    let what = "reading without FUSE";
    if !is_root(what) {
        return;
    }
    let namespace = Command::new("unshare").args(["--mount", "true"]).status();
    if !namespace.is_ok_and(|status| status.success()) {
        return skip(what, "no mount namespace can be made here");
    }
    let vault = golden("aes-gcm");
    let scratch = TempDir::new().unwrap();
    let folder = scratch.path();
    fs::write(folder.join("right"), "test\n").unwrap();
    fs::create_dir(folder.join("mine")).unwrap();
    // The program may be in a directory that only root can search.
    fs::copy(Program::ours().path(), folder.join("gocryptfs")).unwrap();
    for (program, words) in [
        ("cp", vec!["-a", vault.dir.to_str().unwrap(), "C"]),
        ("chown", vec!["-R", "65534:65534", "."]),
        ("chmod", vec!["-R", "u+r", "C"]),
    ] {
        let done = Command::new(program)
            .args(words)
            .current_dir(folder)
            .status();
        assert!(done.unwrap().success());
    }
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-euc"])
        .args([AS_NOBODY, &folder.join("gocryptfs").display().to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("contents\nfifo\nholes\n"), "{told}");
    assert!(told.contains("\n4098\n"), "{told}");
    let found = digest(&folder.join("mine/tree")).unwrap();
    let vault = Vault::found_at(folder.join("C"));
    let wanted = digest(unpack_all(&vault).path()).unwrap();
    assert_same(&wanted, &found, "as a plain user");
}

/// An export by root.
fn unpack_all(vault: &Vault) -> TempDir {
    let dir = TempDir::new().unwrap();
    answer(vault, &["export"], &[dir.path().to_str().unwrap()]);
    dir
}

#[test]
fn cat_shows_what_files_hold() {
    let vault = golden("xchacha");
    let plain = unpack_all(&vault);
    for path in [
        "contents/12411",
        "holes/middle",
        "holes/only-unaligned",
        "names/new\nline",
    ] {
        let wanted = fs::read(plain.path().join(path)).unwrap();
        assert!(run(&vault, &["cat"], &[path]).stdout == wanted, "{path}");
    }
    let both = answer(&vault, &["cat"], &["/contents/1", "links/first"]);
    assert_eq!(both, "\0three names");
}

#[test]
fn a_path_follows_links_and_stays_inside() {
    let vault = golden("aes-gcm");
    let size = |path: &str| run(&vault, &["cat"], &[path]).stdout.len();
    assert_eq!(size("links/short"), 4096);
    assert_eq!(size("links/../contents/./4097"), 4097);
    for (path, reason) in [
        ("links/dangling", "it leads out of the volume"),
        ("../x", "it leads out of the volume"),
        ("nothing", "No such file"),
        ("contents/1/x", "Not a directory"),
        (&"x".repeat(300), "too long"),
    ] {
        for verb in ["cat", "ls", "find"] {
            if verb != "cat" && path == "links/dangling" {
                continue;
            }
            let output = run(&vault, &[verb], &[path]);
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
            assert!(said(&output).contains(reason), "{}", said(&output));
            assert_eq!(output.stdout, b"");
        }
    }
}

#[test]
fn ls_lists_directories_and_files() {
    let vault = golden("aes-gcm");
    let top = "contents\nfifo\nholes\nlinks\nmodes\nnames\nnested\ntimes\nxattrs\n";
    assert_eq!(answer(&vault, &["ls"], &[]), top);
    assert_eq!(answer(&vault, &["ls"], &["nested/a"]), "b\n");
    assert_eq!(answer(&vault, &["ls"], &["fifo"]), "fifo\n");
    let two = answer(&vault, &["ls"], &["nested", "fifo", "nested/a"]);
    assert_eq!(two, "fifo\n\nnested:\na\nempty\n\nnested/a:\nb\n");
    let all = "nested:\na\nempty\n\nnested/a:\nb\n\nnested/a/b:\nc\n\nnested/a/b/c:\nd\n\n\
               nested/a/b/c/d:\ne\n\nnested/a/b/c/d/e:\nleaf\n\nnested/empty:\n";
    for recursive in ["-R", "--recursive"] {
        assert_eq!(answer(&vault, &["ls", recursive], &["nested"]), all);
    }
    let long = answer(&vault, &["ls", "-l"], &["modes", "links"]);
    assert!(long.contains("-rws--x--x "), "{long}");
    assert!(
        long.contains(" 2017-07-14 02:40 short -> ../contents/4096\n"),
        "{long}"
    );
    assert_eq!(
        answer(&vault, &["ls", "-lR"], &["times"]),
        answer(&vault, &["ls", "-l", "-R"], &["times"])
    );
}

#[test]
fn find_shows_paths_by_name_and_type() {
    let vault = golden("plaintextnames");
    let found =
        |words: &[&str], paths: &[&str]| answer(&vault, &[&["find"], words].concat(), paths);
    assert!(found(&[], &[]).starts_with(".\ncontents\ncontents/0\n"));
    assert_eq!(
        found(&["--type", "d"], &["nested/a/b/c/d"]),
        "nested/a/b/c/d\nnested/a/b/c/d/e\n"
    );
    assert_eq!(
        found(&["-name", "409?"], &["contents"]),
        "contents/4095\ncontents/4096\ncontents/4097\n"
    );
    assert_eq!(
        found(&["-type=l", "-name=[so]*"], &[]),
        "links/one-byte\nlinks/short\n"
    );
    let output = run(&vault, &["find", "--name", "["], &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

#[test]
fn a_part_of_a_volume_is_exported() {
    let vault = golden("aes-gcm");
    let scratch = TempDir::new().unwrap();
    let to = |name: &str| -> PathBuf { scratch.path().join(name) };
    let export = |sub: &str, to: &Path| {
        answer(&vault, &["export", "--path", sub], &[to.to_str().unwrap()]);
    };
    export("nested/a", &to("dir"));
    assert_eq!(fs::read(to("dir/b/c/d/e/leaf")).unwrap(), b"deep");
    export("/nested/a/b/c/d/e/leaf", &to("file"));
    assert_eq!(fs::read(to("file/leaf")).unwrap(), b"deep");
    let stream = run(&vault, &["export", "--path", "nested/a/b/c/d"], &["-"]).stdout;
    fs::write(to("archive"), stream).unwrap();
    let unpacked = unpack(&to("archive"));
    assert_eq!(fs::read(unpacked.path().join("e/leaf")).unwrap(), b"deep");
}

#[test]
fn nothing_is_overwritten() {
    let vault = golden("aes-gcm");
    let scratch = TempDir::new().unwrap();
    let full = scratch.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("file"), "precious").unwrap();
    let before = digest(scratch.path()).unwrap();
    for (options, to) in [
        (&["export"][..], full.clone()),
        (&["export"], full.join("file")),
        (&["export"], scratch.path().join("missing/dir")),
        (&["export", "--tar"], full.join("file")),
    ] {
        let output = run(&vault, options, &[to.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(11), "{}", said(&output));
    }
    assert_eq!(digest(scratch.path()).unwrap(), before);
}
