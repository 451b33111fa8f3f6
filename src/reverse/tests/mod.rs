//! The view driven as the kernel does, without a mount.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]

mod changing;
mod content;
mod names;
mod others;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::*;
use crate::crypto::Secret;
use crate::format::NameParams;

/// Encrypted names with directory IVs, as a new volume has them.
const PARAMS: Params = Params {
    content: ContentSuite::AesSiv,
    names: NameParams::Encrypted {
        long_limit: Some(255),
        dir_iv: true,
    },
    padded: false,
    hkdf: true,
};
const PLAIN_NAMES: Params = Params {
    names: NameParams::Plain,
    ..PARAMS
};
/// What "a" is shown as in the top directory.
const A: &str = "ScvoHSKLPP7c20eeF2YFUA";
/// What "sub" is shown as in the top directory.
const SUB: &str = "qMvy2dcd1pCe281x7jQDqg";

/// A plain directory of its own for each test.
struct Plain(tempfile::TempDir);

impl Plain {
    fn new() -> Plain {
        Plain(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.path().join(name.as_ref())
    }

    fn write(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn mkdir(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    fn view(&self) -> Reverse {
        self.view_with(PARAMS, Options::default(), &[])
    }

    fn view_with(&self, params: Params, options: Options, patterns: &[&str]) -> Reverse {
        let key = MasterKey(Secret::new([0; 32]));
        let exclusions = Exclusions::new(patterns.iter().map(|line| line.as_bytes()));
        Reverse::open(self.0.path(), &params, &key, options, exclusions.unwrap()).unwrap()
    }
}

fn look_up(view: &Reverse, parent: NodeId, name: impl AsRef<OsStr>) -> Result<Entry> {
    view.lookup(parent, name.as_ref())
}

fn top(view: &Reverse, name: impl AsRef<OsStr>) -> Entry {
    look_up(view, NodeId::ROOT, name).unwrap()
}

/// The error number of a lookup in the top directory.
fn refusal(view: &Reverse, name: impl AsRef<OsStr>) -> Errno {
    look_up(view, NodeId::ROOT, name).unwrap_err().errno()
}

fn names(view: &Reverse, node: NodeId) -> Vec<OsString> {
    let handle = view.opendir(node).unwrap();
    let mut names = Vec::new();
    view.readdir(handle, 0, &mut |entry| {
        names.push(entry.name.clone());
        true
    })
    .unwrap();
    view.releasedir(handle);
    names
}

/// The one name of the top directory that is neither virtual nor a dot.
fn only_name(view: &Reverse) -> OsString {
    let mut names = names(view, NodeId::ROOT);
    names.retain(|name| {
        let bytes = name.as_bytes();
        bytes != b"." && bytes != b".." && bytes != b"gocryptfs.diriv" && !bytes.ends_with(b".name")
    });
    assert_eq!(names.len(), 1);
    names.remove(0)
}

fn open(view: &Reverse, entry: &Entry) -> Handle {
    view.open(entry.node, OpenFlags::RDONLY).unwrap().handle
}

fn read(view: &Reverse, handle: Handle, at: u64, len: usize) -> Vec<u8> {
    let mut buf = Vec::new();
    view.read(handle, PlainOffset(at), len, &mut buf)
        .unwrap()
        .to_vec()
}

/// The whole content of a file.
fn content(view: &Reverse, entry: &Entry) -> Vec<u8> {
    let handle = open(view, entry);
    let content = read(view, handle, 0, 1 << 24);
    view.release(handle);
    content
}

/// What the sealed file holds.
fn unsealed(view: &Reverse, sealed: &[u8]) -> Vec<u8> {
    let Some((header, blocks)) = sealed.split_at_checked(crate::format::HEADER_LEN) else {
        return Vec::new();
    };
    let id = crate::format::FileId::parse(header).unwrap();
    let mut blocks = blocks.to_vec();
    let codec = &view.codecs.content;
    let len = codec.open_run(id, crate::format::BlockNo(0), &mut blocks);
    blocks.truncate(len.unwrap());
    blocks
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
