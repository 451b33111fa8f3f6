//! The operations that are cut short: each as one call of a program, in a tree that has something
//! of everything.

use super::is_whole;
use rustix::fs::{
    self as unix, AtFlags, CWD, FallocateFlags, FileType, Mode, RenameFlags, Timespec, Timestamps,
    XattrFlags,
};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// A call, given the directory that holds the tree.
type Act = fn(&Path) -> io::Result<()>;

/// Something that a program asks for.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) act: Act,
    /// Calls that lead one after the other to states that may be seen on the way: the kernel hands
    /// a write that begins inside a page over in two parts, and a file that grows is padded first.
    pub(super) via: &'static [Act],
    /// A file that is changed block by block; the one at work may be lost.
    pub(super) piecemeal: Option<&'static str>,
}

const fn one(name: &'static str, act: Act) -> Operation {
    Operation {
        name,
        act,
        via: &[],
        piecemeal: None,
    }
}

const fn through(name: &'static str, act: Act, via: &'static [Act]) -> Operation {
    Operation {
        via,
        ..one(name, act)
    }
}

/// Copies blocks into `file`, which are clones where storage can be shared.
const fn copying(name: &'static str, file: &'static str, act: Act) -> Operation {
    Operation {
        piecemeal: Some(file),
        ..one(name, act)
    }
}

/// A name that is stored hashed.
fn long(letter: &str) -> String {
    letter.repeat(200)
}

fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len)
        .map(|at| ((at * 7 + at / 251 + seed) % 256).to_le_bytes()[0])
        .collect()
}

/// Fills an empty directory.
pub(super) fn make_tree(top: &Path) -> io::Result<()> {
    for (name, size) in [("empty", 0), ("small", 100), ("file", 10_000)] {
        fs::write(top.join(name), pattern(size, 1))?;
    }
    fs::write(top.join("big"), pattern(200_000, 2))?;
    fs::write(top.join(long("f")), pattern(5000, 3))?;
    fs::write(top.join("other"), pattern(9000, 4))?;
    File::create(top.join("hole"))?.set_len(50_000)?;
    for dir in ["dir".to_owned(), long("d"), "full".to_owned(), long("u")] {
        fs::create_dir(top.join(dir))?;
    }
    for dir in ["full".to_owned(), long("u")] {
        fs::write(top.join(&dir).join("inside"), pattern(3000, 5))?;
        fs::write(top.join(&dir).join(long("i")), pattern(3000, 6))?;
    }
    symlink("target", top.join("link"))?;
    set_xattr(&top.join("other"))
}

/// All of them; without `WHOLE`, some of each kind.
pub(super) fn chosen() -> Vec<Operation> {
    let step = if is_whole() { 1 } else { 7 };
    all().into_iter().step_by(step).collect()
}

fn all() -> Vec<Operation> {
    let mut all = making();
    all.extend(renaming());
    all.extend(removing());
    all.extend(writing());
    all.extend(resizing());
    all.extend(attributes());
    all.extend(reading());
    all
}

fn making() -> Vec<Operation> {
    vec![
        one("create", |top| create(&top.join("new"))),
        one("create long", |top| create(&top.join(long("n")))),
        one("mkdir", |top| fs::create_dir(top.join("new"))),
        one("mkdir long", |top| fs::create_dir(top.join(long("n")))),
        one("symlink", |top| symlink("where", top.join("new"))),
        one("symlink long", |top| symlink("where", top.join(long("n")))),
        one("link", |top| {
            fs::hard_link(top.join("file"), top.join("new"))
        }),
        one("link long", |top| {
            fs::hard_link(top.join(long("f")), top.join(long("n")))
        }),
        one("mknod", |top| fifo(&top.join("new"))),
        one("mknod long", |top| fifo(&top.join(long("n")))),
    ]
}

fn renaming() -> Vec<Operation> {
    vec![
        one("rename", |top| {
            fs::rename(top.join("file"), top.join("new"))
        }),
        one("rename to long", |top| {
            fs::rename(top.join("file"), top.join(long("n")))
        }),
        one("rename from long", |top| {
            fs::rename(top.join(long("f")), top.join("new"))
        }),
        one("rename long to long", |top| {
            fs::rename(top.join(long("f")), top.join("full").join(long("n")))
        }),
        one("rename over file", |top| {
            fs::rename(top.join("file"), top.join("other"))
        }),
        one("rename over long file", |top| {
            fs::rename(top.join("file"), top.join(long("f")))
        }),
        one("rename long over file", |top| {
            fs::rename(top.join(long("f")), top.join("file"))
        }),
        one("rename over directory", |top| {
            fs::rename(top.join("full"), top.join("dir"))
        }),
        one("rename over long directory", |top| {
            fs::rename(top.join("full"), top.join(long("d")))
        }),
        one("rename long over directory", |top| {
            fs::rename(top.join(long("u")), top.join("dir"))
        }),
        one("rename long over long directory", |top| {
            fs::rename(top.join(long("u")), top.join(long("d")))
        }),
        one("exchange", |top| exchange(top, "file", &long("f"))),
        one("exchange long", |top| exchange(top, &long("u"), &long("f"))),
    ]
}

fn removing() -> Vec<Operation> {
    vec![
        one("unlink", |top| fs::remove_file(top.join("file"))),
        one("unlink long", |top| fs::remove_file(top.join(long("f")))),
        one("rmdir", |top| fs::remove_dir(top.join("dir"))),
        one("rmdir long", |top| fs::remove_dir(top.join(long("d")))),
    ]
}

fn writing() -> Vec<Operation> {
    vec![
        one("first write", |top| write(top, "empty", 100, 0)),
        one("first write behind the first block", |top| {
            write(top, "empty", 100, 9000)
        }),
        one("append in a block", |top| write(top, "small", 100, 100)),
        through(
            "append over blocks",
            |top| write(top, "file", 20_000, 10_000),
            &[|top| write(top, "file", 2288, 10_000)],
        ),
        one("overwrite in a block", |top| write(top, "file", 10, 5000)),
        through(
            "overwrite over blocks",
            |top| write(top, "file", 5000, 3000),
            &[|top| write(top, "file", 1096, 3000)],
        ),
        through(
            "overwrite much",
            |top| write(top, "big", 100_000, 50_001),
            &[|top| write(top, "big", 3247, 50_001)],
        ),
        through(
            "write into a hole",
            |top| write(top, "hole", 5000, 20_000),
            &[|top| write(top, "hole", 480, 20_000)],
        ),
        through(
            "write past the end",
            |top| write(top, "file", 100, 30_000),
            &[|top| resize(top, "file", 12_288)],
        ),
        copying("copy a file", "empty", |top| {
            copy(top, ("big", 0), ("empty", 0), 200_000)
        }),
        one("copy blocks", |top| {
            copy(top, ("big", 40_960), ("file", 4096), 4096)
        }),
        copying("copy over other blocks", "file", |top| {
            copy(top, ("big", 0), ("file", 0), 150_000)
        }),
        copying("copy into a hole", "hole", |top| {
            copy(top, ("big", 4096), ("hole", 4096), 40_000)
        }),
    ]
}

fn resizing() -> Vec<Operation> {
    vec![
        one("empty a file", |top| resize(top, "file", 0)),
        one("shrink", |top| resize(top, "file", 4096)),
        one("shrink in the last block", |top| resize(top, "file", 9000)),
        through(
            "shrink in a block",
            |top| resize(top, "big", 50_000),
            &[|top| resize(top, "big", 53_248)],
        ),
        one("grow in a block", |top| resize(top, "file", 11_000)),
        one("grow an empty file", |top| resize(top, "empty", 8192)),
        one("grow an empty file in a block", |top| {
            resize(top, "empty", 9000)
        }),
        through(
            "grow",
            |top| resize(top, "file", 40_960),
            &[|top| resize(top, "file", 12_288)],
        ),
        through(
            "grow into a block",
            |top| resize(top, "file", 41_000),
            &[|top| resize(top, "file", 12_288)],
        ),
        through(
            "reserve and grow",
            |top| reserve(top, FallocateFlags::empty()),
            &[|top| resize(top, "file", 12_288)],
        ),
        one("reserve", |top| reserve(top, FallocateFlags::KEEP_SIZE)),
    ]
}

fn attributes() -> Vec<Operation> {
    vec![
        one("chmod", |top| {
            fs::set_permissions(top.join("file"), Permissions::from_mode(0o640))
        }),
        one("chmod of a directory", |top| {
            fs::set_permissions(top.join("full"), Permissions::from_mode(0o750))
        }),
        one("set times", |top| set_times(&top.join("file"))),
        one("set an attribute", |top| set_xattr(&top.join("file"))),
        one("remove an attribute", |top| {
            Ok(unix::lremovexattr(top.join("other"), "user.mine")?)
        }),
    ]
}

fn reading() -> Vec<Operation> {
    vec![
        one("read", |top| fs::read(top.join("big")).map(drop)),
        one("read long", |top| fs::read(top.join(long("f"))).map(drop)),
        one("read a link", |top| {
            fs::read_link(top.join("link")).map(drop)
        }),
        one("list", |top| list(&top.join("full"))),
        one("list long", |top| list(&top.join(long("u")))),
        one("read an attribute", |top| {
            let mut value = [0; 64];
            unix::lgetxattr(top.join("other"), "user.mine", &mut value)?;
            Ok(())
        }),
        one("sync a file", |top| {
            File::open(top.join("file"))?.sync_all()
        }),
        one("sync a directory", |top| {
            File::open(top.join("full"))?.sync_all()
        }),
    ]
}

fn create(path: &Path) -> io::Result<()> {
    File::create_new(path).map(drop)
}

fn fifo(path: &Path) -> io::Result<()> {
    Ok(unix::mknodat(
        CWD,
        path,
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )?)
}

fn exchange(top: &Path, one: &str, other: &str) -> io::Result<()> {
    let [one, other]: [PathBuf; 2] = [one, other].map(|name| top.join(name));
    Ok(unix::renameat_with(
        CWD,
        one,
        CWD,
        other,
        RenameFlags::EXCHANGE,
    )?)
}

fn open(top: &Path, name: &str) -> io::Result<File> {
    File::options().read(true).write(true).open(top.join(name))
}

fn write(top: &Path, name: &str, len: usize, at: u64) -> io::Result<()> {
    open(top, name)?.write_all_at(&pattern(len, 77), at)
}

fn resize(top: &Path, name: &str, size: u64) -> io::Result<()> {
    open(top, name)?.set_len(size)
}

fn reserve(top: &Path, flags: FallocateFlags) -> io::Result<()> {
    Ok(unix::fallocate(open(top, "file")?, flags, 5000, 30_000)?)
}

fn copy(top: &Path, from: (&str, u64), to: (&str, u64), len: usize) -> io::Result<()> {
    let (source, target) = (open(top, from.0)?, open(top, to.0)?);
    let (mut from, mut to) = (from.1, to.1);
    let mut left = len;
    while left > 0 {
        let copied = unix::copy_file_range(&source, Some(&mut from), &target, Some(&mut to), left)?;
        if copied == 0 {
            break;
        }
        left -= copied;
    }
    Ok(())
}

fn set_times(path: &Path) -> io::Result<()> {
    let time = Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(unix::utimensat(CWD, path, &times, AtFlags::empty())?)
}

fn set_xattr(path: &Path) -> io::Result<()> {
    Ok(unix::lsetxattr(
        path,
        "user.mine",
        b"value",
        XattrFlags::empty(),
    )?)
}

fn list(path: &Path) -> io::Result<()> {
    fs::read_dir(path)?.try_for_each(|entry| entry.map(drop))
}
