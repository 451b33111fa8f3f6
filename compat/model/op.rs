//! The operations of the model test: what a process can ask of a file system, and what it can
//! learn from the answer. Few names and sizes around blocks, so that operations meet.

mod copies;

pub(crate) use copies::draw_copies;

use crate::support::random::Random;
use copies::copy;
use gocryptfs_rs::vfs::Fallocate;
use rustix::io::Errno;

/// Handles that may be open at a time.
pub(crate) const SLOTS: usize = 4;
const NAMES: usize = 6;
const BLOCK: u64 = 4096;
const MAX_BLOCKS: usize = 24;

/// A component of a path; long ones are stored hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(usize);

impl Name {
    pub(crate) fn text(self) -> String {
        match self.0 {
            0 => "a".to_owned(),
            1 => "b\n".to_owned(),
            2 => "\u{fc}".repeat(16),
            3 => "s".repeat(175),
            4 => "l".repeat(176),
            _ => "m".repeat(255),
        }
    }
}

/// Relative to the root, never empty.
pub(crate) type Path = Vec<Name>;

pub(crate) fn text(path: &[Name]) -> String {
    let names: Vec<_> = path.iter().map(|name| name.text()).collect();
    names.join("/")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rename {
    Replace,
    NoReplace,
    Exchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XattrMode {
    Any,
    Create,
    Replace,
}

/// One request. Handles are numbered slots; using an empty one is EBADF.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create {
        path: Path,
        slot: usize,
    },
    Open {
        path: Path,
        slot: usize,
    },
    Close {
        slot: usize,
    },
    Read {
        slot: usize,
        offset: u64,
        len: usize,
    },
    /// The whole file by its data segments only; what lies between them is zeros.
    ReadSegments {
        slot: usize,
    },
    Write {
        slot: usize,
        offset: u64,
        data: Vec<u8>,
    },
    Resize {
        slot: usize,
        size: u64,
    },
    Allocate {
        slot: usize,
        what: Fallocate,
        offset: u64,
        len: u64,
    },
    Sync {
        slot: usize,
        data_only: bool,
    },
    /// As much as the source has at first, in as many requests as it takes.
    Copy {
        from: usize,
        to: usize,
        from_offset: u64,
        to_offset: u64,
        len: u64,
    },
    StatOpen {
        slot: usize,
    },
    Stat {
        path: Path,
    },
    Truncate {
        path: Path,
        size: u64,
    },
    Chmod {
        path: Path,
        mode: u32,
    },
    /// Answers with the modification time as read back.
    SetMtime {
        path: Path,
        secs: i64,
        nanos: i64,
    },
    Mkdir {
        path: Path,
    },
    MakeFifo {
        path: Path,
    },
    Symlink {
        path: Path,
        target: String,
    },
    Link {
        from: Path,
        to: Path,
    },
    Rename {
        from: Path,
        to: Path,
        how: Rename,
    },
    Unlink {
        path: Path,
    },
    Rmdir {
        path: Path,
    },
    Readlink {
        path: Path,
    },
    List {
        path: Path,
    },
    SetXattr {
        path: Path,
        name: String,
        value: Vec<u8>,
        how: XattrMode,
    },
    GetXattr {
        path: Path,
        name: String,
    },
    ListXattrs {
        path: Path,
    },
    RemoveXattr {
        path: Path,
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Symlink,
    Fifo,
}

/// What an operation answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Data(Vec<u8>),
    /// Sorted.
    Names(Vec<String>),
    /// `links` and `size` are 0 for directories, where the backing file system decides.
    Facts {
        kind: Kind,
        mode: u32,
        links: u64,
        size: u64,
    },
    Time(i64, i64),
}

pub(crate) type Outcome = Result<Answer, Errno>;

/// Something that carries out operations: the model, or what it is compared with.
pub(crate) trait Driver {
    fn apply(&mut self, op: &Op) -> Outcome;

    /// Closes all handles and forgets all that is not stored.
    fn restart(&mut self);
}

/// Draws an operation.
pub(crate) fn draw(chance: &mut Random) -> Op {
    match chance.below(5) {
        0 => on_contents(chance),
        1 | 2 => on_handle(chance),
        3 => on_attributes(chance),
        _ => on_names(chance),
    }
}

fn on_handle(chance: &mut Random) -> Op {
    let slot = chance.below(SLOTS);
    let offset = position(chance);
    match chance.below(24) {
        20 => copy(chance),
        0 | 1 => Op::Close { slot },
        2..6 => Op::Read {
            slot,
            offset,
            len: chance.below(40_000),
        },
        6 => Op::ReadSegments { slot },
        7..12 => {
            let len = *chance.pick(&[1, 100, 4095, 4096, 4097, 12_288, 20_000]);
            Op::Write {
                slot,
                offset,
                data: chance.bytes(len),
            }
        }
        12..15 => Op::Resize {
            slot,
            size: position(chance),
        },
        15 | 21 | 22 => {
            let len = 1 + position(chance);
            Op::Allocate {
                slot,
                what: allocation(chance),
                offset,
                len,
            }
        }
        16 => Op::Sync {
            slot,
            data_only: chance.below(2) == 0,
        },
        _ => Op::StatOpen { slot },
    }
}

fn allocation(chance: &mut Random) -> Fallocate {
    *chance.pick(&[
        Fallocate::Grow,
        Fallocate::KeepSize,
        Fallocate::Punch,
        Fallocate::ZeroAndGrow,
        Fallocate::Zero,
    ])
}

fn on_contents(chance: &mut Random) -> Op {
    let path = path(chance);
    let slot = chance.below(SLOTS);
    match chance.below(8) {
        0..3 => Op::Create { path, slot },
        3..7 => Op::Open { path, slot },
        _ => Op::Truncate {
            path,
            size: position(chance),
        },
    }
}

fn on_attributes(chance: &mut Random) -> Op {
    let path = path(chance);
    let name = format!(
        "user.{}",
        chance.pick(&["a", "\u{e9}t\u{e9}", &"x".repeat(160)])
    );
    match chance.below(12) {
        0..4 => Op::Stat { path },
        4 => Op::Chmod {
            path,
            mode: *chance.pick(&[0o700, 0o740, 0o711, 0o755]),
        },
        5 => {
            let secs = i64::try_from(chance.below(4_000_000_000)).unwrap();
            let nanos = i64::try_from(chance.below(1_000_000_000)).unwrap();
            Op::SetMtime { path, secs, nanos }
        }
        6 | 7 => {
            let len = chance.below(200);
            let value = chance.bytes(len);
            let how = *chance.pick(&[XattrMode::Any, XattrMode::Create, XattrMode::Replace]);
            Op::SetXattr {
                path,
                name,
                value,
                how,
            }
        }
        8 => Op::RemoveXattr { path, name },
        9 => Op::ListXattrs { path },
        _ => Op::GetXattr { path, name },
    }
}

fn on_names(chance: &mut Random) -> Op {
    let path = path(chance);
    match chance.below(16) {
        0..4 => Op::Mkdir { path },
        4 => Op::MakeFifo { path },
        5 => {
            let len = *chance.pick(&[0, 1, 100, 700]);
            Op::Symlink {
                path,
                target: format!("/nowhere/{}", "t".repeat(len)),
            }
        }
        6 => Op::Link {
            from: path,
            to: self::path(chance),
        },
        7..11 => {
            let how = *chance.pick(&[Rename::Replace, Rename::NoReplace, Rename::Exchange]);
            Op::Rename {
                from: path,
                to: self::path(chance),
                how,
            }
        }
        11 => Op::Unlink { path },
        12 => Op::Rmdir { path },
        13 => Op::Readlink { path },
        _ => Op::List { path },
    }
}

fn path(chance: &mut Random) -> Path {
    let depth = *chance.pick(&[1, 1, 1, 2, 2, 3]);
    (0..depth).map(|_| Name(chance.below(NAMES))).collect()
}

/// An offset or size: mostly at or beside a block boundary.
fn position(chance: &mut Random) -> u64 {
    let block = chance.below(MAX_BLOCKS) as u64 * BLOCK;
    block + *chance.pick(&[0, 0, 1, 2047, 4095])
}
