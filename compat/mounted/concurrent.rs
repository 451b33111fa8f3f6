//! Many threads at once: nobody loses anything.

use super::Session;
use crate::support::disk::{Disk, Frozen, Kind};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const THREADS: u8 = 4;

#[test]
fn parts_of_a_block_written_at_the_same_time_all_arrive() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    // each thread writes every fourth piece, so that all of them meet in every block
    let (piece, pieces) = (333, 400);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let file = &file;
            scope.spawn(move || {
                for n in (u64::from(thread)..pieces).step_by(THREADS.into()) {
                    let data = vec![thread + 1; piece];
                    file.write_all_at(&data, n * piece as u64).unwrap();
                }
            });
        }
    });
    drop(file);
    let session = session.again(&[]);
    let found = fs::read(session.join("file")).unwrap();
    assert_eq!(found.len() as u64, pieces * piece as u64);
    for (n, part) in found.chunks(piece).enumerate() {
        let thread = u8::try_from(n % usize::from(THREADS)).unwrap();
        assert!(part.iter().all(|byte| *byte == thread + 1), "piece {n}");
    }
}

#[test]
fn appends_at_the_same_time_all_arrive() {
    let session = Session::new();
    let (len, count) = (100, 200);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let path = session.join("file");
            scope.spawn(move || {
                let mut options = File::options();
                let mut file = options.append(true).create(true).open(path).unwrap();
                for _ in 0..count {
                    file.write_all(&vec![thread; len]).unwrap();
                }
            });
        }
    });
    let found = fs::read(session.join("file")).unwrap();
    assert_eq!(found.len(), usize::from(THREADS) * count * len);
    let mut seen = [0; THREADS as usize];
    for part in found.chunks(len) {
        assert!(part.iter().all(|byte| *byte == part[0]));
        seen[usize::from(part[0])] += 1;
    }
    assert_eq!(seen, [count; THREADS as usize]);
}

#[test]
fn a_file_that_grows_and_shrinks_stays_readable() {
    let session = Session::new();
    let file = File::create(session.join("file")).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let found = fs::read(session.join("file")).unwrap();
                    assert!(found.iter().all(|byte| *byte <= 1));
                }
            });
        }
        for n in 0..300_u64 {
            file.write_all_at(&[1; 5000], n % 7 * 3000).unwrap();
            file.set_len(n % 5 * 4000 + 1).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn directories_made_and_removed_at_the_same_time_leave_nothing() {
    let session = Session::new();
    let long = "d".repeat(200);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (session, long) = (&session, &long);
            scope.spawn(move || {
                let mine = session.join(format!("{long}{thread}"));
                let shared = session.join(long);
                for _ in 0..50 {
                    fs::create_dir(&mine).unwrap();
                    fs::write(mine.join("file"), "content").unwrap();
                    fs::rename(mine.join("file"), mine.join(long)).unwrap();
                    // the others make and remove it too
                    let _ = fs::create_dir(&shared);
                    let _ = fs::rename(mine.join(long), shared.join(thread.to_string()));
                    let _ = fs::remove_file(shared.join(thread.to_string()));
                    let _ = fs::remove_dir(&shared);
                    fs::remove_dir_all(&mine).unwrap();
                }
            });
        }
    });
    let _ = fs::remove_dir_all(session.join(&long));
    let left = fs::read_dir(&session.vault.dir).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn renames_at_the_same_time_keep_every_file() {
    let session = Session::new();
    for n in 0..THREADS {
        fs::write(session.join(n.to_string()), [n]).unwrap();
    }
    let names = ["a".repeat(200), "b".repeat(200), "c".to_owned()];
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (session, names) = (&session, &names);
            scope.spawn(move || {
                let home = session.join(thread.to_string());
                for n in 0..100 {
                    // a name that all of them want; whoever has it gives it back
                    let away = session.join(&names[n % names.len()]);
                    if fs::hard_link(&home, &away).is_ok() {
                        assert_eq!(fs::read(&away).unwrap(), [thread]);
                        fs::remove_file(&home).unwrap();
                        fs::rename(&away, &home).unwrap();
                    }
                    match fs::read(&away) {
                        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
                        Ok(found) => assert_eq!(found.len(), 1),
                    }
                }
            });
        }
    });
    for n in 0..THREADS {
        assert_eq!(fs::read(session.join(n.to_string())).unwrap(), [n]);
    }
    let Session { mount, vault } = session;
    mount.unmount();
    if let Some(go) = Program::go("the check after renames") {
        vault.assert_clean(&go);
    }
}

#[test]
fn a_writer_that_waits_for_the_disk_keeps_nobody_from_reading_other_files() {
    let Some(disk) = Disk::new(Kind::Ext4, "a writer that waits") else {
        return;
    };
    let ours = Program::ours();
    let vault = Vault::new_in(&disk.path(), &ours, &ALL_FEATURES[0]);
    let mount = Mount::new(&ours, &vault, &[]);
    let [written, other] = ["written", "other"].map(|name| mount.path().join(name));
    fs::write(&other, vec![7; 100_000]).unwrap();
    let file = File::create(&written).unwrap();
    rustix::fs::sync();
    let frozen = Frozen::new(&disk);
    let writer = thread::spawn(move || file.write_all_at(&vec![1; 100_000], 0));
    assert!(wait::until(|| mount.waits_for_disk().then_some(())).is_some());
    let (tell, told) = channel();
    thread::spawn(move || tell.send(fs::read(other)));
    let read = told.recv_timeout(Duration::from_secs(60));
    assert!(!writer.is_finished());
    drop(frozen);
    assert_eq!(read.unwrap().unwrap(), vec![7; 100_000]);
    writer.join().unwrap().unwrap();
    assert_eq!(fs::read(written).unwrap(), vec![1; 100_000]);
    mount.unmount();
}
