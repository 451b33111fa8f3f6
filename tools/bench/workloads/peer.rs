//! The file systems that are compared: how each is mounted, and what its daemon has used.

use crate::{Failure, wait_until};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The content cipher of the vaults.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    AesGcm,
    AesSiv,
    XChaCha,
}

impl Cipher {
    pub(crate) fn named(name: &str) -> Option<Cipher> {
        match name {
            "aes-gcm" => Some(Cipher::AesGcm),
            "aessiv" => Some(Cipher::AesSiv),
            "xchacha" => Some(Cipher::XChaCha),
            _ => None,
        }
    }

    fn option(self) -> Option<&'static str> {
        match self {
            Cipher::AesGcm => None,
            Cipher::AesSiv => Some("-aessiv"),
            Cipher::XChaCha => Some("-xchacha"),
        }
    }
}

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// The backing directory itself.
    Raw,
    /// The adapter without encryption.
    Floor,
    /// This program.
    Ours,
    /// This program with the write-back cache of the kernel.
    Writeback,
    /// The Go program.
    Go,
    /// Other file systems of this sort, where they are installed.
    EncFs,
    CryFs,
    SecureFs,
}

impl Kind {
    pub(crate) const ALL: [Kind; 8] = [
        Kind::Raw,
        Kind::Floor,
        Kind::Ours,
        Kind::Writeback,
        Kind::Go,
        Kind::EncFs,
        Kind::CryFs,
        Kind::SecureFs,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Raw => "raw",
            Kind::Floor => "floor",
            Kind::Ours => "ours",
            Kind::Writeback => "ours, -writeback",
            Kind::Go => "gocryptfs (Go)",
            Kind::EncFs => "encfs",
            Kind::CryFs => "cryfs",
            Kind::SecureFs => "securefs",
        }
    }

    fn program(self, built: &Path) -> PathBuf {
        match self {
            Kind::Floor => built.join("examples/floor"),
            Kind::Ours | Kind::Writeback => built.join("gocryptfs"),
            Kind::Go => "gocryptfs".into(),
            Kind::EncFs => "encfs".into(),
            Kind::CryFs => "cryfs".into(),
            Kind::Raw => "true".into(),
            Kind::SecureFs => "securefs".into(),
        }
    }

    /// Whether its program can be run here.
    pub(crate) fn is_installed(self, built: &Path) -> bool {
        let program = self.program(built);
        let path = std::env::var_os("PATH").unwrap_or_default();
        program.is_file() || std::env::split_paths(&path).any(|dir| dir.join(&program).is_file())
    }

    fn command(self, built: &Path, cipher: Cipher, dir: &Path, point: &Path) -> Command {
        let mut command = Command::new(self.program(built));
        match self {
            Kind::Raw | Kind::Floor => {}
            Kind::Ours | Kind::Writeback | Kind::Go => {
                command.args(["-q", "-fg", "-nosyslog", "-zerokey"]);
                command.args(cipher.option());
                command.args((self == Kind::Writeback).then_some("-writeback"));
            }
            Kind::EncFs => {
                command.args(["-f", "-S", "--standard"]);
            }
            Kind::CryFs => {
                command.arg("-f").env("CRYFS_FRONTEND", "noninteractive");
            }
            Kind::SecureFs => {
                command.args(["mount", "--pass", "test"]);
            }
        }
        command.args([dir, point]);
        command
    }

    /// Puts into an empty directory what the program wants to find there.
    fn prepare(self, dir: &Path) -> Result<(), Failure> {
        match self {
            Kind::Ours | Kind::Writeback | Kind::Go => {
                fs::write(dir.join("gocryptfs.diriv"), [7; 16])?;
            }
            Kind::SecureFs => {
                let args = ["create", "--pass", "test", "-r", "1"];
                Command::new("securefs").args(args).arg(dir).output()?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A mounted file system. It is gone with its files when this is dropped.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    daemon: Option<Child>,
    dir: PathBuf,
    point: PathBuf,
}

impl Peer {
    /// Makes an empty file system in `place` and mounts it.
    pub(crate) fn mount(
        kind: Kind,
        built: &Path,
        cipher: Cipher,
        place: &Path,
    ) -> Result<Peer, Failure> {
        let word = format!("{kind:?}");
        let [dir, point] = ["dir", "mount"].map(|part| place.join(format!("{word}.{part}")));
        fs::create_dir(&dir)?;
        fs::create_dir(&point)?;
        kind.prepare(&dir)?;
        let mut peer = Peer {
            kind,
            daemon: None,
            dir,
            point,
        };
        if kind == Kind::Raw {
            return Ok(peer);
        }
        let mut child = kind
            .command(built, cipher, &peer.dir, &peer.point)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Those who want no password may have closed it already.
            let _ = stdin.write_all(b"test\ntest\n");
        }
        peer.daemon = Some(child);
        wait_until(kind.name(), || peer.is_mounted())?;
        Ok(peer)
    }

    fn is_mounted(&self) -> bool {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mut points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        points.any(|point| Path::new(point) == self.point)
    }

    /// Where to work.
    pub(crate) fn path(&self) -> &Path {
        match self.kind {
            Kind::Raw => &self.dir,
            _ => &self.point,
        }
    }

    /// Processor time that the daemon has used, seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let pid = self.daemon.as_ref().map_or(0, Child::id);
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks = after_name.split(' ').skip(11).take(2);
        let ticks = ticks.filter_map(|ticks| ticks.parse::<f64>().ok());
        // USER_HZ, see proc(5)
        ticks.sum::<f64>() / 100.0
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let unmounted = Command::new("umount").arg(&self.point).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                let _ = Command::new("umount").arg("-l").arg(&self.point).status();
            }
            let _ = daemon.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
        let _ = fs::remove_dir(&self.point);
    }
}
