//! What is refused, with which error; and nothing has changed on disk then.

use super::{CALLER, Fs, NO_CHANGES, ROOT, Result, errno, long, size};
use gocryptfs_rs::format::NameParams;
use gocryptfs_rs::vfs::{
    Changes, Fallocate, Handle, Kind, NodeId, OpenFlags, PlainOffset, RenameMode, Seek, Vfs,
};
use rustix::io::Errno;

/// An operation.
type Attempt<'a> = &'a dyn Fn(&Fs) -> Result<()>;

/// An operation on a name in the top directory.
type AttemptAt<'a> = &'a dyn Fn(&Fs, &str) -> Result<()>;

/// A directory with something in it, an empty one, a file, a symlink and a pipe; long names too.
fn furnished() -> Fs {
    let fs = Fs::new();
    let full = fs.mkdir(ROOT, "full").unwrap();
    fs.mkdir(full, "inner").unwrap();
    fs.mkdir(ROOT, &long("d")).unwrap();
    fs.file(ROOT, "file", b"content");
    fs.file(ROOT, &long("f"), b"content");
    let link = fs
        .view
        .symlink(CALLER, ROOT, "link".as_ref(), "file".as_ref());
    link.unwrap();
    let pipe = Kind::Fifo.bits() | 0o600;
    fs.view
        .mknod(CALLER, ROOT, "pipe".as_ref(), pipe, 0)
        .unwrap();
    fs
}

fn all_refused(wanted: Errno, attempts: &[(&str, Attempt<'_>)]) {
    let fs = furnished();
    let before = fs.on_disk();
    for (what, attempt) in attempts {
        assert_eq!(attempt(&fs), Err(wanted), "{what}");
        assert_eq!(fs.on_disk(), before, "{what} left something behind");
    }
}

fn at(fs: &Fs, path: &str) -> NodeId {
    fs.node(path).unwrap()
}

fn unlink(fs: &Fs, name: &str) -> Result<()> {
    errno(fs.view.unlink(ROOT, name.as_ref()))
}

fn rmdir(fs: &Fs, name: &str) -> Result<()> {
    errno(fs.view.rmdir(ROOT, name.as_ref()))
}

fn make(fs: &Fs, name: &str) -> Result<()> {
    let mode = Kind::Fifo.bits() | 0o600;
    errno(fs.view.mknod(CALLER, ROOT, name.as_ref(), mode, 0)).map(drop)
}

fn replace(fs: &Fs, old: &str, new: &str) -> Result<()> {
    fs.rename(old, new, RenameMode::Replace)
}

#[test]
fn what_is_not_there_is_not_found() {
    all_refused(
        Errno::NOENT,
        &[
            ("lookup", &|fs| fs.lookup(ROOT, "x").map(drop)),
            ("long lookup", &|fs| fs.lookup(ROOT, &long("x")).map(drop)),
            ("unlink", &|fs| unlink(fs, "x")),
            ("long unlink", &|fs| unlink(fs, &long("x"))),
            ("rmdir", &|fs| rmdir(fs, "x")),
            ("rename", &|fs| replace(fs, "x", &long("y"))),
            ("long rename", &|fs| replace(fs, &long("x"), "y")),
            ("exchange", &|fs| {
                fs.rename("file", &long("y"), RenameMode::Exchange)
            }),
            ("node", &|fs| {
                errno(fs.view.getattr(NodeId(999), None)).map(drop)
            }),
            ("truncate", &|fs| {
                fs.change(NodeId(999), None, size(0)).map(drop)
            }),
        ],
    );
}

#[test]
fn what_is_there_is_not_made_again() {
    let all: [AttemptAt<'_>; 6] = [
        &|fs, name| fs.create(ROOT, name).map(drop),
        &|fs, name| fs.mkdir(ROOT, name).map(drop),
        &make,
        &|fs, name| {
            let made = fs.view.symlink(CALLER, ROOT, name.as_ref(), "x".as_ref());
            errno(made).map(drop)
        },
        &|fs, name| errno(fs.view.link(at(fs, "pipe"), ROOT, name.as_ref())).map(drop),
        &|fs, name| fs.rename("pipe", name, RenameMode::NoReplace),
    ];
    for name in ["file", "full", &long("d"), &long("f"), "link"] {
        for attempt in all {
            all_refused(Errno::EXIST, &[(name, &|fs: &Fs| attempt(fs, name))]);
        }
    }
}

#[test]
fn types_are_not_mistaken_for_each_other() {
    all_refused(
        Errno::ISDIR,
        &[
            ("unlink", &|fs| unlink(fs, "full")),
            ("long unlink", &|fs| unlink(fs, &long("d"))),
            ("open", &|fs| {
                fs.open(at(fs, "full"), OpenFlags::RDONLY).map(drop)
            }),
            ("truncate", &|fs| {
                fs.change(at(fs, "full"), None, size(0)).map(drop)
            }),
            ("rename over", &|fs| replace(fs, "file", &long("d"))),
        ],
    );
    all_refused(
        Errno::NOTDIR,
        &[
            ("lookup", &|fs| fs.lookup(at(fs, "file"), "x").map(drop)),
            ("opendir", &|fs| {
                errno(fs.view.opendir(at(fs, "file"))).map(drop)
            }),
            ("through a link", &|fs| {
                fs.lookup(at(fs, "link"), "x").map(drop)
            }),
            ("rmdir", &|fs| rmdir(fs, "file")),
            ("long rmdir", &|fs| rmdir(fs, &long("f"))),
            ("rename over", &|fs| replace(fs, "full", &long("f"))),
        ],
    );
    all_refused(
        Errno::INVAL,
        &[
            ("readlink", &|fs| {
                errno(fs.view.readlink(at(fs, "file"))).map(drop)
            }),
            ("into itself", &|fs| {
                let full = at(fs, "full");
                let to = (full, "x".as_ref());
                errno(
                    fs.view
                        .rename((ROOT, "full".as_ref()), to, RenameMode::Replace),
                )
            }),
        ],
    );
    all_refused(
        Errno::NXIO,
        &[
            ("open", &|fs| {
                fs.open(at(fs, "pipe"), OpenFlags::RDWR).map(drop)
            }),
            ("truncate", &|fs| {
                fs.change(at(fs, "pipe"), None, size(0)).map(drop)
            }),
        ],
    );
    all_refused(
        Errno::LOOP,
        &[("open", &|fs| {
            fs.open(at(fs, "link"), OpenFlags::RDWR).map(drop)
        })],
    );
    all_refused(
        Errno::PERM,
        &[
            ("link", &|fs| {
                errno(fs.view.link(at(fs, "full"), ROOT, long("x").as_ref())).map(drop)
            }),
            ("attribute", &|fs| {
                let link = at(fs, "link");
                errno(fs.view.setxattr(CALLER, link, "user.x".as_ref(), b"", 0))
            }),
        ],
    );
}

#[test]
fn a_directory_with_something_in_it_stays() {
    all_refused(
        Errno::NOTEMPTY,
        &[
            ("rmdir", &|fs| rmdir(fs, "full")),
            ("rename over", &|fs| replace(fs, &long("d"), "full")),
        ],
    );
}

#[test]
fn names_that_no_file_has_are_refused() {
    let all: [AttemptAt<'_>; 7] = [
        &|fs, name| fs.lookup(ROOT, name).map(drop),
        &|fs, name| fs.create(ROOT, name).map(drop),
        &|fs, name| fs.mkdir(ROOT, name).map(drop),
        &unlink,
        &rmdir,
        &|fs, name| replace(fs, "file", name),
        &|fs, name| replace(fs, name, "file"),
    ];
    for attempt in all {
        let too_long = "x".repeat(256);
        all_refused(
            Errno::NAMETOOLONG,
            &[("long", &|fs: &Fs| attempt(fs, &too_long))],
        );
        for name in ["", ".", "..", "a/b", "a\0b"] {
            all_refused(Errno::BADMSG, &[(name, &|fs: &Fs| attempt(fs, name))]);
        }
    }
}

#[test]
fn the_configuration_file_is_out_of_reach_where_names_are_plain() {
    let fs = Fs::with(NameParams::Plain);
    let conf = "gocryptfs.conf";
    std::fs::write(fs.path().join(conf), "secret").unwrap();
    fs.file(ROOT, "file", b"");
    let answers = [
        fs.lookup(ROOT, conf).map(drop),
        fs.create(ROOT, conf).map(drop),
        fs.mkdir(ROOT, conf).map(drop),
        make(&fs, conf),
        unlink(&fs, conf),
        replace(&fs, conf, "x"),
        replace(&fs, "file", conf),
        errno(fs.view.link(at(&fs, "file"), ROOT, conf.as_ref())).map(drop),
    ];
    assert_eq!(answers, [Err(Errno::PERM); 8]);
    assert_eq!(fs.names(ROOT).unwrap(), ["file"]);
    let dir = fs.mkdir(ROOT, "dir").unwrap();
    fs.file(dir, conf, b"in a directory it is a name like any other");
}

#[test]
fn attributes_keep_their_rules() {
    let fs = furnished();
    let node = at(&fs, "file");
    let set = |name: &str, flags| errno(fs.view.setxattr(CALLER, node, name.as_ref(), b"v", flags));
    let remove = |name: &str| errno(fs.view.removexattr(node, name.as_ref()));
    let get = |name: &str| errno(fs.view.getxattr(node, name.as_ref()));
    assert_eq!(get("user.x"), Err(Errno::NODATA));
    assert_eq!(remove("user.x"), Err(Errno::NODATA));
    assert_eq!(set("user.x", 2), Err(Errno::NODATA));
    assert_eq!(set("user.x", 1), Ok(()));
    assert_eq!(set("user.x", 1), Err(Errno::EXIST));
    assert_eq!(set("", 0), Err(Errno::INVAL));
    assert_eq!(
        set(&format!("user.{}", "x".repeat(200)), 0),
        Err(Errno::RANGE)
    );
    assert_eq!(get("security.capability"), Err(Errno::OPNOTSUPP));
    assert_eq!(fs.view.listxattr(node).unwrap(), ["user.x"]);
}

#[test]
fn a_handle_that_was_released_is_of_no_use() {
    let fs = furnished();
    let node = at(&fs, "file");
    let handle = fs.open(node, OpenFlags::RDWR).unwrap();
    let at = PlainOffset(0);
    let answers = |handle: Handle| {
        [
            fs.read(handle, 0, 1).map(drop),
            errno(fs.view.write(handle, at, b"x")),
            errno(fs.view.flush(handle)),
            errno(fs.view.fsync(handle, false)),
            errno(fs.view.fallocate(handle, at, 1, Fallocate::KeepSize)),
            errno(fs.view.seek(handle, at, Seek::Data)).map(drop),
            errno(fs.view.getattr(node, Some(handle))).map(drop),
            fs.change(node, Some(handle), NO_CHANGES).map(drop),
            errno(fs.view.readdir(handle, 0, &mut |_| true)),
            errno(fs.view.fsyncdir(handle, false)),
        ]
    };
    fs.view.release(handle);
    fs.view.release(handle);
    fs.view.releasedir(handle);
    assert_eq!(answers(handle), [Err(Errno::BADF); 10]);
    assert_eq!(answers(Handle(u64::MAX)), [Err(Errno::BADF); 10]);
}

#[test]
fn positions_that_make_no_sense_are_refused() {
    let fs = furnished();
    let node = at(&fs, "file");
    let handle = fs.open(node, OpenFlags::RDWR).unwrap();
    let huge = [1 << 62, i64::MAX.unsigned_abs(), u64::MAX - 5, u64::MAX];
    for at in huge.map(PlainOffset) {
        assert_eq!(fs.read(handle, at.0, 100), Ok(Vec::new()));
        assert!(fs.view.write(handle, at, b"xx").is_err());
        for what in [Fallocate::Grow, Fallocate::KeepSize] {
            assert!(fs.view.fallocate(handle, at, 100, what).is_err());
            assert!(
                fs.view
                    .fallocate(handle, PlainOffset(0), at.0, what)
                    .is_err()
            );
        }
        for what in [Seek::Data, Seek::Hole] {
            assert_eq!(errno(fs.view.seek(handle, at, what)), Err(Errno::NXIO));
        }
        assert!(fs.change(node, Some(handle), size(at.0)).is_err());
        assert!(fs.change(node, None, size(at.0)).is_err());
    }
    let nothing = fs
        .view
        .fallocate(handle, PlainOffset(0), 0, Fallocate::Grow);
    assert_eq!(errno(nothing), Err(Errno::INVAL));
    assert_eq!(fs.content(node).unwrap(), b"content");
    let owner = Changes {
        uid: Some(u32::MAX),
        ..NO_CHANGES
    };
    assert_eq!(fs.change(node, None, owner).unwrap_err(), Errno::INVAL);
}
