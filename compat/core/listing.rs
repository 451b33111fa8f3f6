//! Reading directories in pieces, while they change.

use super::{CALLER, Fs, ROOT, errno, long};
use gocryptfs_rs::format::NameParams;
use gocryptfs_rs::vfs::{DirEntry, Handle, Vfs};
use rustix::io::Errno;

const COUNT: usize = 300;

fn crowded() -> Fs {
    let fs = Fs::new();
    for n in 0..COUNT {
        let name = if n % 3 == 0 {
            long("n") + &n.to_string()
        } else {
            n.to_string()
        };
        fs.mkdir(ROOT, &name).unwrap();
    }
    fs
}

/// At most `room` entries from `offset` on.
fn some(fs: &Fs, handle: Handle, offset: u64, room: usize) -> Vec<DirEntry> {
    let mut found = Vec::new();
    let read = fs.view.readdir(handle, offset, &mut |entry| {
        let taken = found.len() < room;
        if taken {
            found.push(entry.clone());
        }
        taken
    });
    read.unwrap();
    found
}

#[test]
fn a_directory_is_read_in_pieces_of_any_size() {
    let fs = crowded();
    for room in [1, 7, 1000] {
        let handle = fs.view.opendir(ROOT).unwrap();
        let (mut names, mut next) = (Vec::new(), 0);
        loop {
            let piece = some(&fs, handle, next, room);
            let Some(last) = piece.last() else { break };
            next = last.next;
            names.extend(piece.into_iter().map(|entry| entry.name));
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), COUNT + 2, "{room} at a time");
        fs.view.releasedir(handle);
    }
}

#[test]
fn reading_goes_on_at_any_earlier_entry() {
    let fs = crowded();
    let handle = fs.view.opendir(ROOT).unwrap();
    let all = some(&fs, handle, 0, usize::MAX);
    for at in [0, 1, 150, COUNT, 20] {
        let rest = some(&fs, handle, all[at].next, usize::MAX);
        let names =
            |entries: &[DirEntry]| entries.iter().map(|e| e.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&rest), names(&all[at + 1..]));
    }
}

#[test]
fn a_rewound_directory_shows_what_has_changed() {
    let fs = Fs::new();
    fs.mkdir(ROOT, "old").unwrap();
    let handle = fs.view.opendir(ROOT).unwrap();
    assert_eq!(some(&fs, handle, 0, 100).len(), 3);
    fs.view.rmdir(ROOT, "old".as_ref()).unwrap();
    fs.mkdir(ROOT, &long("n")).unwrap();
    fs.mkdir(ROOT, "m").unwrap();
    assert_eq!(some(&fs, handle, 0, 100).len(), 4);
}

#[test]
fn what_stays_is_listed_once_while_the_rest_comes_and_goes() {
    let fs = crowded();
    let handle = fs.view.opendir(ROOT).unwrap();
    let (mut names, mut next) = (Vec::new(), 0);
    for n in 0.. {
        let piece = some(&fs, handle, next, 10);
        let Some(last) = piece.last() else { break };
        next = last.next;
        names.extend(piece.into_iter().map(|entry| entry.name));
        let passing = format!("passing {}", n % 3);
        fs.mkdir(ROOT, &passing).unwrap();
        fs.view.rmdir(ROOT, passing.as_ref()).unwrap();
    }
    names.retain(|name| !name.to_str().unwrap().starts_with("passing"));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), count), (COUNT + 2, COUNT + 2));
}

#[test]
fn entries_come_with_attributes_that_count_as_lookups() {
    let fs = Fs::new();
    let file = fs.file(ROOT, &long("f"), b"content");
    let link = fs
        .view
        .symlink(CALLER, ROOT, "link".as_ref(), "target".as_ref());
    let link = link.unwrap().node;
    let handle = fs.view.opendir(ROOT).unwrap();
    let mut found = Vec::new();
    let read = fs.view.readdirplus(handle, 0, &mut |(entry, with)| {
        found.push((entry.name.clone(), *with));
        true
    });
    read.unwrap();
    found.retain(|(name, _)| name != "." && name != "..");
    found.sort_by_key(|(_, with)| with.attr.stat.size);
    let nodes: Vec<_> = found.iter().map(|(_, with)| with.node).collect();
    assert_eq!(nodes, [link, file]);
    assert_eq!(found[1].1.attr.stat.size, 7);
    // One lookup by this listing, one by whoever made it.
    fs.view.forget(file, 1);
    assert_eq!(fs.content(file).unwrap(), b"content");
    fs.view.forget(file, 1);
    assert_eq!(errno(fs.view.getattr(file, None)).err(), Some(Errno::NOENT));
}

#[test]
fn a_removed_directory_is_empty_and_has_attributes_still() {
    let fs = Fs::new();
    let dir = fs.mkdir(ROOT, "d").unwrap();
    let handle = fs.view.opendir(dir).unwrap();
    fs.view.rmdir(ROOT, "d".as_ref()).unwrap();
    assert!(some(&fs, handle, 0, 10).is_empty());
    fs.view.fsyncdir(handle, false).unwrap();
    let stat = fs.view.getattr(dir, None).unwrap().stat;
    assert!(stat.is_dir() && stat.nlink == 0, "{stat:?}");
    assert_eq!(fs.mkdir(dir, "x").unwrap_err(), Errno::NOENT);
    assert_eq!(fs.lookup(dir, "x").unwrap_err(), Errno::NOENT);
}

#[test]
fn plain_names_are_listed_as_they_are() {
    let fs = Fs::with(NameParams::Plain);
    let all = [
        "gocryptfs.diriv",
        "gocryptfs.diriv.mkdir.1",
        "gocryptfs.longname.x.name",
    ];
    for name in all {
        fs.file(ROOT, name, b"mine");
    }
    assert_eq!(fs.names(ROOT).unwrap(), all);
    let dir = fs.mkdir(ROOT, "dir").unwrap();
    fs.file(dir, all[1], b"mine");
    assert_eq!(
        errno(fs.view.rmdir(ROOT, "dir".as_ref())),
        Err(Errno::NOTEMPTY)
    );
}
