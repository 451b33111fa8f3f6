//! What is measured: pieces of work, each on the files that earlier ones have left.

use crate::Failure;
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Size of the big file, bytes.
pub(crate) const BIG: usize = 256 << 20;
/// How many small files there are, and how long each is.
const SMALL: (usize, usize) = (10_000, 1024);
/// Requests in the random workloads.
const RANDOM_READS: usize = 40_000;
const RANDOM_WRITES: usize = 20_000;
const PAGE: usize = 4096;

/// In what a result is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Million bytes a second.
    Rate,
    /// Thousand requests a second.
    Requests,
    /// Seconds.
    Time,
}

/// A piece of work.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// Bytes or requests.
    pub(crate) amount: usize,
    /// Whether it only moves the data of one file.
    pub(crate) is_flat: bool,
    /// Whether it begins with nothing in the caches.
    is_cold: bool,
    run: Run,
}

/// Does the work in a directory. A file that is returned is closed when time does not count any
/// more.
type Run = fn(&Path) -> Done;
type Done = Result<Option<File>, Failure>;

pub(crate) const ALL: [Work; 12] = [
    flat("write, 1 MiB calls", BIG, |dir| write(dir, 1 << 20)),
    flat("write, 128 KiB calls", BIG, |dir| write(dir, 128 << 10)),
    flat("read, 1 MiB calls", BIG, |dir| read(dir, 1 << 20)),
    flat("read, 128 KiB calls", BIG, |dir| read(dir, 128 << 10)),
    Work {
        unit: Unit::Requests,
        ..flat("random read of 4 KiB, 4 jobs", RANDOM_READS, random_read)
    },
    Work {
        unit: Unit::Requests,
        ..flat("random write of 4 KiB", RANDOM_WRITES, random_write)
    },
    tree("create 10,000 files of 1 KiB", false, create_small),
    tree("readdir of 10,000 entries, cold", true, list_small),
    tree("read 10,000 files, cold", true, read_small),
    tree("tar x of 3,000 files", false, untar),
    tree("ls -lR of them, cold", true, list_recursively),
    tree("rm -r of all", false, remove),
];

const fn flat(name: &'static str, amount: usize, run: Run) -> Work {
    Work {
        name,
        unit: Unit::Rate,
        amount,
        is_flat: true,
        is_cold: false,
        run,
    }
}

const fn tree(name: &'static str, is_cold: bool, run: Run) -> Work {
    Work {
        name,
        unit: Unit::Time,
        amount: 1,
        is_flat: false,
        is_cold,
        run,
    }
}

impl Work {
    /// Does the work in `dir`; how long it took, seconds.
    pub(crate) fn measure(&self, dir: &Path) -> Result<f64, Failure> {
        if self.is_cold {
            // Names and inodes, not pages; it takes the right to do so.
            let _ = fs::write("/proc/sys/vm/drop_caches", "2");
        }
        let start = Instant::now();
        let open = (self.run)(dir)?;
        let time = start.elapsed().as_secs_f64();
        drop(open);
        Ok(time)
    }
}

/// Bytes that do not compress and are nowhere zero for long.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(len).collect()
}

fn write(dir: &Path, call: usize) -> Done {
    let data = noise(call);
    let path = dir.join("big");
    let _ = fs::remove_file(&path);
    let mut file = File::create(path)?;
    for _ in 0..BIG / call {
        file.write_all(&data)?;
    }
    Ok(None)
}

fn read(dir: &Path, call: usize) -> Done {
    let mut buffer = vec![0; call];
    // To open a file is to forget its pages, unless it is told otherwise.
    let mut file = File::open(dir.join("big"))?;
    for _ in 0..BIG / call {
        file.read_exact(&mut buffer)?;
    }
    Ok(None)
}

/// The pages of the big file in an order that nobody foresees: each once.
fn scattered(number: usize) -> u64 {
    const STEP: usize = 40_503; // odd, so it meets all pages of a power of two
    (number.wrapping_mul(STEP) % (BIG / PAGE) * PAGE) as u64
}

fn random_read(dir: &Path) -> Done {
    const JOBS: usize = 4;
    let file = File::open(dir.join("big"))?;
    fadvise(&file, 0, None, Advice::Random)?;
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..JOBS)
            .map(|job| {
                let file = &file;
                scope.spawn(move || {
                    let mut buffer = [0; PAGE];
                    for number in (job..RANDOM_READS).step_by(JOBS) {
                        file.read_exact_at(&mut buffer, scattered(number))?;
                    }
                    Ok::<(), std::io::Error>(())
                })
            })
            .collect();
        for job in jobs {
            job.join().map_err(|_| "a job panicked")??;
        }
        Ok(None)
    })
}

fn random_write(dir: &Path) -> Done {
    let data = noise(PAGE);
    let file = OpenOptions::new().write(true).open(dir.join("big"))?;
    for number in 0..RANDOM_WRITES {
        file.write_all_at(&data, scattered(number))?;
    }
    Ok(Some(file))
}

fn create_small(dir: &Path) -> Done {
    let dir = dir.join("small");
    fs::create_dir(&dir)?;
    let data = noise(SMALL.1);
    for number in 0..SMALL.0 {
        File::create(dir.join(format!("file number {number}")))?.write_all(&data)?;
    }
    Ok(None)
}

fn list_small(dir: &Path) -> Done {
    let count = fs::read_dir(dir.join("small"))?.count();
    (count == SMALL.0)
        .then_some(None)
        .ok_or_else(|| "entries are missing".into())
}

fn read_small(dir: &Path) -> Done {
    let mut data = Vec::new();
    for number in 0..SMALL.0 {
        data.clear();
        let path = dir.join(format!("small/file number {number}"));
        File::open(path)?.read_to_end(&mut data)?;
    }
    Ok(None)
}

fn untar(dir: &Path) -> Done {
    let archive = dir.join("../tree.tar");
    run(Command::new("tar")
        .arg("xf")
        .arg(archive)
        .arg("-C")
        .arg(dir))
}

fn list_recursively(dir: &Path) -> Done {
    run(Command::new("ls").arg("-lR").arg(dir.join("tree")))
}

fn remove(dir: &Path) -> Done {
    run(Command::new("rm")
        .arg("-r")
        .args(["small", "tree"].map(|name| dir.join(name))))
}

fn run(command: &mut Command) -> Done {
    let status = command.stdout(Stdio::null()).status()?;
    status
        .success()
        .then_some(None)
        .ok_or_else(|| format!("{command:?}: {status}").into())
}

/// Makes `tree.tar` in `place`: 3,000 files in 100 directories, as a source tree has them.
pub(crate) fn make_archive(place: &Path) -> Result<(), Failure> {
    let tree = place.join("tree");
    let data = noise(64 << 10);
    for number in 0..3000 {
        let dir = tree.join(format!("part{}/module{}", number % 10, number % 100));
        fs::create_dir_all(&dir)?;
        // Most are small, a few are not.
        let len = 200 + number * 7919 % 8000 + if number % 50 == 0 { 50_000 } else { 0 };
        fs::write(dir.join(format!("source_{number}.rs")), &data[..len])?;
    }
    run(Command::new("tar")
        .current_dir(place)
        .args(["cf", "tree.tar", "tree"]))?;
    Ok(fs::remove_dir_all(tree)?)
}
