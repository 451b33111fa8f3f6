//! Something else in the place of what should be there: never followed, never waited for.

use super::everything::{look, plant, scribble};
use super::{Fs, ROOT, long};
use crate::support::skip::is_root;
use gocryptfs_rs::vfs::Vfs as _;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::io::Errno;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Far more than anything here takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// What an attacker puts in place.
#[derive(Clone, Copy, Debug)]
enum Stranger {
    Fifo,
    Socket,
    Directory,
    FullDirectory,
    LinkToFile,
    LinkToDirectory,
    Endless,
    Huge,
    Nothing,
}

const STRANGERS: [Stranger; 9] = [
    Stranger::Fifo,
    Stranger::Socket,
    Stranger::Directory,
    Stranger::FullDirectory,
    Stranger::LinkToFile,
    Stranger::LinkToDirectory,
    Stranger::Endless,
    Stranger::Huge,
    Stranger::Nothing,
];

impl Stranger {
    fn put(self, path: &Path, outside: &Path) {
        let special = |kind, device| {
            let mode = Mode::from_raw_mode(0o666);
            mknodat(CWD, path, kind, mode, device).unwrap();
        };
        match self {
            Stranger::Fifo => special(FileType::Fifo, 0),
            Stranger::Socket => special(FileType::Socket, 0),
            Stranger::Directory => fs::create_dir(path).unwrap(),
            Stranger::FullDirectory => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("precious"), "precious").unwrap();
            }
            Stranger::LinkToFile => symlink(outside.join("file"), path).unwrap(),
            Stranger::LinkToDirectory => symlink(outside, path).unwrap(),
            Stranger::Endless if is_root("device files") => {
                special(FileType::CharacterDevice, makedev(1, 5));
            }
            Stranger::Huge => File::create(path).unwrap().set_len(1 << 40).unwrap(),
            Stranger::Endless | Stranger::Nothing => {}
        }
    }
}

/// What must be as it was: a file and a directory that no link may lead to.
fn outside() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(dir.path().join("file"), [9; 16]).unwrap();
    fs::write(dir.path().join("gocryptfs.diriv"), [9; 16]).unwrap();
    dir
}

fn state(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let mut lines: Vec<_> = entries
        .map(|entry| {
            let content = fs::read(entry.path()).unwrap();
            let metadata = entry.metadata().unwrap();
            format!("{entry:?} {content:?} {metadata:?}")
        })
        .map(|line| line.split("accessed").next().unwrap().to_owned())
        .collect();
    lines.push(format!("{:?}", fs::metadata(dir).unwrap().permissions()));
    lines.sort();
    lines
}

fn remove(path: &Path) {
    let is_dir = fs::symlink_metadata(path).unwrap().is_dir();
    let removed = if is_dir {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.unwrap();
}

/// The things that can be replaced, in a fresh vault.
fn targets(fs: &Fs) -> Vec<PathBuf> {
    let long_name = fs.stored(&long("f"));
    let name_file = PathBuf::from(format!("{}.name", long_name.display()));
    vec![
        fs.path().join("gocryptfs.diriv"),
        fs.stored("dir").join("gocryptfs.diriv"),
        name_file,
        long_name,
        fs.stored("file"),
        fs.stored("dir"),
        fs.stored("dir/file"),
    ]
}

fn attack(stranger: Stranger) {
    let count = {
        let fs = Fs::new();
        plant(&fs);
        targets(&fs).len()
    };
    for number in 0..count {
        for restarted in [true, false] {
            let mut fs = Fs::new();
            plant(&fs);
            let target = &targets(&fs)[number];
            let outside = outside();
            let before = state(outside.path());
            remove(target);
            stranger.put(target, outside.path());
            if restarted {
                fs.restart();
            }
            let shown = look(&fs);
            assert!(fs.view.getattr(ROOT, None).is_ok(), "{stranger:?}");
            if restarted && target.ends_with("gocryptfs.diriv") {
                let unreadable = shown.values().filter(|shown| **shown == Err(Errno::IO));
                assert_eq!(
                    unreadable.count(),
                    1,
                    "{stranger:?} as {}",
                    target.display()
                );
            }
            scribble(&fs);
            look(&fs);
            assert_eq!(
                state(outside.path()),
                before,
                "{stranger:?} as {}",
                target.display()
            );
            let precious = target.join("precious");
            if matches!(stranger, Stranger::FullDirectory) && precious.exists() {
                assert_eq!(fs::read(precious).unwrap(), b"precious");
            }
        }
    }
}

#[test]
fn nothing_in_the_place_of_something_is_followed_or_waited_for() {
    for stranger in STRANGERS {
        let (done, is_done) = channel();
        let attacker = std::thread::spawn(move || {
            attack(stranger);
            done.send(()).unwrap();
        });
        let waited = is_done.recv_timeout(DEADLINE);
        assert_ne!(
            waited,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout),
            "{stranger:?} blocks"
        );
        attacker.join().unwrap();
    }
}
