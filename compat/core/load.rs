//! Many threads and many nodes, without the kernel to keep them apart.
//!
//! `STEPS` sets how many operations a thread does, `NODES` how many nodes are looked up, `OPEN` how
//! many files are open.

use super::{Fs, ROOT, errno};
use crate::support::cells::{Place, exercise};
use crate::support::watch::watched;
use gocryptfs_rs::vfs::{Fallocate, Handle, NodeId, PlainOffset, Vfs};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::env;

fn number(variable: &str, usual: usize) -> usize {
    env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// Open files.
struct Handles<'a> {
    fs: &'a Fs,
    files: Vec<(NodeId, Handle)>,
}

impl<'a> Handles<'a> {
    fn new(fs: &'a Fs) -> Self {
        let names = ["a", "b", "c", "d"];
        let files = names.map(|name| fs.create(ROOT, name).unwrap()).to_vec();
        Self { fs, files }
    }
}

impl Place for Handles<'_> {
    fn read(&self, file: usize, at: u64, len: usize) -> Vec<u8> {
        self.fs.read(self.files[file].1, at, len).unwrap()
    }

    fn write(&self, file: usize, at: u64, bytes: &[u8]) {
        let (view, handle) = (&self.fs.view, self.files[file].1);
        view.write(handle, PlainOffset(at), bytes).unwrap();
    }

    fn set_len(&self, file: usize, len: u64) {
        let (node, handle) = self.files[file];
        self.fs
            .change(node, Some(handle), super::size(len))
            .unwrap();
    }

    fn zero(&self, file: usize, at: u64, len: u64) {
        let (view, handle) = (&self.fs.view, self.files[file].1);
        view.fallocate(handle, PlainOffset(at), len, Fallocate::Punch)
            .unwrap();
    }
}

#[test]
fn eight_threads_in_the_same_blocks_read_what_was_written_last() {
    watched("cells", |progress| {
        let fs = Fs::new();
        exercise(&Handles::new(&fs), "cells", number("STEPS", 1500), progress);
    });
}

#[test]
fn what_is_forgotten_is_gone_and_can_be_found_again() {
    let fs = Fs::new();
    let wanted = number("NODES", 3000);
    watched("nodes", |progress| {
        // names are cheaper than objects, but a node is an object: so there are many directories
        let parent = fs.mkdir(ROOT, "parent").unwrap();
        let mut nodes = Vec::new();
        for n in 0..wanted {
            nodes.push(fs.mkdir(parent, &n.to_string()).unwrap());
            progress.step();
        }
        for (n, node) in nodes.iter().enumerate() {
            assert_eq!(fs.lookup(parent, &n.to_string()).unwrap().node, *node);
            fs.view.forget(*node, 1);
            assert!(
                fs.view.getattr(*node, None).is_ok(),
                "{n} was looked up twice"
            );
            fs.view.forget(*node, 1);
            let gone = fs.view.getattr(*node, None).unwrap_err();
            assert!(
                [Errno::NOENT, Errno::STALE].contains(&gone.errno()),
                "{gone:?}"
            );
            progress.step();
        }
        assert_eq!(fs.names(parent).unwrap().len(), wanted);
        for n in 0..wanted {
            fs.view.rmdir(parent, n.to_string().as_ref()).unwrap();
            progress.step();
        }
    });
}

/// As root any number of files may be open; others may open as many as the system lets them.
fn allow_open_files(wanted: usize) -> usize {
    const OTHERS: u64 = 500;
    let limit = getrlimit(Resource::Nofile);
    let wanted = wanted as u64 + OTHERS;
    let raised = Rlimit {
        current: Some(wanted.max(limit.current.unwrap_or(0))),
        maximum: limit.maximum.map(|maximum| maximum.max(wanted)),
    };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        return usize::try_from(wanted - OTHERS).unwrap();
    }
    let most = limit.current.unwrap_or(wanted).saturating_sub(OTHERS);
    usize::try_from(most.min(wanted)).unwrap()
}

#[test]
fn files_that_are_open_by_the_thousand_can_be_used_closed_and_forgotten() {
    let fs = Fs::new();
    let wanted = allow_open_files(number("OPEN", 3000));
    watched("open files", |progress| {
        let parent = fs.mkdir(ROOT, "parent").unwrap();
        let content = |n: usize| n.to_string().into_bytes();
        let mut open = Vec::new();
        for n in 0..wanted {
            let (node, handle) = fs.create(parent, &n.to_string()).unwrap();
            fs.view.write(handle, PlainOffset(0), &content(n)).unwrap();
            open.push((node, handle));
            progress.step();
        }
        for (n, (node, handle)) in open.into_iter().enumerate() {
            assert_eq!(fs.read(handle, 0, 100).unwrap(), content(n));
            fs.view.release(handle);
            assert_eq!(errno(fs.view.flush(handle)), Err(Errno::BADF));
            fs.view.forget(node, 1);
            assert!(fs.view.getattr(node, None).is_err(), "{n} is remembered");
            progress.step();
        }
        assert_eq!(fs.names(parent).unwrap().len(), wanted);
    });
}
