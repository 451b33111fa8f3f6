//! Many threads on one mount, or on two of one vault: nobody loses anything, nothing stands still,
//! and the mount can be ended while they work.

use super::Session;
use crate::support::cells::{Place, exercise};
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::wait;
use crate::support::watch::{Progress, watched};
use rustix::fs::FallocateFlags;
use std::fs::{self, File};
use std::io::{ErrorKind, Result};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

impl Place for Vec<File> {
    fn read(&self, file: usize, at: u64, len: usize) -> Vec<u8> {
        let mut found = vec![0; len];
        let mut done = 0;
        while done < len {
            match self[file]
                .read_at(&mut found[done..], at + done as u64)
                .unwrap()
            {
                0 => break,
                count => done += count,
            }
        }
        found.truncate(done);
        found
    }

    fn write(&self, file: usize, at: u64, bytes: &[u8]) {
        self[file].write_all_at(bytes, at).unwrap();
    }

    fn set_len(&self, file: usize, len: u64) {
        self[file].set_len(len).unwrap();
    }

    fn zero(&self, file: usize, at: u64, len: u64) {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(&self[file], flags, at, len).unwrap();
    }
}

#[test]
fn eight_threads_in_the_same_blocks_read_what_was_written_last() {
    for options in [&[][..], &["-writeback"]] {
        let session = Session::with("xchacha", options);
        let open = |name| {
            let mut options = File::options();
            let options = options.read(true).write(true).create(true);
            options.open(session.join(name)).unwrap()
        };
        let files = Vec::from(["a", "b", "c", "d"].map(open));
        watched("cells on a mount", |progress| {
            exercise(&files, "cells", 300, progress);
        });
    }
}

/// Every file below `dir` holds its own name; what is on the move may be missing.
fn read_tree(dir: &Path, progress: &Progress) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let found = if path.file_name().unwrap().to_str().unwrap().starts_with('f') {
            fs::read(&path).map(|content| {
                assert_eq!(content, path.file_name().unwrap().as_encoded_bytes());
                1
            })
        } else {
            read_tree(&path, progress)
        };
        progress.step();
        count += match found {
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            found => found?,
        };
    }
    Ok(count)
}

#[test]
fn directories_are_renamed_under_who_reads_them() {
    let session = Session::new();
    let long = "d".repeat(200);
    for dir in [&format!("one/{long}/inner"), "two"] {
        fs::create_dir_all(session.join(dir)).unwrap();
    }
    let deep = session.join("one").join(&long).join("inner");
    for n in 0..20 {
        let name = if n % 2 == 0 {
            format!("f{n}")
        } else {
            format!("f{n:0200}")
        };
        fs::write(deep.join(&name), &name).unwrap();
    }
    let is_done = AtomicBool::new(false);
    watched("renames under readers", |progress| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let file = File::open(deep.join("f0")).ok();
                    while !is_done.load(Ordering::Relaxed) {
                        read_tree(&session.mount.path(), progress).unwrap();
                        let mut found = [0; 2];
                        if let Some(file) = &file {
                            file.read_exact_at(&mut found, 0).unwrap();
                            assert_eq!(&found, b"f0");
                        }
                    }
                });
            }
            let rename = |from: &str, to: &str| {
                fs::rename(session.join(from), session.join(to)).unwrap();
                progress.step();
            };
            let (in_one, in_two) = (format!("one/{long}"), format!("two/{long}"));
            for _ in 0..150 {
                rename(&in_one, &in_two);
                rename(&in_two, "two/short");
                rename("two/short/inner", &in_one);
                rename(&in_one, "two/short/inner");
                rename("two/short", &in_one);
            }
            is_done.store(true, Ordering::Relaxed);
        });
        assert_eq!(read_tree(&session.mount.path(), progress).unwrap(), 20);
    });
}

fn content(number: usize) -> Vec<u8> {
    number.to_le_bytes().repeat(1000)
}

/// Writes and reads until it is told to end, or the mount is gone. Returns how many files were
/// synced, which hold their number.
fn work(dir: &Path, is_over: &AtomicBool, progress: &Progress) -> usize {
    let once = |number: usize| -> Result<()> {
        let path = dir.join(number.to_string());
        let file = File::create(&path)?;
        file.write_all_at(&content(number), 0)?;
        file.sync_all()?;
        fs::read(path).map(drop)
    };
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) && once(number).is_ok() {
        progress.step();
        number += 1;
    }
    number
}

/// Lets three threads work in directories of their own; ends the mount by `end` when all are at it.
/// Then what they have synced is there, and nothing is damaged.
fn ended_under_load(end: impl FnOnce(Mount, &AtomicBool, &Progress) + Send) {
    let Session { mount, vault } = Session::new();
    let (top, is_over, is_busy) = (mount.path(), AtomicBool::new(false), Barrier::new(4));
    let mut synced = Vec::new();
    watched("the end of a mount", |progress| {
        thread::scope(|scope| {
            let (top, is_over, is_busy) = (&top, &is_over, &is_busy);
            let work = move |thread: usize| {
                let dir = top.join(thread.to_string());
                fs::create_dir(&dir).unwrap();
                // holds the mount, whatever happens to its path
                let held = File::open(&dir).unwrap();
                let dir = format!("/proc/self/fd/{}", held.as_raw_fd());
                is_busy.wait();
                work(Path::new(&dir), is_over, progress)
            };
            let threads: Vec<_> = (0..3)
                .map(|thread| scope.spawn(move || work(thread)))
                .collect();
            is_busy.wait();
            end(mount, is_over, progress);
            let counts = threads.into_iter().map(|thread| thread.join().unwrap());
            synced = counts.collect();
        });
    });
    let session = Session::mount(vault, &Program::ours(), &[]);
    for (thread, count) in synced.into_iter().enumerate() {
        for number in 0..count {
            let found = fs::read(session.join(format!("{thread}/{number}"))).unwrap();
            assert!(found == content(number), "{thread}/{number}");
        }
    }
    let output = Program::ours().run(&["fsck", "-q", session.vault.dir.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn who_works_on_a_detached_mount_may_go_on() {
    ended_under_load(|mount, is_over, progress| {
        mount.detach();
        let before = progress.count();
        let went_on = wait::until(|| (progress.count() > before + 20).then_some(()));
        is_over.store(true, Ordering::Relaxed);
        assert!(went_on.is_some());
        mount.ended();
    });
}

#[test]
fn a_signal_ends_a_mount_that_is_in_use() {
    ended_under_load(|mount, _, _| assert_eq!(mount.terminated(), Some(15)));
}

/// Makes files, renames half of them, and tells the other side of each.
fn publish(top: &Path, side: &str, tell: &Sender<String>, progress: &Progress) {
    for number in 0..150 {
        let name = match number % 3 {
            0 => format!("{side}{number:0200}"),
            _ => format!("{side}{number}"),
        };
        let temporary = top.join(format!("{name}.new"));
        fs::write(&temporary, name.repeat(number)).unwrap();
        fs::rename(temporary, top.join(&name)).unwrap();
        tell.send(name).unwrap();
        progress.step();
    }
}

/// Reads what the other side made, changes it and takes it away.
fn consume(top: &Path, told: Receiver<String>, progress: &Progress) {
    for (number, name) in told.into_iter().enumerate() {
        let path = top.join(&name);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            name.repeat(number),
            "{name}"
        );
        fs::write(&path, "taken").unwrap();
        let taken = top.join(format!("{name}.taken"));
        fs::rename(&path, &taken).unwrap();
        assert_eq!(fs::read_to_string(&taken).unwrap(), "taken");
        assert!(!path.exists());
        if number % 2 == 0 {
            fs::remove_file(taken).unwrap();
        }
        progress.step();
    }
}

#[test]
fn two_mounts_of_one_vault_use_each_others_files_at_the_same_time() {
    let session = Session::with("aes-gcm", &["-sharedstorage"]);
    let other = Mount::new(&Program::ours(), &session.vault, &["-sharedstorage"]);
    let tops = [session.mount.path(), other.path()];
    watched("two mounts", |progress| {
        thread::scope(|scope| {
            for (here, there) in [(0, 1), (1, 0)] {
                let (tell, told) = channel();
                let (top, peer) = (&tops[here], &tops[there]);
                scope.spawn(move || publish(top, ["a", "b"][here], &tell, progress));
                scope.spawn(move || consume(peer, told, progress));
            }
        });
    });
    for top in &tops {
        let names = fs::read_dir(top)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        assert_eq!(names.len(), 150, "{names:?}");
        assert!(
            names.iter().all(|name| name.contains(".taken")),
            "{names:?}"
        );
    }
    other.unmount();
}
