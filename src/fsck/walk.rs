//! The walk over the encrypted directory: directories are listed, and what is in them becomes
//! work for several threads.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::LargeFile;
use super::finding::{Damage, Finding, Severity};
use super::ledger::{Ledger, Mark, Ticket, Totals};
use super::links::Links;
use super::place::{Place, Spot};
use super::queue::Queue;
use super::{Options, Progress, Start};
use crate::format::{Corrupt, DirIvDefect};
use crate::sys::{Dir, DirStream, Errno, Kind};
use crate::vault::{Error, Subject, Vault};

/// Tasks that wait at most, for each thread.
const WAITING: usize = 16;
/// How deep a thread goes down before it leaves what is further down to whoever has time.
const NESTED: u32 = 64;

/// A check that is going on.
pub(super) struct Walk<'a> {
    pub(super) vault: &'a Vault,
    pub(super) report: &'a (dyn Fn(Finding) + Sync),
    pub(super) progress: &'a Progress,
    pub(super) stopped: &'a AtomicBool,
    pub(super) links: Links,
    queue: Queue<Task>,
    ledger: Arc<Ledger>,
}

/// A piece of work.
enum Task {
    /// An entry of a directory.
    Entry(Spot, Kind, Ticket),
    /// Blocks of a large file.
    Blocks(Arc<LargeFile>, Range<u64>, Ticket),
}

/// What a thread has for itself.
#[derive(Default)]
pub(super) struct Worker {
    /// Where blocks are read.
    pub(super) buf: Vec<u8>,
    /// How many tasks it has begun one inside the other.
    nested: u32,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        vault: &'a Vault,
        options: &Options,
        ledger: Arc<Ledger>,
        progress: &'a Progress,
        stopped: &'a AtomicBool,
        report: &'a (dyn Fn(Finding) + Sync),
    ) -> Walk<'a> {
        let threads = options.threads.get();
        Walk {
            vault,
            report,
            progress,
            stopped,
            links: Links::new(options.clones),
            queue: Queue::new(threads * WAITING, threads),
            ledger,
        }
    }

    /// Checks the top directory and everything in it, or only what is at `paths`.
    pub(super) fn run(&self, options: &Options) {
        std::thread::scope(|scope| {
            for _ in 1..options.threads.get() {
                scope.spawn(|| self.work(&mut Worker::default()));
            }
            let mut worker = Worker::default();
            self.begin(options, &mut worker);
            self.work(&mut worker);
        });
    }

    fn begin(&self, options: &Options, worker: &mut Worker) {
        let top = match self.vault.top().open_dir(OsStr::new(".")) {
            Ok(dir) => self.place(None, dir, self.ledger.top()),
            Err(errno) => return self.report_top(0, Damage::of(errno), &self.ledger.top()),
        };
        if options.starts.is_empty() {
            return self.list(&top, worker);
        }
        // Directories on the way to several starts are looked at once.
        let mut places = HashMap::from([(PathBuf::new(), top)]);
        for start in &options.starts {
            let Some(place) = self.place_above(start, &mut places) else {
                continue;
            };
            match &start.entry {
                Some(disk) => {
                    let spot = Spot::new(&place, disk, None);
                    self.submit(Task::Entry(spot, Kind::Unknown, self.ledger.top()), worker);
                }
                None => self.list(&place, worker),
            }
        }
    }

    /// Opens the directories above a start.
    fn place_above(
        &self,
        start: &Start,
        places: &mut HashMap<PathBuf, Arc<Place>>,
    ) -> Option<Arc<Place>> {
        let mut path = PathBuf::new();
        let mut place = Arc::clone(places.get(&path)?);
        for (disk, plain) in &start.above {
            path.push(disk);
            if let Some(known) = places.get(&path) {
                place = Arc::clone(known);
                continue;
            }
            let spot = Spot::new(&place, disk, plain.as_deref());
            match place.dir.open_dir(disk) {
                Ok(dir) => place = self.place(Some(spot), dir, self.ledger.top()),
                Err(errno) => {
                    self.trouble(&spot, &self.ledger.top(), errno);
                    return None;
                }
            }
            places.insert(path.clone(), Arc::clone(&place));
        }
        Some(place)
    }

    fn work(&self, worker: &mut Worker) {
        self.queue.work(|task| self.run_task(task, worker));
    }

    /// Leaves a task to another thread, or does it now if all have enough to do.
    fn submit(&self, task: Task, worker: &mut Worker) {
        let Some(task) = self.queue.offer(task) else {
            return;
        };
        if worker.nested >= NESTED {
            return self.queue.push(task);
        }
        worker.nested += 1;
        self.run_task(task, worker);
        worker.nested -= 1;
    }

    fn run_task(&self, task: Task, worker: &mut Worker) {
        if self.is_stopped() {
            return;
        }
        match task {
            Task::Entry(spot, kind, ticket) => self.entry(spot, kind, ticket, worker),
            Task::Blocks(file, blocks, ticket) => self.part(&file, blocks, &ticket, worker),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Checks the directory at `spot` and everything in it.
    pub(super) fn subdirectory(&self, spot: Spot, ticket: Ticket, worker: &mut Worker) {
        match spot.place.dir.open_dir(&spot.disk) {
            Ok(dir) => {
                let place = self.place(Some(spot), dir, ticket);
                self.list(&place, worker);
            }
            Err(errno) => self.trouble(&spot, &ticket, errno),
        }
    }

    /// Takes a look at a directory itself.
    fn place(&self, spot: Option<Spot>, dir: Dir, ticket: Ticket) -> Arc<Place> {
        let (iv, damage) = match self.vault.read_iv(&dir) {
            Ok(iv) => (Some(iv), None),
            Err(error) => (None, Some(iv_damage(&error))),
        };
        let place = Arc::new(Place {
            ticket,
            spot,
            dir,
            iv,
        });
        if let Some(damage) = damage {
            self.report_dir(&place, damage);
        }
        let itself = Subject::Named(&place.dir, OsStr::new("."));
        self.attributes(itself, |damage| self.report_dir(&place, damage));
        place
    }

    /// Hands out the entries of a directory.
    fn list(&self, place: &Arc<Place>, worker: &mut Worker) {
        let Mark { next, pending, .. } = place.ticket.open_dir(place.path());
        place.ticket.count(Totals {
            dirs: 1,
            ..Totals::default()
        });
        self.progress.add_dir();
        for disk in pending {
            let ticket = place.ticket.entry(&disk, next);
            let spot = Spot::new(place, &disk, None);
            self.submit(Task::Entry(spot, Kind::Unknown, ticket), worker);
        }
        let opened = DirStream::open(&place.dir).and_then(|mut stream| {
            if next != 0 {
                stream.seek(next)?;
            }
            Ok(stream)
        });
        match opened {
            Ok(stream) => self.drain(place, stream, worker),
            Err(errno) => self.report_dir(place, Damage::of(errno)),
        }
    }

    fn drain(&self, place: &Arc<Place>, mut stream: DirStream, worker: &mut Worker) {
        while let Some(entry) = stream.next_entry() {
            if self.is_stopped() {
                return;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => return self.report_dir(place, Damage::of(errno)),
            };
            if entry.is_dots() {
                continue;
            }
            let ticket = place.ticket.entry(entry.name, entry.next);
            let spot = Spot::new(place, entry.name, None);
            self.submit(Task::Entry(spot, entry.kind, ticket), worker);
        }
    }

    /// Hands out the blocks of a large file, `at_once` at a time.
    pub(super) fn hand_out(&self, file: &Arc<LargeFile>, at_once: u64, worker: &mut Worker) {
        let mark = file.ticket.open_file(file.spot.path());
        if mark.is_damaged {
            file.ticket.mark_damaged();
        }
        let mut next = mark.next;
        for (start, end) in mark.pending {
            let ticket = file.ticket.blocks((start, end), next);
            self.submit(Task::Blocks(Arc::clone(file), start..end, ticket), worker);
        }
        let count = file.blocks.count();
        while next < count && !self.is_stopped() {
            let end = count.min(next.saturating_add(at_once));
            let ticket = file.ticket.blocks((next, end), end);
            self.submit(Task::Blocks(Arc::clone(file), next..end, ticket), worker);
            next = end;
        }
    }

    /// Reports what is wrong with the object at `spot`.
    pub(super) fn report(&self, spot: &Spot, ino: u64, damage: Damage, ticket: &Ticket) {
        note(&damage, ticket);
        (self.report)(Finding {
            path: spot.path(),
            plain: spot.plain_path(),
            plain_dir: spot.place.plain_path(),
            ino,
            damage,
        });
    }

    /// Reports what the operating system said about the object at `spot`.
    pub(super) fn trouble(&self, spot: &Spot, ticket: &Ticket, errno: Errno) {
        // It has been removed in the meantime.
        if errno == Errno::NOENT {
            return;
        }
        self.report(spot, spot.ino(), Damage::of(errno), ticket);
    }

    fn report_dir(&self, place: &Place, damage: Damage) {
        let ino = place.dir.stat().map_or(0, |stat| stat.key.ino);
        match &place.spot {
            Some(spot) => self.report(spot, ino, damage, &place.ticket),
            None => self.report_top(ino, damage, &place.ticket),
        }
    }

    fn report_top(&self, ino: u64, damage: Damage, ticket: &Ticket) {
        note(&damage, ticket);
        (self.report)(Finding {
            path: PathBuf::new(),
            plain: Some(PathBuf::new()),
            plain_dir: None,
            ino,
            damage,
        });
    }
}

/// Counts an object as damaged or skipped.
fn note(damage: &Damage, ticket: &Ticket) {
    match damage.severity() {
        Severity::Damage => ticket.mark_damaged(),
        Severity::Skipped => ticket.mark_skipped(),
        Severity::Note => {}
    }
}

fn iv_damage(error: &Error) -> Damage {
    match error {
        Error::Corrupt {
            what: Corrupt::DirIv(defect),
            ..
        } => match defect {
            DirIvDefect::Length(length) => Damage::DirIvLength(*length),
            DirIvDefect::AllZero => Damage::DirIvZero,
            DirIvDefect::Missing => Damage::DirIvMissing,
            DirIvDefect::NotAFile => Damage::DirIvUnreadable(Errno::INVAL),
        },
        Error::Os(errno) => match Damage::of(*errno) {
            Damage::Unreadable(errno) => Damage::DirIvUnreadable(errno),
            skipped => skipped,
        },
        Error::Corrupt { .. } => Damage::DirIvUnreadable(Errno::IO),
    }
}
