//! What is damaged is told and left out, the rest is there, and the exit code is 26.

use super::{answer, golden, run, unpack};
use crate::support::digest::digest;
use crate::support::program::said;
use crate::support::vault::Vault;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the only file of this size, bytes, is below `dir`.
fn file_of_size(dir: &Path, size: u64) -> Option<PathBuf> {
    fs::read_dir(dir).unwrap().find_map(|entry| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            file_of_size(&entry.path(), size)
        } else {
            (metadata.len() == size).then(|| entry.path())
        }
    })
}

/// A volume whose file `contents/8192` is damaged in its second block; and where that is.
fn damaged() -> (Vault, PathBuf) {
    let vault = golden("aes-gcm");
    let file = file_of_size(&vault.dir, 18 + 2 * (4096 + 32)).unwrap();
    let mut content = fs::read(&file).unwrap();
    content[6000] ^= 1;
    fs::write(&file, content).unwrap();
    let file = file.strip_prefix(&vault.dir).unwrap().to_owned();
    (vault, file)
}

#[test]
fn a_damaged_file_is_left_out_and_the_others_are_there() {
    let (vault, file) = damaged();
    let whole = TempDir::new().unwrap();
    answer(
        &golden("aes-gcm"),
        &["export"],
        &[whole.path().to_str().unwrap()],
    );
    let wanted = digest(whole.path()).unwrap();
    let wanted = wanted.split_inclusive('\n');
    let wanted: String = wanted
        .filter(|line| !line.starts_with("./contents/8192 "))
        .collect();
    let scratch = TempDir::new().unwrap();
    let to = scratch.path().join("archive");
    for (options, to) in [
        (&["export"][..], whole.path().join("none")),
        (&["export", "--tar"], to),
    ] {
        let output = run(&vault, options, &[to.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(26), "{}", said(&output));
        let stderr = String::from_utf8(output.stderr).unwrap();
        for text in [
            "cannot read \"contents/8192\": ",
            "corrupt block #1",
            "gocryptfs fsck",
        ] {
            assert!(stderr.contains(text), "{stderr}");
        }
        let line = format!("\n    on disk: {file:?}\n");
        assert!(stderr.contains(&line), "{stderr}");
        let found = match options.len() {
            1 => digest(&to).unwrap(),
            _ => digest(unpack(&to).path()).unwrap(),
        };
        assert_eq!(found, wanted);
    }
}

#[test]
fn cat_ends_where_the_damage_begins_and_goes_on_with_the_next_file() {
    let (vault, _) = damaged();
    let output = run(
        &vault,
        &["cat"],
        &["contents/8192", "nested/a/b/c/d/e/leaf"],
    );
    assert_eq!(output.status.code(), Some(26));
    assert_eq!(output.stdout, b"deep", "{}", said(&output));
}

#[test]
fn every_damaged_volume_is_exported_as_far_as_it_can_be_read() {
    for folder in crate::fsck::broken_volumes() {
        let vault = Vault::unpack(&folder);
        let before = digest(&vault.dir).unwrap();
        let tree = TempDir::new().unwrap();
        for words in [
            vec!["export"],
            vec!["export", "--tar"],
            vec!["ls", "-lR"],
            vec!["find"],
        ] {
            let to = tree.path().join(words.len().to_string());
            let to = to.to_str().unwrap();
            let paths = if words[0] == "export" {
                vec![to]
            } else {
                vec![]
            };
            let output = run(&vault, &words, &paths);
            let text = said(&output);
            let code = output.status.code().unwrap();
            assert!([0, 26].contains(&code), "{}: {text}", folder.display());
            assert!(!text.contains("panicked"), "{}: {text}", folder.display());
            let is_told = text.contains("\ncannot ");
            assert_eq!(is_told, code == 26, "{}: {text}", folder.display());
        }
        assert_eq!(digest(&vault.dir).unwrap(), before, "{}", folder.display());
    }
}
