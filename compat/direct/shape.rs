//! Sizes and shapes: holes stay holes, large files arrive, deep trees and long paths too.

use super::{run, unpack};
use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::skip::is_root;
use crate::support::tree::pattern;
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use tempfile::TempDir;

/// Fills a mounted vault: files of several pieces, holes, a path longer than 256 bytes.
fn fill(plain: &Path) {
    fs::write(plain.join("large"), pattern((9 << 20) + 5)).unwrap();
    fs::write(plain.join("piece"), pattern(1 << 20)).unwrap();
    let sparse = File::create(plain.join("sparse")).unwrap();
    sparse.write_all_at(&pattern(5 << 20), 1 << 30).unwrap();
    sparse.write_all_at(b"middle", 700_000_001).unwrap();
    sparse.set_len((3 << 30) + 17).unwrap();
    let hollow = File::create(plain.join("hollow")).unwrap();
    hollow.set_len(1 << 33).unwrap();
    let deep = plain.join("a long name of a directory/".repeat(20));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("leaf"), "deep").unwrap();
    fs::hard_link(deep.join("leaf"), plain.join("other")).unwrap();
}

/// Compares without reading the holes, which would take long.
fn assert_alike(plain: &Path, found: &Path) {
    for name in ["large", "piece", "other"] {
        let same = fs::read(plain.join(name)).unwrap() == fs::read(found.join(name)).unwrap();
        assert!(same, "{name}");
    }
    let stat = |path: &Path| fs::symlink_metadata(path).unwrap();
    for name in ["sparse", "hollow"] {
        assert_eq!(
            stat(&found.join(name)).size(),
            stat(&plain.join(name)).size()
        );
        let stored = stat(&found.join(name)).blocks() * 512;
        assert!(stored < 6 << 20, "{name} takes {stored} bytes");
    }
    let sparse = File::open(found.join("sparse")).unwrap();
    let mut part = vec![0; 5 << 20];
    sparse.read_exact_at(&mut part, 1 << 30).unwrap();
    assert!(part == pattern(5 << 20));
    sparse.read_exact_at(&mut part[..8], 700_000_000).unwrap();
    assert_eq!(part[..8], *b"\0middle\0");
    assert_eq!(stat(&found.join("other")).nlink(), 2);
    let deep = Path::new(&"a long name of a directory/".repeat(20)).join("leaf");
    assert_eq!(
        stat(&found.join("other")).ino(),
        stat(&found.join(deep)).ino()
    );
}

#[test]
fn holes_stay_holes_and_large_files_arrive_whole() {
    if !is_root("exports of what a mount has written") {
        return;
    }
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let mount = Mount::new(&ours, &vault, &[]);
    fill(&mount.path());
    let scratch = TempDir::new().unwrap();
    let (tree, archive) = (scratch.path().join("tree"), scratch.path().join("archive"));
    // others have it mounted meanwhile
    for (words, to) in [(&["export"][..], &tree), (&["export", "--tar"], &archive)] {
        let output = run(&vault, words, &[to.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert!(archive.metadata().unwrap().len() < 40 << 20);
    assert_alike(&mount.path(), &tree);
    let unpacked = unpack(&archive);
    assert_alike(&mount.path(), unpacked.path());
    fs::remove_file(tree.join("hollow")).unwrap();
    fs::remove_file(unpacked.path().join("hollow")).unwrap();
    for dir in [&tree, unpacked.path()] {
        crate::support::tree::set_mtime(dir, 1, 1).unwrap();
    }
    assert_eq!(digest(&tree).unwrap(), digest(unpacked.path()).unwrap());
    mount.unmount();
}

#[test]
fn the_end_of_a_reader_is_the_end() {
    let vault = super::golden("aes-gcm");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for words in [["export", "-"], ["cat", "contents/12411"]] {
        let mut command = Program::ours().command();
        let mut child = command
            .arg(words[0])
            .arg(&vault.dir)
            .arg(words[1])
            .args(["-extpass", "echo test"])
            .stdout(writer.try_clone().unwrap())
            .spawn()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(11));
    }
}
