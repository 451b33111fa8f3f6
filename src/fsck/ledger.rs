//! What has been done and what has not, so that a check can be interrupted and continued.
//!
//! A directory or large file that has been begun has a record: how far it was handed out as work,
//! and which of that work is not finished. What is in no record is either finished or not begun,
//! which follows from the position in the record of what holds it. Finishing is told by dropping
//! a [`Ticket`]; when the last piece of work in a directory is finished, so is the directory.
//!
//! Invariant: a [`Checkpoint`] is consistent. Its totals count exactly the entries that will not be
//! looked at again.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::ops::AddAssign;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Counts of what a check has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files, symlinks, devices and the like.
    pub files: u64,
    /// Directories.
    pub dirs: u64,
    /// Bytes of regular files in the encrypted directory.
    pub bytes: u64,
    /// Damaged objects.
    pub damaged: u64,
    /// Objects that could not be looked at.
    pub skipped: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.bytes += other.bytes;
        self.damaged += other.damaged;
        self.skipped += other.skipped;
    }
}

/// Where an interrupted check goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Directories that have been begun, from the top.
    pub dirs: Vec<Mark<Vec<OsString>>>,
    /// Large files that have been begun; work is a range of blocks.
    pub files: Vec<Mark<Vec<(u64, u64)>>>,
    /// What has been done.
    pub totals: Totals,
}

/// How far a directory or a large file has been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark<P> {
    /// Path in the encrypted directory.
    pub path: PathBuf,
    /// Where to go on: the cookie of a directory, or a block number.
    pub next: u64,
    /// Work before that which has not been finished.
    pub pending: P,
    /// Whether damage was found in what has been finished.
    pub is_damaged: bool,
}

/// The book that is kept during one check.
pub(super) struct Ledger(Mutex<Book>);

struct Book {
    /// From now on nothing counts as finished.
    is_closed: bool,
    /// The number of the last page that was begun.
    last: u64,
    dirs: Pages<OsString>,
    files: Pages<(u64, u64)>,
    totals: Totals,
}

/// What has been begun, by its number, and what an earlier check had begun, by its path.
struct Pages<W> {
    open: HashMap<u64, Mark<BTreeSet<W>>>,
    left: HashMap<PathBuf, Mark<Vec<W>>>,
}

impl<W: Clone + Ord> Pages<W> {
    fn new(left: Vec<Mark<Vec<W>>>) -> Pages<W> {
        let left = left.into_iter().map(|mark| (mark.path.clone(), mark));
        Pages {
            open: HashMap::new(),
            left: left.collect(),
        }
    }

    /// Begins a page, where it was left if there is such a place.
    fn open(&mut self, number: u64, path: PathBuf) -> Mark<Vec<W>> {
        let mark = self.left.remove(&path).unwrap_or(Mark {
            path,
            next: 0,
            pending: Vec::new(),
            is_damaged: false,
        });
        let page = Mark {
            path: mark.path.clone(),
            next: mark.next,
            pending: mark.pending.iter().cloned().collect(),
            is_damaged: mark.is_damaged,
        };
        self.open.insert(number, page);
        mark
    }

    fn hand_out(&mut self, number: u64, work: W, next: u64) {
        if let Some(page) = self.open.get_mut(&number) {
            page.next = next;
            page.pending.insert(work);
        }
    }

    fn finish<Q: Ord + ?Sized>(&mut self, number: u64, work: &Q)
    where
        W: Borrow<Q>,
    {
        if let Some(page) = self.open.get_mut(&number) {
            page.pending.remove(work);
        }
    }

    fn marks(&self) -> Vec<Mark<Vec<W>>> {
        let open = self.open.values().map(|page| Mark {
            path: page.path.clone(),
            next: page.next,
            pending: page.pending.iter().cloned().collect(),
            is_damaged: page.is_damaged,
        });
        let mut marks: Vec<_> = open.chain(self.left.values().cloned()).collect();
        marks.sort_by(|one, other| one.path.cmp(&other.path));
        marks
    }
}

impl Ledger {
    /// A book that goes on from a checkpoint.
    pub(super) fn new(from: Checkpoint) -> Arc<Ledger> {
        Arc::new(Ledger(Mutex::new(Book {
            is_closed: false,
            last: NO_PAGE,
            dirs: Pages::new(from.dirs),
            files: Pages::new(from.files),
            totals: from.totals,
        })))
    }

    /// Stops counting: what is dropped from now on has been given up.
    pub(super) fn close(&self) {
        self.0.lock().is_closed = true;
    }

    /// Where the check is.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        let book = self.0.lock();
        Checkpoint {
            dirs: book.dirs.marks(),
            files: book.files.marks(),
            totals: book.totals,
        }
    }

    /// What has been done.
    pub(super) fn totals(&self) -> Totals {
        self.0.lock().totals
    }

    /// The ticket for a piece of work that is part of nothing else.
    pub(super) fn top(self: &Arc<Self>) -> Ticket {
        self.ticket(None)
    }

    fn ticket(self: &Arc<Self>, work: Option<(u64, Work)>) -> Ticket {
        Ticket {
            ledger: Arc::clone(self),
            work,
            page: AtomicU64::new(NO_PAGE),
            counts: Mutex::default(),
        }
    }
}

const NO_PAGE: u64 = 0;

/// A piece of work that has been handed out; finished when dropped.
pub(super) struct Ticket {
    ledger: Arc<Ledger>,
    /// The page on which it is pending.
    work: Option<(u64, Work)>,
    /// The page on which its own parts are, if it has been taken apart.
    page: AtomicU64,
    counts: Mutex<Totals>,
}

enum Work {
    Entry(OsString),
    Blocks((u64, u64)),
}

impl Ticket {
    /// Counts something that will have been done when this is dropped.
    pub(super) fn count(&self, counts: Totals) {
        *self.counts.lock() += counts;
    }

    /// Counts the object as damaged, once.
    pub(super) fn mark_damaged(&self) {
        self.counts.lock().damaged = 1;
        let page = self.page.load(Ordering::Relaxed);
        if let Some(page) = self.ledger.0.lock().files.open.get_mut(&page) {
            page.is_damaged = true;
        }
    }

    /// Counts the object as one that nobody could look at, once.
    pub(super) fn mark_skipped(&self) {
        self.counts.lock().skipped = 1;
    }

    /// Takes a directory apart, and tells where to go on with it.
    pub(super) fn open_dir(&self, path: PathBuf) -> Mark<Vec<OsString>> {
        let mut book = self.ledger.0.lock();
        let page = self.new_page(&mut book);
        book.dirs.open(page, path)
    }

    /// Takes a large file apart, and tells where to go on with it.
    pub(super) fn open_file(&self, path: PathBuf) -> Mark<Vec<(u64, u64)>> {
        let mut book = self.ledger.0.lock();
        let page = self.new_page(&mut book);
        book.files.open(page, path)
    }

    fn new_page(&self, book: &mut Book) -> u64 {
        book.last += 1;
        self.page.store(book.last, Ordering::Relaxed);
        book.last
    }

    /// Hands out an entry of this directory; the listing goes on at `next`.
    pub(super) fn entry(&self, name: &OsStr, next: u64) -> Ticket {
        let page = self.page.load(Ordering::Relaxed);
        let mut book = self.ledger.0.lock();
        book.dirs.hand_out(page, name.to_owned(), next);
        self.ledger
            .ticket(Some((page, Work::Entry(name.to_owned()))))
    }

    /// Hands out blocks of this large file; the blocks from `next` on are left.
    pub(super) fn blocks(&self, range: (u64, u64), next: u64) -> Ticket {
        let page = self.page.load(Ordering::Relaxed);
        let mut book = self.ledger.0.lock();
        book.files.hand_out(page, range, next);
        self.ledger.ticket(Some((page, Work::Blocks(range))))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut book = self.ledger.0.lock();
        if book.is_closed {
            return;
        }
        book.totals += *self.counts.lock();
        let page = self.page.load(Ordering::Relaxed);
        if page != NO_PAGE {
            book.dirs.open.remove(&page);
            book.files.open.remove(&page);
        }
        match &self.work {
            Some((page, Work::Entry(name))) => book.dirs.finish(*page, name.as_os_str()),
            Some((page, Work::Blocks(range))) => book.files.finish(*page, range),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_file() -> Totals {
        Totals {
            files: 1,
            ..Totals::default()
        }
    }

    fn entry(dir: &Ticket, name: &str, next: u64) -> Ticket {
        let ticket = dir.entry(OsStr::new(name), next);
        ticket.count(one_file());
        ticket
    }

    fn pending(ledger: &Ledger) -> Vec<(u64, Vec<OsString>)> {
        let dirs = ledger.checkpoint().dirs;
        dirs.into_iter()
            .map(|dir| (dir.next, dir.pending))
            .collect()
    }

    #[test]
    fn what_is_not_finished_is_pending() {
        let ledger = Ledger::new(Checkpoint::default());
        let top = ledger.top();
        top.open_dir(PathBuf::new());
        let (a, b) = (entry(&top, "a", 70), entry(&top, "b", 30));
        drop(a);
        assert_eq!(pending(&ledger), [(30, vec!["b".into()])]);
        assert_eq!(ledger.totals().files, 1);
        drop(b);
        assert_eq!(pending(&ledger), [(30, vec![])]);
        drop(top);
        assert_eq!(ledger.checkpoint().dirs, []);
        assert_eq!(ledger.totals().files, 2);
    }

    #[test]
    fn a_directory_is_finished_together_with_its_page() {
        let ledger = Ledger::new(Checkpoint::default());
        let top = ledger.top();
        top.open_dir(PathBuf::new());
        let dir = top.entry(OsStr::new("d"), 5);
        dir.open_dir("d".into());
        let inside = entry(&dir, "x", 9);
        assert_eq!(
            pending(&ledger),
            [(5, vec!["d".into()]), (9, vec!["x".into()])]
        );
        drop(inside);
        drop(dir);
        assert_eq!(pending(&ledger), [(5, vec![])]);
    }

    #[test]
    fn a_closed_book_does_not_change() {
        let ledger = Ledger::new(Checkpoint {
            totals: one_file(),
            ..Checkpoint::default()
        });
        let top = ledger.top();
        top.open_file("f".into());
        let range = top.blocks((0, 8), 8);
        ledger.close();
        let before = ledger.checkpoint();
        drop(range);
        drop(top);
        assert_eq!(ledger.checkpoint(), before);
        assert_eq!(before.files[0].pending, [(0, 8)]);
        assert_eq!(before.totals, one_file());
    }

    #[test]
    fn what_an_earlier_check_left_stays_until_it_is_finished() {
        let mark = |path: &str, pending: &[&str]| Mark {
            path: path.into(),
            next: 7,
            pending: pending.iter().map(OsString::from).collect(),
            is_damaged: false,
        };
        let earlier = Checkpoint {
            dirs: vec![mark("", &["d", "e"]), mark("d", &["x"])],
            ..Checkpoint::default()
        };
        let ledger = Ledger::new(earlier.clone());
        assert_eq!(ledger.checkpoint(), earlier);
        let top = ledger.top();
        assert_eq!(top.open_dir(PathBuf::new()), earlier.dirs[0]);
        assert_eq!(ledger.checkpoint(), earlier);
        let dir = top.entry(OsStr::new("d"), 7);
        assert_eq!(dir.open_dir("d".into()), earlier.dirs[1]);
        assert_eq!(ledger.checkpoint(), earlier);
        drop(dir);
        assert_eq!(ledger.checkpoint().dirs, [mark("", &["e"])]);
    }
}
