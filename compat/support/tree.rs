//! One small tree with everything that a file system must keep, written the same every time.

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use rustix::fs::{lsetxattr, mknodat, utimensat};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// What a backing file system or a format option cannot keep.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a name: 255, but 175 where long names are off.
    pub(crate) name: usize,
    /// Bytes of a symlink's target as the backing file system must store it.
    pub(crate) target: usize,
}

impl Limits {
    pub(crate) const NONE: Self = Self {
        name: 255,
        target: 3000,
    };
}

/// Sizes around the block's, in bytes.
const SIZES: [usize; 7] = [0, 1, 4095, 4096, 4097, 8192, 12411];
/// Each side of every step of the stored name's length that the format knows.
const NAME_LENGTHS: [usize; 16] = [
    1, 15, 16, 17, 31, 32, 63, 64, 175, 176, 191, 192, 239, 240, 254, 255,
];
const ODD_NAMES: [&[u8]; 11] = [
    b"\xff\xfe\x80",
    b"new\nline",
    b" ",
    b"-dash",
    b"back\\slash",
    b"*?[x]",
    b"...",
    b"gocryptfs.conf",
    b"gocryptfs.diriv",
    b"gocryptfs.longname.x",
    "\u{fc}n\u{ef}c\u{f6}d\u{e9}".as_bytes(),
];
/// Seconds and nanoseconds of the modification times in `times/`.
const TIMES: [(i64, i64); 4] = [
    (1, 1),
    (946_684_799, 999_999_999),
    (1_234_567_890, 123_456_789),
    (4_102_444_800, 0),
];

/// Fills the empty directory `root`.
pub(crate) fn make(root: &Path, limits: Limits) -> io::Result<()> {
    contents(&root.join("contents"))?;
    holes(&root.join("holes"))?;
    names(&root.join("names"), limits)?;
    links(&root.join("links"), limits)?;
    xattrs(&root.join("xattrs"))?;
    nested(&root.join("nested"))?;
    mknodat(CWD, root.join("fifo"), FileType::Fifo, mode(0o644), 0)?;
    modes(&root.join("modes"))?;
    age(root, &mut 1_500_000_000)?;
    times(&root.join("times"))?;
    set_mtime(root, 1_500_000_000, 5)
}

fn contents(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)?;
    SIZES
        .iter()
        .try_for_each(|size| fs::write(dir.join(size.to_string()), pattern(*size)))
}

fn holes(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)?;
    let file = |name: &str, at: u64, data: &[u8], size: u64| -> io::Result<()> {
        let file = File::create(dir.join(name))?;
        file.write_all_at(data, at)?;
        file.set_len(size)
    };
    file("middle", 40_000, b"end", 40_003)?;
    let middle = File::options().write(true).open(dir.join("middle"))?;
    middle.write_all_at(b"start", 0)?;
    file("tail-aligned", 0, b"start", 65_536)?;
    file("tail-unaligned", 0, b"start", 30_001)?;
    file("only-aligned", 0, b"", 20_480)?;
    file("only-unaligned", 0, b"", 20_481)
}

fn names(dir: &Path, limits: Limits) -> io::Result<()> {
    fs::create_dir(dir)?;
    for len in NAME_LENGTHS.into_iter().filter(|len| *len <= limits.name) {
        fs::write(dir.join("n".repeat(len)), len.to_string())?;
    }
    for name in ODD_NAMES {
        fs::write(dir.join(OsStr::from_bytes(name)), name)?;
    }
    let len = limits.name.min(200);
    let long = dir.join("d".repeat(len));
    fs::create_dir(&long)?;
    fs::create_dir(long.join("e".repeat(len)))?;
    fs::write(long.join("f".repeat(len)), "in a long directory")?;
    symlink("target", long.join("l".repeat(len)))?;
    let fifo = long.join("p".repeat(len));
    Ok(mknodat(CWD, fifo, FileType::Fifo, mode(0o600), 0)?)
}

fn links(dir: &Path, limits: Limits) -> io::Result<()> {
    fs::create_dir(dir)?;
    symlink("../contents/4096", dir.join("short"))?;
    symlink("x", dir.join("one-byte"))?;
    symlink("/nowhere/at/all", dir.join("dangling"))?;
    symlink(OsStr::from_bytes(b"\xff\n"), dir.join("not-utf8"))?;
    symlink("t".repeat(limits.target), dir.join("long"))?;
    fs::write(dir.join("first"), "three names")?;
    fs::hard_link(dir.join("first"), dir.join("second"))?;
    let third = "h".repeat(limits.name.min(190));
    fs::hard_link(dir.join("first"), dir.join(third))
}

fn xattrs(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)?;
    let set = |path: &Path, name: &str, value: &[u8]| {
        lsetxattr(path, name, value, XattrFlags::empty()).map_err(io::Error::from)
    };
    let file = dir.join("file");
    fs::write(&file, "with attributes")?;
    set(&file, "user.foo", b"bar")?;
    set(&file, "user.empty", b"")?;
    set(&file, "user.binary", &pattern(300))?;
    set(&file, &format!("user.{}", "n".repeat(170)), b"long name")?;
    let inner = dir.join("dir");
    fs::create_dir(&inner)?;
    set(&inner, "user.dir", b"of a directory")
}

fn nested(dir: &Path) -> io::Result<()> {
    let deep = dir.join("a/b/c/d/e");
    fs::create_dir_all(&deep)?;
    fs::create_dir(dir.join("empty"))?;
    fs::write(deep.join("leaf"), "deep")
}

fn modes(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)?;
    for bits in [0, 0o200, 0o400, 0o640, 0o755, 0o4711, 0o2755] {
        let file = dir.join(format!("file-{bits:04o}"));
        fs::write(&file, "x")?;
        fs::set_permissions(file, Permissions::from_mode(bits))?;
    }
    for bits in [0o500, 0o700, 0o1777, 0o2775] {
        let inner = dir.join(format!("dir-{bits:04o}"));
        fs::create_dir(&inner)?;
        fs::set_permissions(inner, Permissions::from_mode(bits))?;
    }
    Ok(())
}

fn times(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)?;
    for (secs, nanos) in TIMES {
        let file = dir.join(secs.to_string());
        fs::write(&file, "")?;
        set_mtime(&file, secs, nanos)?;
    }
    set_mtime(dir, 1_500_000_000, 6)
}

/// Gives every entry below `dir` a modification time of its own, in the order of the names.
pub(crate) fn age(dir: &Path, clock: &mut i64) -> io::Result<()> {
    let entries = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            age(&path, clock)?;
        }
        *clock += 1;
        set_mtime(&path, *clock, *clock % 1000)?;
    }
    Ok(())
}

pub(crate) fn set_mtime(path: &Path, secs: i64, nanos: i64) -> io::Result<()> {
    let time = Timespec {
        tv_sec: secs,
        tv_nsec: nanos,
    };
    let both = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(utimensat(CWD, path, &both, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits)
}

/// Bytes that repeat with a period which no block size divides.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
