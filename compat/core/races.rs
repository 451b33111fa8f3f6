//! Threads that meet, without the kernel to keep them apart.

use super::everything::look;
use super::{CALLER, Fs, ROOT, Result, errno, long, mode, size};
use crate::support::random::Random;
use gocryptfs_rs::vfs::{NodeId, OpenFlags, PlainOffset, RenameMode, Vfs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const ROUNDS: usize = 300;

/// Everything that is done to a node by its name.
fn by_name(fs: &Fs, node: NodeId) -> Result<()> {
    errno(fs.view.getattr(node, None))?;
    fs.change(node, None, mode(0o700))?;
    errno(fs.view.access(node, 4))?;
    errno(fs.view.setxattr(CALLER, node, "user.x".as_ref(), b"v", 0))?;
    errno(fs.view.listxattr(node)).map(drop)
}

#[test]
fn a_node_is_reached_while_it_is_on_the_move() {
    let fs = Fs::new();
    let names = [["a".to_owned(), long("a")], [long("d"), "d".to_owned()]];
    let dir = fs.mkdir(ROOT, &names[1][0]).unwrap();
    let [file, inner] = [ROOT, dir].map(|parent| fs.file(parent, "a", b"content"));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for names in &names {
            scope.spawn(|| {
                let _over = Over(&is_done);
                for _ in 0..ROUNDS {
                    fs.rename(&names[0], &names[1], RenameMode::Replace)
                        .unwrap();
                    fs.rename(&names[1], &names[0], RenameMode::Replace)
                        .unwrap();
                }
            });
        }
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                by_name(&fs, file).unwrap();
                by_name(&fs, dir).unwrap();
                fs.change(file, None, size(7)).unwrap();
                assert_eq!(fs.content(file).unwrap(), b"content");
                assert_eq!(fs.content(inner).unwrap(), b"content");
                assert_eq!(fs.names(dir).unwrap(), ["a"]);
            }
        });
    });
}

/// Tells the other threads to end, also when this one fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn what_takes_the_place_of_a_file_is_not_changed_in_its_stead() {
    let fs = Fs::new();
    let (mut current, mut handle) = fs.create(ROOT, "a").unwrap();
    let (node, done) = (Mutex::new(current), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    // Until nobody is at work any more on what was to be changed before.
    let settle = || {
        let seen = done.load(Ordering::Acquire);
        while done.load(Ordering::Acquire) < seen + 2 {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                let node = *node.lock().unwrap();
                let _ = fs.change(node, None, mode(0o777));
                let _ = fs.change(node, None, size(0));
                done.fetch_add(1, Ordering::AcqRel);
            }
        });
        let _over = Over(&is_over);
        for _ in 0..ROUNDS {
            let (next, next_handle) = fs.create(ROOT, "next").unwrap();
            let at = PlainOffset(0);
            fs.view.write(next_handle, at, b"precious").unwrap();
            fs.rename("next", "a", RenameMode::Replace).unwrap();
            settle();
            assert_eq!(fs.content(next).unwrap(), b"precious");
            let stat = fs.view.getattr(next, None).unwrap().stat;
            assert_eq!(stat.mode & 0o777, 0o600);
            *node.lock().unwrap() = next;
            settle();
            fs.view.release(handle);
            fs.view.forget(current, 1);
            (current, handle) = (next, next_handle);
        }
    });
}

/// A random operation; only that it ends is of interest.
fn anything(fs: &Fs, chance: &mut Random) -> Result<()> {
    let names = ["a", "b", &long("a"), &long("b")];
    let [within, name] = [*chance.pick(&names), *chance.pick(&names)];
    let parent = match chance.below(3) {
        0 => ROOT,
        _ => fs.node(within)?,
    };
    let node = || errno(fs.view.lookup(parent, name.as_ref())).map(|found| found.node);
    match chance.below(9) {
        0 => fs.mkdir(parent, name).map(drop),
        1 => {
            let (_, handle) = fs.create(parent, name)?;
            fs.view.release(handle);
            Ok(())
        }
        2 => errno(fs.view.unlink(parent, name.as_ref())),
        3 => errno(fs.view.rmdir(parent, name.as_ref())),
        4 => {
            let mode = *chance.pick(&[RenameMode::Replace, RenameMode::Exchange]);
            let to = *chance.pick(&names);
            errno(
                fs.view
                    .rename((parent, name.as_ref()), (ROOT, to.as_ref()), mode),
            )
        }
        5 => errno(fs.view.link(node()?, ROOT, chance.pick(&names).as_ref())).map(drop),
        6 => fs.list(parent).map(drop),
        7 => by_name(fs, node()?),
        _ => {
            let handle = fs.open(node()?, OpenFlags::RDWR)?;
            let written = fs.view.write(handle, PlainOffset(5), b"x");
            fs.view.release(handle);
            errno(written)
        }
    }
}

fn clear(fs: &Fs, node: NodeId) {
    for entry in fs.list(node).unwrap() {
        if fs.view.unlink(node, &entry.name).is_err() {
            clear(fs, errno(fs.view.lookup(node, &entry.name)).unwrap().node);
            fs.view.rmdir(node, &entry.name).unwrap();
        }
    }
}

#[test]
fn whatever_is_done_at_the_same_time_leaves_a_tree_that_can_be_used_and_removed() {
    let mut fs = Fs::new();
    let mut chance = Random::new("races");
    let seeds: Vec<_> = (0..4).map(|_| chance.next()).collect();
    thread::scope(|scope| {
        for seed in seeds {
            let fs = &fs;
            scope.spawn(move || {
                let mut chance = Random::from_seed(seed);
                for _ in 0..3 * ROUNDS {
                    let _ = anything(fs, &mut chance);
                }
            });
        }
    });
    fs.restart();
    let shown = look(&fs);
    assert!(shown.values().all(Result::is_ok), "{shown:?}");
    clear(&fs, ROOT);
    assert_eq!(fs.on_disk().len(), 1, "only the IV is left");
}
