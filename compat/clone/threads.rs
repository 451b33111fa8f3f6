//! Writers, truncaters and clones at the same files at the same time: every block can be read by
//! everybody afterwards.

use super::{Ground, SHARING, WHOLE, bytes, copy};
use crate::support::random::Random;
use rustix::io::Errno;
use std::env;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::thread;

const THREADS: usize = 8;
const FILES: usize = 3;
const BLOCKS: usize = 64;

fn open(path: &PathBuf, truncate: bool) -> File {
    let mut options = File::options();
    options.read(true).write(true).create(true);
    options.truncate(truncate).open(path).unwrap()
}

/// One operation of a thread; handles come and go, so that the cached IDs do too.
fn step(paths: &[PathBuf], chance: &mut Random) {
    let path = chance.pick(paths);
    let at = (chance.below(BLOCKS) * 4096 + *chance.pick(&[0, 0, 1, 4095])) as u64;
    match chance.below(8) {
        0 | 1 => {
            let data = bytes(7, 1 + chance.below(100_000));
            open(path, false).write_all_at(&data, at).unwrap();
        }
        2 => open(path, false).set_len(at).unwrap(),
        3 => drop(open(path, true)),
        4 => {
            let mut part = vec![0; 50_000];
            // what is read may be anything, but it must be readable
            open(path, false).read_at(&mut part, at).unwrap();
        }
        5 => {
            let (from, to) = (open(chance.pick(paths), false), open(path, false));
            copied(copy(&from, &to, at, at, 70_000));
        }
        _ => {
            let (from, to) = (open(chance.pick(paths), false), open(path, true));
            copied(copy(&from, &to, 0, 0, WHOLE));
        }
    }
}

/// A file onto itself is refused; nothing else goes wrong.
fn copied(result: Result<u64, Errno>) {
    assert!(matches!(result, Ok(_) | Err(Errno::INVAL)), "{result:?}");
}

#[test]
fn threads_that_write_cut_and_clone_leave_whole_blocks() {
    let steps = env::var("OPS").map_or(150, |ops| ops.parse::<usize>().unwrap() / THREADS);
    for kind in SHARING {
        let what = format!("threads on {kind:?}");
        let Some(ground) = Ground::plain(kind, &what) else {
            continue;
        };
        let mut seeds = Random::new(&what);
        let paths: Vec<_> = (0..FILES).map(|n| ground.join(&n.to_string())).collect();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let mut chance = Random::from_seed(seeds.next());
                let paths = &paths;
                scope.spawn(move || (0..steps).for_each(|_| step(paths, &mut chance)));
            }
        });
        ground.finish(&what);
    }
}
