//! What lies between the rows of the table: holes, mappings, links, handles that were open before,
//! files that are reserved, huge, or elsewhere.

use super::{BLOCK, Ground, SHARING, Space, WHOLE, bytes, copy, copy_in_pieces, run};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::skip::skip;
use crate::support::vault::Vault;
use rustix::fs::{FallocateFlags, SeekFrom, copy_file_range, fallocate, fstatvfs, seek, syncfs};
use rustix::io::Errno;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::Instant;

fn holes(ground: &Ground) {
    let source = ground.open("holes");
    for at in [0, 1 << 20, 5 << 20, 15 << 20] {
        source.write_all_at(&bytes(5, 200_000), at).unwrap();
    }
    source.set_len((20 << 20) + 5).unwrap();
    source.sync_all().unwrap();
    let target = ground.open("copied holes");
    assert_eq!(copy(&source, &target, 0, 0, WHOLE), Ok((20 << 20) + 5));
    assert!(ground.read("holes") == ground.read("copied holes"));
    let Space { own, shared } = ground.space_of("copied holes");
    assert!(own == 0 && shared < 2 << 20, "{own} own, {shared} shared");
    // where the source has holes, the target gets them
    let target = ground.open("emptied");
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    target.write_all_at(&bytes(6, 20 << 20), 0).unwrap();
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    assert!(ground.read("holes") == ground.read("emptied"));
    assert!(ground.space_of("emptied").own < 4 * BLOCK);
}

pub(super) fn one_file(ground: &Ground) {
    let content = bytes(8, 300_000);
    let file = ground.write("one", &content);
    fs::hard_link(ground.join("one"), ground.join("same")).unwrap();
    let same = ground.open("same");
    for other in [&file, &same] {
        assert_eq!(copy(&file, other, 0, 0, WHOLE), Err(Errno::INVAL));
        assert_eq!(copy(&file, other, 0, 4096, 8192), Err(Errno::INVAL));
        assert_eq!(copy(&file, other, 0, 300_000, 300_000), Ok(300_000));
        assert!(ground.read("one") == [&content[..], &content].concat());
        file.set_len(300_000).unwrap();
    }
    let appending = File::options().append(true).open(ground.join("one"));
    assert_eq!(copy(&file, &appending.unwrap(), 0, 0, 1), Err(Errno::BADF));
    let empty = ground.open("empty");
    assert_eq!(copy(&empty, &file, 0, 0, WHOLE), Ok(0));
    assert_eq!(copy(&file, &empty, 300_000, 0, WHOLE), Ok(0));
}

/// Handles that were open before the target took another ID, and files without a name.
pub(super) fn open_handles(ground: &Ground) {
    let content = bytes(9, 300_000);
    let source = ground.write("handles", &content);
    let (before, target) = (ground.open("handle"), ground.open("handle"));
    before.write_all_at(b"another ID", 0).unwrap();
    copy(&source, &target, 0, 0, WHOLE).unwrap();
    before
        .write_all_at(b"through the old handle", 100_000)
        .unwrap();
    let mut wanted = content.clone();
    wanted[100_000..100_022].copy_from_slice(b"through the old handle");
    assert!(ground.read("handle") == wanted);
    assert!(ground.read("handles") == content);

    let unlinked = ground.open("unlinked");
    fs::remove_file(ground.join("unlinked")).unwrap();
    copy(&source, &unlinked, 0, 0, WHOLE).unwrap();
    let mut found = vec![0; content.len()];
    unlinked.read_exact_at(&mut found, 0).unwrap();
    assert!(found == content);
    fs::remove_file(ground.join("handles")).unwrap();
    copy(&source, &ground.open("from unlinked"), 0, 0, WHOLE).unwrap();
    assert!(ground.read("from unlinked") == content);
}

/// A target with two names is one file.
fn two_names(ground: &Ground) {
    let content = bytes(4, 300_000);
    let source = ground.write("names", &content);
    ground.write("one name", &bytes(5, 1000));
    fs::hard_link(ground.join("one name"), ground.join("another name")).unwrap();
    let reader = ground.open("another name");
    assert!(ground.read("another name") == bytes(5, 1000));
    copy(&source, &ground.open("one name"), 0, 0, WHOLE).unwrap();
    let mut found = vec![0; content.len()];
    reader.read_exact_at(&mut found, 0).unwrap();
    assert!(found == content && ground.read("another name") == content);
    assert_eq!(ground.space_of("another name").own, 0);
}

/// What is stored through a mapping before the copy is copied, what comes later is not; and what
/// is mapped of the target is new.
fn mapped(ground: &Ground) {
    const SCRIPT: &str = "
import mmap, os, sys
source, target = [os.open(path, os.O_RDWR) for path in sys.argv[1:]]
seen, written = [mmap.mmap(file, 300000) for file in (target, source)]
assert seen[100000:100006] != b'mapped'
written[100000:100006] = b'mapped'
at = 0
while at < 300000:
    at += os.copy_file_range(source, target, 1 << 30, at, at)
assert seen[100000:100006] == b'mapped'
written[0:5] = b'later'
seen[200000:200003] = b'own'
";
    let mut content = bytes(6, 300_000);
    ground.write("mapped", &content);
    ground.write("copied", &bytes(7, 300_000));
    let mut python = Command::new("python3");
    let script = python.args(["-c", SCRIPT]);
    let script = script.args(["mapped", "copied"].map(|name| ground.join(name)));
    let Ok(status) = script.status() else {
        return skip("mapped files", "there is no python3");
    };
    assert!(status.success());
    content[100_000..100_006].copy_from_slice(b"mapped");
    let mut copied = content.clone();
    copied[200_000..200_003].copy_from_slice(b"own");
    content[..5].copy_from_slice(b"later");
    assert!(ground.read("mapped") == content && ground.read("copied") == copied);
    assert!(ground.space_of("copied").shared > 200_000);
}

/// What is reserved and was never written is a hole in the copy.
fn reserved(ground: &Ground) {
    let source = ground.write("reserved", &bytes(2, 200_000));
    fallocate(&source, FallocateFlags::KEEP_SIZE, 0, 1 << 20).unwrap();
    fallocate(&source, FallocateFlags::empty(), 0, 500_001).unwrap();
    source.sync_all().unwrap();
    let target = ground.open("not reserved");
    assert_eq!(copy(&source, &target, 0, 0, WHOLE), Ok(500_001));
    assert!(ground.read("reserved") == ground.read("not reserved"));
    assert!(ground.space_of("not reserved").shared >= 200_000);
}

/// As newer versions of cp do: a request for each piece of data, the first one far behind the
/// beginning, and the size in the end.
fn by_segments(ground: &Ground) {
    let size = (3 << 20) + 77;
    let source = ground.open("segments");
    for at in [300_000, 1 << 20, (2 << 20) + 12_345] {
        source.write_all_at(&bytes(3, 200_000), at).unwrap();
    }
    source.set_len(size).unwrap();
    source.sync_all().unwrap();
    let target = ground.open("copied segments");
    let mut end = 0;
    while let Ok(start) = seek(&source, SeekFrom::Data(end)) {
        end = seek(&source, SeekFrom::Hole(start)).unwrap();
        assert_eq!(
            copy(&source, &target, start, start, end - start),
            Ok(end - start)
        );
    }
    target.set_len(size).unwrap();
    assert!(ground.read("segments") == ground.read("copied segments"));
    // what XFS reserved behind an end that has moved on since is not shared
    let Space { shared, .. } = ground.space_of("copied segments");
    assert!(shared >= 600_000, "{shared} shared");
}

/// Between two vaults nothing is shared, whatever the kernel does about such a copy.
fn other_vault(ground: &Ground) {
    let content = bytes(8, 300_000);
    let source = ground.write("abroad", &content);
    let ours = Program::ours();
    let vault = Vault::new_in(
        &ground.disk.path(),
        &ours,
        super::features("plaintextnames"),
    );
    let mount = Mount::new(&ours, &vault, &[]);
    let target = File::create(mount.path().join("abroad")).unwrap();
    match copy(&source, &target, 0, 0, WHOLE) {
        Err(Errno::XDEV) => {}
        copied => assert_eq!(copied, Ok(300_000)),
    }
    drop(target);
    fs::copy(ground.join("abroad"), mount.path().join("abroad")).unwrap();
    assert!(fs::read(mount.path().join("abroad")).unwrap() == content);
    assert_eq!(
        super::space(&vault.dir.join("abroad"), 0..u64::MAX).shared,
        0
    );
    mount.unmount();
}

/// What is said in docs/reflink.md about making a clone independent again.
fn unshared(ground: &Ground) {
    let source = ground.write("parent", &bytes(9, 300_000));
    copy(&source, &ground.open("child"), 0, 0, WHOLE).unwrap();
    let [child, single] = ["child", "single"].map(|name| ground.join(name));
    let mut cp = Command::new("cp");
    let done = cp.arg("--reflink=never").args([&child, &single]).status();
    assert!(done.unwrap().success());
    fs::rename(single, child).unwrap();
    let id = |name| fs::read(ground.vault.dir.join(name)).unwrap()[..18].to_vec();
    assert_eq!(ground.space_of("child").shared, 0);
    assert_ne!(id("parent"), id("child"));
}

/// The kernel cannot interrupt a request, so none takes long.
fn slices(ground: &Ground) {
    const GIB: usize = 1 << 30;
    let source = ground.open("slices");
    source.set_len(GIB as u64).unwrap();
    let target = ground.open("copied slices");
    let copied = copy_file_range(&source, Some(&mut 0), &target, Some(&mut 0), GIB).unwrap();
    assert!(copied > 0 && copied < GIB, "{copied} at once");
    copy_in_pieces(&source, &target, WHOLE);
    assert_eq!(target.metadata().unwrap().len(), GIB as u64);
}

#[test]
fn odd_files_are_copied_right() {
    for kind in SHARING {
        run(kind, "odd copies", |ground| {
            holes(ground);
            one_file(ground);
            open_handles(ground);
            two_names(ground);
            mapped(ground);
            reserved(ground);
            by_segments(ground);
            other_vault(ground);
            unshared(ground);
        });
        // too large to be read whole
        if let Some(ground) = Ground::plain(kind, "slices") {
            slices(&ground);
        }
    }
}

#[test]
fn a_copy_of_a_large_file_takes_next_to_no_space() {
    const SIZE: usize = 100 << 20;
    for kind in SHARING {
        run(kind, "a large copy", |ground| {
            let source = ground.write("large", &bytes(1, SIZE));
            let free = || {
                let disk = File::open(ground.disk.path()).unwrap();
                syncfs(&disk).unwrap();
                let found = fstatvfs(&disk).unwrap();
                found.f_bfree * found.f_frsize
            };
            let before = free();
            let start = Instant::now();
            copy(&source, &ground.open("copy"), 0, 0, WHOLE).unwrap();
            let time = start.elapsed();
            let taken = before.saturating_sub(free());
            eprintln!("100 MiB on {kind:?}: {time:?}, {taken} bytes of new space");
            assert!(taken < 1 << 20, "{taken} bytes of new space");
        });
    }
}
