//! What has been done and what has not, so that a check can be interrupted and continued.
//!
//! A directory or large file that has been begun has a record: how far it was handed out as work,
//! and which of that work is not finished. What is in no record is either finished or not begun,
//! which follows from the position in the record of what holds it. Finishing is told by dropping
//! a [`Ticket`]; when the last piece of work in a directory is finished, so is the directory.
//!
//! Invariant: a [`Checkpoint`] is consistent. Its totals count exactly what will not be done
//! again.

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
}

/// The book that is kept during one check.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    /// From now on nothing counts as finished.
    is_closed: bool,
    /// The number of the last page that was begun.
    last: u64,
    dirs: Pages<OsString>,
    files: Pages<(u64, u64)>,
    totals: Totals,
}

type Pages<W> = HashMap<u64, Mark<BTreeSet<W>>>;

fn marks<W: Clone>(pages: &Pages<W>) -> Vec<Mark<Vec<W>>> {
    let mut marks: Vec<_> = pages
        .values()
        .map(|page| Mark {
            path: page.path.clone(),
            next: page.next,
            pending: page.pending.iter().cloned().collect(),
        })
        .collect();
    marks.sort_by(|one, other| one.path.cmp(&other.path));
    marks
}

impl Ledger {
    /// A book that goes on from these totals.
    pub(super) fn new(totals: Totals) -> Arc<Ledger> {
        Arc::new(Ledger(Mutex::new(Book {
            totals,
            ..Book::default()
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
            dirs: marks(&book.dirs),
            files: marks(&book.files),
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
    }

    /// Counts the object as one that nobody could look at, once.
    pub(super) fn mark_skipped(&self) {
        self.counts.lock().skipped = 1;
    }

    /// Takes a directory apart; the work before `next` has been handed out already.
    pub(super) fn open_dir(&self, path: PathBuf, next: u64) {
        self.open(|book| &mut book.dirs, path, next);
    }

    /// Takes a large file apart; the work before `next` has been handed out already.
    pub(super) fn open_file(&self, path: PathBuf, next: u64) {
        self.open(|book| &mut book.files, path, next);
    }

    fn open<W>(&self, pages: impl FnOnce(&mut Book) -> &mut Pages<W>, path: PathBuf, next: u64) {
        let mut book = self.ledger.0.lock();
        book.last += 1;
        self.page.store(book.last, Ordering::Relaxed);
        let id = book.last;
        let page = Mark {
            path,
            next,
            pending: BTreeSet::new(),
        };
        pages(&mut book).insert(id, page);
    }

    /// Hands out an entry of this directory; the listing goes on at `next`.
    pub(super) fn entry(&self, name: &OsStr, next: u64) -> Ticket {
        let page = self.page.load(Ordering::Relaxed);
        let mut book = self.ledger.0.lock();
        if let Some(page) = book.dirs.get_mut(&page) {
            page.next = next;
            page.pending.insert(name.to_owned());
        }
        let work = Work::Entry(name.to_owned());
        self.ledger.ticket(Some((page, work)))
    }

    /// Hands out blocks of this large file; the blocks from `next` on are left.
    pub(super) fn blocks(&self, range: (u64, u64), next: u64) -> Ticket {
        let page = self.page.load(Ordering::Relaxed);
        let mut book = self.ledger.0.lock();
        if let Some(page) = book.files.get_mut(&page) {
            page.next = next;
            page.pending.insert(range);
        }
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
        match self.page.load(Ordering::Relaxed) {
            NO_PAGE => {}
            page => {
                book.dirs.remove(&page);
                book.files.remove(&page);
            }
        }
        match &self.work {
            Some((page, Work::Entry(name))) => finish(&mut book.dirs, *page, name.as_os_str()),
            Some((page, Work::Blocks(range))) => finish(&mut book.files, *page, range),
            None => {}
        }
    }
}

fn finish<W: Ord + Borrow<Q>, Q: Ord + ?Sized>(pages: &mut Pages<W>, page: u64, work: &Q) {
    if let Some(page) = pages.get_mut(&page) {
        page.pending.remove(work);
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
        let ledger = Ledger::new(Totals::default());
        let top = ledger.top();
        top.open_dir(PathBuf::new(), 0);
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
        let ledger = Ledger::new(Totals::default());
        let top = ledger.top();
        top.open_dir(PathBuf::new(), 0);
        let dir = top.entry(OsStr::new("d"), 5);
        dir.open_dir("d".into(), 0);
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
        let ledger = Ledger::new(one_file());
        let top = ledger.top();
        top.open_file("f".into(), 0);
        let range = top.blocks((0, 8), 8);
        ledger.close();
        let before = ledger.checkpoint();
        drop(range);
        drop(top);
        assert_eq!(ledger.checkpoint(), before);
        assert_eq!(before.files[0].pending, [(0, 8)]);
        assert_eq!(before.totals, one_file());
    }
}
