//! The content of regular files: small ones as they come, large ones in ranges of blocks that
//! several threads take.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::finding::Damage;
use super::ledger::{Ticket, Totals};
use super::place::Spot;
use super::walk::{Walk, Worker};
use crate::format::BlockNo;
use crate::sys::{Errno, File, FileKey, OpenFlags, Stat};
use crate::vault::{BlockFault, Blocks, Content, Seen, Subject};

/// Blocks that one thread takes at a time: together about 16 MiB.
const AT_ONCE: u64 = 16 * 254;

/// A file that is checked in parts.
pub(super) struct LargeFile {
    /// Finished when the last part is, and in front of `spot`, so before the directory.
    pub(super) ticket: Ticket,
    pub(super) spot: Spot,
    pub(super) blocks: Blocks,
    ino: u64,
}

impl Walk<'_> {
    /// Checks a regular file.
    pub(super) fn file(&self, spot: Spot, ticket: Ticket, worker: &mut Worker) {
        let opened = open(&spot).and_then(|file| Ok((file.stat()?, file)));
        let (stat, file) = match opened {
            Ok(opened) => opened,
            Err(errno) => return self.trouble(&spot, &ticket, errno),
        };
        if !self.links.is_new(&stat) {
            return self.count_file(&ticket, 0);
        }
        let ino = stat.key.ino;
        self.attributes(Subject::Open(&file), |damage| {
            self.report(&spot, ino, damage, &ticket);
        });
        match self.vault.content_of(file, &stat) {
            Ok(Content::Blocks(blocks)) => {
                return self.content(spot, blocks, &stat, ticket, worker);
            }
            Ok(Content::Empty) => {}
            Ok(Content::Cut) => {
                let damage = Damage::HeaderCut { size: stat.size };
                self.report(&spot, ino, damage, &ticket);
            }
            Ok(Content::BadHeader(defect)) => {
                self.report(&spot, ino, Damage::Header(defect), &ticket);
            }
            Err(errno) => self.trouble(&spot, &ticket, errno),
        }
        self.progress.add_bytes(stat.size);
        self.count_file(&ticket, stat.size);
    }

    fn content(
        &self,
        spot: Spot,
        blocks: Blocks,
        stat: &Stat,
        ticket: Ticket,
        worker: &mut Worker,
    ) {
        let FileKey { ino, .. } = stat.key;
        if let Some(FileKey { ino: with, .. }) = self.links.clone_of(stat.key, blocks.id()) {
            self.report(&spot, ino, Damage::SharedId { with }, &ticket);
        }
        let count = blocks.count();
        let file = LargeFile {
            ticket,
            spot,
            blocks,
            ino,
        };
        if count <= AT_ONCE {
            self.verify(&file, 0..count, worker);
            self.count_file(&file.ticket, stat.size);
        } else {
            let file = Arc::new(file);
            self.hand_out(&file, AT_ONCE, worker);
            self.count_file(&file.ticket, 0);
        }
    }

    /// Checks a part of a large file.
    pub(super) fn part(
        &self,
        file: &LargeFile,
        blocks: Range<u64>,
        ticket: &Ticket,
        worker: &mut Worker,
    ) {
        let bytes = self.verify(file, blocks, worker);
        ticket.count(Totals {
            bytes,
            ..Totals::default()
        });
    }

    /// Verifies blocks; returns how many bytes they are.
    fn verify(&self, file: &LargeFile, blocks: Range<u64>, worker: &mut Worker) -> u64 {
        let mut run: Option<Damage> = None;
        let mut bytes = 0;
        // What was seen until it was stopped is reported all the same.
        let _ = file.blocks.verify(blocks, &mut worker.buf, |seen| {
            match seen {
                Seen::Bytes(more) => {
                    bytes += more;
                    self.progress.add_bytes(more);
                }
                Seen::Bad(no, fault) => {
                    if let Some(complete) = extend(&mut run, no, fault) {
                        self.report(&file.spot, file.ino, complete, &file.ticket);
                    }
                }
            }
            if self.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Some(last) = run {
            self.report(&file.spot, file.ino, last, &file.ticket);
        }
        bytes
    }
}

/// Opens a file without moving its access time, where that is allowed.
fn open(spot: &Spot) -> Result<File, Errno> {
    let open = |flags| {
        spot.place
            .dir
            .open_file(&spot.disk, OpenFlags::RDONLY | flags)
    };
    match open(OpenFlags::NOATIME) {
        Err(Errno::PERM) => open(OpenFlags::empty()),
        answer => answer,
    }
}

/// Makes a run of bad blocks longer, or begins a new one and hands the old one out.
fn extend(run: &mut Option<Damage>, no: BlockNo, fault: BlockFault) -> Option<Damage> {
    match (&mut *run, fault) {
        (Some(Damage::Blocks { last, defect, .. }), BlockFault::Corrupt(now))
            if *defect == now && last.next() == no =>
        {
            *last = no;
            return None;
        }
        (Some(Damage::BlocksUnreadable { last, errno, .. }), BlockFault::Unreadable(now))
            if *errno == now && last.next() == no =>
        {
            *last = no;
            return None;
        }
        _ => {}
    }
    let (first, last) = (no, no);
    run.replace(match fault {
        BlockFault::Corrupt(defect) => Damage::Blocks {
            first,
            last,
            defect,
        },
        BlockFault::Torn { rest } => Damage::BlockTorn { no, rest },
        BlockFault::Unreadable(errno) => Damage::BlocksUnreadable { first, last, errno },
    })
}
