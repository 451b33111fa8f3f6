//! What a tree shows: of each object all that a crash may not change, as a line of text.

use rustix::fs::{lgetxattr, llistxattr};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Times before this one were set on purpose; seconds.
const LONG_AGO: i64 = 1_500_000_000;

/// Plain bytes in a block.
const BLOCK: u64 = 4096;

/// Everything below a directory, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, String>);

impl Snapshot {
    /// Looks at all of it; what cannot be read is shown by its error.
    fn of(root: &Path) -> Self {
        let mut found = BTreeMap::new();
        look(root, Path::new(""), &mut found);
        Self(found)
    }

    /// The directories, the top included, and each before what is in it.
    pub(super) fn dirs(&self) -> impl Iterator<Item = &Path> {
        let dirs = self.0.iter().filter(|(_, line)| line.starts_with("dir"));
        dirs.map(|(path, _)| path.as_path())
    }

    /// How it differs from another one, in as few words as possible.
    fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        for path in self.0.keys().chain(other.0.keys()) {
            let lines = [self.0.get(path), other.0.get(path)];
            if lines[0] != lines[1] && !text.contains(&*short(path)) {
                let [found, wanted] = lines.map(|line| line.map_or("nothing", |line| line));
                let _ = write!(text, "; {}: {found}, not {wanted}", short(path));
            }
        }
        text
    }
}

fn short(path: &Path) -> String {
    path.display()
        .to_string()
        .split('/')
        .map(|name| {
            name.get(..30)
                .map_or(name.to_owned(), |n| format!("{n}..."))
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn look(root: &Path, relative: &Path, found: &mut BTreeMap<PathBuf, String>) {
    let path = root.join(relative);
    let line = line(&path).unwrap_or_else(|error| format!("unreadable: {error}"));
    let is_dir = line.starts_with("dir");
    found.insert(relative.to_owned(), line);
    if !is_dir {
        return;
    }
    let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    match entries {
        Ok(entries) => {
            for entry in entries {
                look(root, &relative.join(entry.file_name()), found);
            }
        }
        Err(error) => drop(found.insert(relative.join("*"), format!("unlistable: {error}"))),
    }
}

fn line(path: &Path) -> io::Result<String> {
    let stat = fs::symlink_metadata(path)?;
    let kind = stat.file_type();
    let mut line = match () {
        () if kind.is_dir() => "dir".to_owned(),
        () if kind.is_symlink() => format!("link to {}", fs::read_link(path)?.display()),
        () if kind.is_file() => {
            let content = fs::read(path)?;
            let digest = Sha256::digest(&content);
            // reading may have mended it
            let size = fs::symlink_metadata(path)?.size();
            if size != content.len() as u64 {
                return Ok(format!("file of {size} bytes, {} read", content.len()));
            }
            let names = stat.nlink();
            format!("file of {size} bytes {:02x?}, {names} names", &digest[..4])
        }
        () => format!("special {:o}", stat.mode() & 0o170_000),
    };
    let _ = write!(line, " {:04o}", stat.mode() & 0o7777);
    if stat.mtime() < LONG_AGO {
        let _ = write!(line, " of {}", stat.mtime());
    }
    let mut names = vec![0; 1024];
    let len = llistxattr(path, &mut names)?;
    for name in names[..len].split(|byte| *byte == 0) {
        if name.starts_with(b"user.") {
            let mut value = vec![0; 1024];
            let len = lgetxattr(path, name, &mut value)?;
            let _ = write!(
                line,
                " {}={:?}",
                name.escape_ascii(),
                value[..len].escape_ascii()
            );
        }
    }
    Ok(line)
}

/// A file in pieces as long as a block: each as it reads, or nothing.
#[derive(Debug, Default)]
struct Pieces(Vec<Option<Vec<u8>>>);

impl Pieces {
    /// Reads each on its own.
    fn of(path: &Path) -> Self {
        let file = File::open(path).unwrap();
        let size = file.metadata().unwrap().len();
        let read = |at| {
            let mut piece = Vec::new();
            let mut file = &file;
            file.seek(SeekFrom::Start(at)).ok()?;
            file.take(BLOCK).read_to_end(&mut piece).ok()?;
            Some(piece)
        };
        Self(
            (0..size.div_ceil(BLOCK))
                .map(|no| read(no * BLOCK))
                .collect(),
        )
    }

    fn lost(&self) -> usize {
        self.0.iter().filter(|piece| piece.is_none()).count()
    }
}

/// What a tree shows, with at most one file that is changed piece by piece.
pub(super) struct State {
    pub(super) tree: Snapshot,
    pieces: Pieces,
}

impl State {
    pub(super) fn of(root: &Path, piecemeal: Option<&str>) -> Self {
        let mut tree = Snapshot::of(root);
        tree.0
            .retain(|path, _| piecemeal.is_none_or(|file| path != file));
        let pieces = piecemeal.map(|file| Pieces::of(&root.join(file)));
        Self {
            tree,
            pieces: pieces.unwrap_or_default(),
        }
    }

    /// Whether the piece at work is lost.
    pub(super) fn has_lost(&self) -> bool {
        self.pieces.lost() > 0
    }

    /// Why this is none of some other states; of a file that is changed piece by piece, each must be
    /// that of one of them or its beginning, and one may be lost.
    pub(super) fn difference(&self, states: &[&Self]) -> Option<String> {
        if states.iter().all(|state| state.tree != self.tree) {
            return Some(self.tree.difference(&states.last()?.tree));
        }
        if self.pieces.lost() > 1 {
            return Some(format!("; {} blocks are lost", self.pieces.lost()));
        }
        let fits = |at: usize, piece: &[u8]| {
            let mut others = states.iter().filter_map(|s| s.pieces.0.get(at)?.as_ref());
            others.any(|other| other.starts_with(piece))
        };
        let mut pieces = self.pieces.0.iter().enumerate();
        let odd = pieces.find(|(at, piece)| piece.as_ref().is_some_and(|p| !fits(*at, p)));
        odd.map(|(at, _)| format!("; block {at} is a third thing"))
    }
}
