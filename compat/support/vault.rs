//! Encrypted directories: made by either program for every combination of features, or unpacked
//! from the golden volumes.

use super::program::{Program, said};
use super::tree::Limits;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A combination of format options.
pub(crate) struct Features {
    pub(crate) name: &'static str,
    /// For `-init`.
    pub(crate) init: &'static [&'static str],
    /// For mounting. With `-zerokey` the vault has no configuration.
    pub(crate) mount: &'static [&'static str],
    pub(crate) limits: Limits,
}

const fn features(
    name: &'static str,
    init: &'static [&'static str],
    mount: &'static [&'static str],
) -> Features {
    let limits = Limits::NONE;
    Features {
        name,
        init,
        mount,
        limits,
    }
}

/// All that either program can make.
pub(crate) const ALL_FEATURES: [Features; 16] = [
    features("aes-gcm", &[], &[]),
    features("aessiv", &["-aessiv"], &[]),
    features("xchacha", &["-xchacha"], &[]),
    features("plaintextnames", &["-plaintextnames"], &[]),
    features(
        "plaintextnames-aessiv",
        &["-plaintextnames", "-aessiv"],
        &[],
    ),
    features(
        "plaintextnames-xchacha",
        &["-plaintextnames", "-xchacha"],
        &[],
    ),
    features("deterministic", &["-deterministic-names"], &[]),
    features(
        "deterministic-aessiv",
        &["-deterministic-names", "-aessiv"],
        &[],
    ),
    features(
        "deterministic-xchacha",
        &["-deterministic-names", "-xchacha"],
        &[],
    ),
    features("longnamemax-62", &["-longnamemax", "62"], &[]),
    features("longnamemax-100", &["-longnamemax", "100", "-xchacha"], &[]),
    Features {
        limits: Limits {
            name: 175,
            ..Limits::NONE
        },
        ..features("longnames-off", &[], &["-longnames=false"])
    },
    features("no-hkdf", &[], &["-zerokey", "-hkdf=false", "-raw64=false"]),
    features(
        "no-hkdf-aessiv",
        &[],
        &["-zerokey", "-hkdf=false", "-aessiv"],
    ),
    features(
        "padded-xchacha",
        &[],
        &["-zerokey", "-raw64=false", "-xchacha"],
    ),
    features(
        "zerokey-plain",
        &["-plaintextnames"],
        &["-zerokey", "-plaintextnames"],
    ),
];

/// A CIPHERDIR and what it takes to mount it.
pub(crate) struct Vault {
    pub(crate) dir: PathBuf,
    pub(crate) options: Vec<String>,
    _scratch: TempDir,
}

impl Vault {
    /// Makes a new one in a temporary directory.
    pub(crate) fn new(program: &Program, features: &Features) -> Self {
        Self::new_in(&std::env::temp_dir(), program, features)
    }

    /// Makes a new one in a directory of its own below `parent`.
    pub(crate) fn new_in(parent: &Path, program: &Program, features: &Features) -> Self {
        let scratch = TempDir::new_in(parent).unwrap();
        let dir = scratch.path().join("cipher");
        fs::create_dir(&dir).unwrap();
        let mut args = vec!["-q", "-init", "-scryptn", "10"];
        args.extend(features.init);
        args.push(dir.to_str().unwrap());
        let output = program.run(&args);
        assert!(
            output.status.success(),
            "{}: {}",
            features.name,
            said(&output)
        );
        if features.mount.contains(&"-zerokey") {
            fs::remove_file(dir.join("gocryptfs.conf")).unwrap();
        }
        let options = features.mount.iter().map(ToString::to_string).collect();
        Self {
            dir,
            options,
            _scratch: scratch,
        }
    }

    /// A directory that is still empty, to be mounted with `options`.
    pub(crate) fn empty(options: &[&str]) -> Self {
        let scratch = TempDir::new().unwrap();
        let dir = scratch.path().join("cipher");
        fs::create_dir(&dir).unwrap();
        let options = options.iter().map(ToString::to_string).collect();
        Self {
            dir,
            options,
            _scratch: scratch,
        }
    }

    /// One that is there already, with its own configuration.
    pub(crate) fn found_at(dir: PathBuf) -> Self {
        Self {
            dir,
            options: Vec::new(),
            _scratch: TempDir::new().unwrap(),
        }
    }

    /// The same once more.
    pub(crate) fn copy(&self) -> Self {
        self.copy_to(&std::env::temp_dir())
    }

    /// The same once more, in a directory of its own below `parent`.
    pub(crate) fn copy_to(&self, parent: &Path) -> Self {
        let scratch = TempDir::new_in(parent).unwrap();
        let dir = scratch.path().join("cipher");
        let copied = Command::new("cp")
            .arg("-a")
            .args([&self.dir, &dir])
            .status();
        assert!(
            copied.unwrap().success(),
            "cannot copy {}",
            self.dir.display()
        );
        Self {
            dir,
            options: self.options.clone(),
            _scratch: scratch,
        }
    }

    /// Unpacks the golden volume in `folder`.
    pub(crate) fn unpack(folder: &Path) -> Self {
        let scratch = TempDir::new().unwrap();
        let status = Command::new("tar")
            .args([
                "--xattrs",
                "--xattrs-include=user.*",
                "--numeric-owner",
                "--warning=no-timestamp",
                "-xpzf",
            ])
            .arg(folder.join("cipher.tar.gz"))
            .arg("-C")
            .arg(scratch.path())
            .status();
        assert!(
            status.unwrap().success(),
            "cannot unpack {}",
            folder.display()
        );
        let options = fs::read_to_string(folder.join("options")).unwrap_or_default();
        let options = options.split_whitespace().map(str::to_owned).collect();
        let dir = scratch.path().join("cipher");
        Self {
            dir,
            options,
            _scratch: scratch,
        }
    }

    /// Fails unless the Go program's check finds nothing to say.
    pub(crate) fn assert_clean(&self, go: &Program) {
        let complaints = self.complaints(go);
        assert!(complaints.is_none(), "fsck: {}", said(&complaints.unwrap()));
    }

    /// What the Go program's check says, if it finds anything.
    pub(crate) fn complaints(&self, go: &Program) -> Option<Output> {
        let mut args = vec!["-q", "-nosyslog", "-fsck"];
        args.extend(self.options.iter().map(String::as_str));
        args.push(self.dir.to_str().unwrap());
        let output = go.run(&args);
        // what its FUSE library says (with the time in front) and the lack of syslog are no findings
        let stderr = String::from_utf8_lossy(&output.stderr);
        let is_noise =
            |line: &str| line.contains("Syslog") || line.as_bytes().get(2) == Some(&b':');
        let complaints = stderr.lines().filter(|line| !is_noise(line));
        let is_clean = output.status.success() && complaints.count() == 0;
        (!is_clean).then_some(output)
    }
}
