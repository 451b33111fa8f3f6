//! Every operation of the file system through the kernel, on a mount of our program.

mod attributes;
mod concurrent;
mod contents;
mod damage;
mod growth;
mod links;
mod listing;
mod load;
mod modes;
mod names;
mod options;
mod owners;
mod permissions;
mod rename;
mod rings;
mod segments;
mod space;
mod special;
mod unlinked;
mod vanishing;
mod writeback;
mod xattrs;

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use std::fs;
use std::path::{Path, PathBuf};

/// A fresh vault and its mount.
struct Session {
    // before the vault, which it uses
    mount: Mount,
    vault: Vault,
}

impl Session {
    /// With the default format.
    fn new() -> Self {
        Self::with("aes-gcm", &[])
    }

    /// With one of the named combinations of features, and mount options.
    fn with(features: &str, options: &[&str]) -> Self {
        let ours = Program::ours();
        let features = ALL_FEATURES.iter().find(|known| known.name == features);
        let vault = Vault::new(&ours, features.unwrap());
        Self::mount(vault, &ours, options)
    }

    fn mount(vault: Vault, program: &Program, options: &[&str]) -> Self {
        let mount = Mount::new(program, &vault, options);
        Self { mount, vault }
    }

    /// The path of an entry in the plain tree.
    fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.mount.path().join(relative)
    }

    /// Unmounts and mounts again.
    fn again(self, options: &[&str]) -> Self {
        self.mount.unmount();
        Self::mount(self.vault, &Program::ours(), options)
    }

    /// The encrypted entries at the top of the vault, without the format's own files.
    fn encrypted(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.vault.dir).unwrap();
        let own = |path: &PathBuf| {
            let name = path.file_stem().unwrap();
            let is_helper = path.extension().is_some_and(|ext| ext == "name");
            name == "gocryptfs" || is_helper
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = paths.filter(|path| !own(path)).collect();
        found.sort();
        found
    }

    /// The only encrypted entry.
    fn the_encrypted(&self) -> PathBuf {
        let [only] = self.encrypted().try_into().unwrap();
        only
    }
}
