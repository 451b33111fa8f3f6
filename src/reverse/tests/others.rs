//! Attributes, extended attributes, and what cannot be done.

use super::*;
use rustix::fs::{XattrFlags, setxattr};
use std::os::unix::fs::MetadataExt;

const NEWEST: Options = Options {
    force_owner: None,
    kernel_cache: false,
    one_file_system: false,
    show_config: false,
    newest: true,
};

#[test]
fn virtual_files_have_numbers_and_times_from_what_they_belong_to() {
    let plain = Plain::new();
    plain.write("L".repeat(200), "");
    let dir = fs::metadata(plain.0.path()).unwrap();
    let file = fs::metadata(plain.path("L".repeat(200))).unwrap();
    for (options, later) in [(Options::default(), 0), (NEWEST, 10)] {
        let view = plain.view_with(PARAMS, options, &[]);
        let mut shown = only_name(&view);
        shown.push(".name");
        let iv = top(&view, "gocryptfs.diriv").attr;
        let name = top(&view, shown).attr;
        assert_eq!(iv.ino, 1 << 48 | dir.ino());
        assert_eq!(name.ino, 2 << 48 | file.ino());
        for (attr, owner) in [(iv, &dir), (name, &file)] {
            assert_eq!(attr.stat.mtime.secs, owner.mtime() + later);
            assert_eq!(attr.stat.ctime.secs, owner.ctime() + later);
            assert_eq!(attr.stat.uid, owner.uid());
        }
    }
}

#[test]
fn the_owner_can_be_forced() {
    let plain = Plain::new();
    plain.write("a", "");
    let options = Options {
        force_owner: Some((7, 8)),
        ..Options::default()
    };
    let view = plain.view_with(PARAMS, options, &[]);
    for name in [A, "gocryptfs.diriv"] {
        let stat = top(&view, name).attr.stat;
        assert_eq!((stat.uid, stat.gid), (7, 8));
    }
    assert_eq!(view.getattr(NodeId::ROOT, None).unwrap().stat.uid, 7);
}

#[test]
fn extended_attributes_show_in_the_newest_version_only() {
    let plain = Plain::new();
    plain.write("a", "hello");
    let set = |name: &str, value: &[u8]| {
        setxattr(plain.path("a"), name, value, XattrFlags::empty()).unwrap();
    };
    set("user.foo", b"bar");
    set("user.empty", b"");
    let stored = OsStr::new("user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w");
    let view = plain.view();
    let a = top(&view, A).node;
    assert_eq!(view.listxattr(a).unwrap(), Vec::<OsString>::new());
    assert_eq!(view.getxattr(a, stored).unwrap_err().errno(), Errno::NOSYS);
    let view = plain.view_with(PARAMS, NEWEST, &[]);
    let a = top(&view, A).node;
    let mut listed = view.listxattr(a).unwrap();
    listed.sort();
    assert_eq!(
        listed,
        [
            "user.gocryptfs.0H1FaYhRYCyyGHOHTpKUzA",
            stored.to_str().unwrap()
        ]
    );
    let wanted = "d0d382b066375d340838647fd7c36232e13715bb1ca17aa298df700124fd11bfb92beb";
    assert_eq!(hex(&view.getxattr(a, stored).unwrap()), wanted);
    assert_eq!(view.getxattr(a, &listed[0]).unwrap(), b"");
    for missing in ["user.foo", "user.gocryptfs.x", "security.capability"] {
        let error = view.getxattr(a, OsStr::new(missing)).unwrap_err();
        assert_eq!(error.errno(), Errno::NODATA, "{missing}");
    }
    assert_eq!(
        view.listxattr(NodeId::ROOT).unwrap(),
        Vec::<OsString>::new()
    );
    let iv = top(&view, "gocryptfs.diriv").node;
    assert_eq!(view.listxattr(iv).unwrap(), Vec::<OsString>::new());
}

#[test]
fn only_regular_files_can_be_opened() {
    let plain = Plain::new();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, plain.path("a"), fifo, mode, 0).unwrap();
    let view = plain.view();
    let a = top(&view, A);
    assert_eq!(a.attr.stat.kind(), crate::vfs::Kind::Fifo);
    let refused = view.open(a.node, OpenFlags::RDONLY).unwrap_err();
    assert_eq!(refused.errno(), Errno::ACCESS);
}

#[test]
fn nothing_can_be_changed() {
    let plain = Plain::new();
    plain.write("a", "");
    let view = plain.view();
    let a = top(&view, A).node;
    let (root, name) = (NodeId::ROOT, OsStr::new("x"));
    let caller = Caller {
        uid: 0,
        gid: 0,
        pid: 1,
        umask: 0,
    };
    let refused = [
        view.setattr(a, None, &Changes::default()).err(),
        view.mkdir(caller, root, name, 0o700).err(),
        view.mknod(caller, root, name, 0o100_600, 0).err(),
        view.symlink(caller, root, name, name).err(),
        view.link(a, root, name).err(),
        view.unlink(root, OsStr::new(A)).err(),
        view.rmdir(root, name).err(),
        view.rename((root, OsStr::new(A)), (root, name), RenameMode::Replace)
            .err(),
        view.create(caller, root, name, 0o600, OpenFlags::RDWR)
            .err(),
        view.setxattr(caller, a, name, b"", 0).err(),
        view.removexattr(a, name).err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().errno(), Errno::ROFS);
    }
}

#[test]
fn other_ciphers_are_refused() {
    let plain = Plain::new();
    let key = MasterKey(Secret::new([0; 32]));
    let params = Params {
        content: ContentSuite::AesGcm,
        ..PARAMS
    };
    let opened = Reverse::open(
        plain.0.path(),
        &params,
        &key,
        Options::default(),
        Exclusions::default(),
    );
    assert_eq!(opened.err().unwrap().errno(), Errno::INVAL);
}
