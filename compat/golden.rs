//! The golden volumes: each opens, shows the tree that it held when the Go program wrote it, and
//! can be written to.

mod again;

use crate::support::digest::digest;
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::Vault;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of all golden volumes.
pub(crate) fn volumes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/volumes");
    let entries = fs::read_dir(folder).unwrap();
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn every_golden_volume_shows_its_tree() {
    for folder in volumes() {
        let vault = Vault::unpack(&folder);
        let mount = Mount::new(&Program::ours(), &vault, &["-ro"]);
        let wanted = fs::read_to_string(folder.join("digest")).unwrap();
        assert_same(
            &wanted,
            &digest(&mount.path()).unwrap(),
            &folder.display().to_string(),
        );
        let log = mount.unmount();
        assert!(!log.contains("corrupt"), "{}: {log}", folder.display());
    }
}

/// Compares two digests and shows the lines that differ.
pub(crate) fn assert_same(wanted: &str, found: &str, what: &str) {
    let lost = wanted.lines().filter(|line| !found.contains(line));
    let gained = found.lines().filter(|line| !wanted.contains(line));
    let differences: Vec<_> = lost
        .map(|line| format!("- {line}"))
        .chain(gained.map(|line| format!("+ {line}")))
        .collect();
    assert!(wanted == found, "{what}:\n{}", differences.join("\n"));
}
