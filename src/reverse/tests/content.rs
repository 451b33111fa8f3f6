//! What files, links and their attributes show.

use super::*;
use std::os::unix::fs::{MetadataExt, symlink};

const HELLO: &str = "000217993e8d3d4be69a9ca75cb10495cdf0400a90c02d8a19e3c9ce12be3fc647976c325e7623a86be706af90df4fe9d94bd3bab39386";

#[test]
fn files_and_links_have_the_bytes_of_the_vectors() {
    let plain = Plain::new();
    plain.write("a", "hello");
    plain.mkdir("sub");
    plain.write("sub/file", "sub");
    symlink("/tmp/target", plain.path("lnk")).unwrap();
    let view = plain.view();
    let a = top(&view, A);
    assert_eq!(hex(&content(&view, &a)), HELLO);
    assert_eq!(a.attr.stat.size, 55);
    let sub = top(&view, SUB);
    let file = look_up(&view, sub.node, "gxalsn-IS6Ar4QUMEk8EGQ").unwrap();
    let wanted = "0002ad2b92693fd21b12ca9935ad403608211b0999900b0a3279aba0206878bb61c8a230a965281bba80a7b71344377316f451e5c7";
    assert_eq!(hex(&content(&view, &file)), wanted);
    let link = top(&view, "fnG21uT11C61tR60bEwXag");
    let wanted = b"qaRucFVQdfIRoMkWufWkBZWDJpTCBuusMd8q9U8qQolIdb5b4TcBdsrJXg";
    assert_eq!(view.readlink(link.node).unwrap(), wanted);
    assert_eq!(link.attr.stat.size, wanted.len() as u64);
}

#[test]
fn plain_names_leave_targets_plain_too() {
    let plain = Plain::new();
    plain.write("a", "hello");
    symlink("/tmp/target", plain.path("lnk")).unwrap();
    let view = plain.view_with(PLAIN_NAMES, Options::default(), &[]);
    let wanted = "000299954cb800a93004c03c12d047eb184323a8a1caae5deb7efe995767f3babba5ba4612870b554efe7ba061d355b006bd0614c4dfb5";
    assert_eq!(hex(&content(&view, &top(&view, "a"))), wanted);
    let link = top(&view, "lnk");
    assert_eq!(view.readlink(link.node).unwrap(), b"/tmp/target");
    assert_eq!(link.attr.stat.size, 11);
}

#[test]
fn any_part_of_a_file_is_that_part_of_the_whole() {
    let plain = Plain::new();
    let mut seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| u64::from(now.subsec_nanos()));
    if let Ok(given) = std::env::var("SEED") {
        seed = given.parse().unwrap();
    }
    eprintln!("SEED={seed}");
    let mut below = |end: u64| {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (seed >> 33) % end
    };
    for size in [0, 1, 4095, 4096, 4097, 12_288, 50_001] {
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        plain.write("a", &bytes);
        let view = plain.view();
        let a = top(&view, A);
        let whole = content(&view, &a);
        assert_eq!(whole.len() as u64, a.attr.stat.size);
        assert_eq!(unsealed(&view, &whole), bytes);
        let handle = open(&view, &a);
        for _ in 0..200 {
            let at = below(whole.len() as u64 + 40);
            let len = usize::try_from(below(9000)).unwrap();
            let start = usize::try_from(at).unwrap().min(whole.len());
            let end = whole.len().min(start + len);
            assert_eq!(
                read(&view, handle, at, len),
                whole[start..end],
                "{at} {len}"
            );
        }
    }
}

#[test]
fn a_file_that_grew_ends_where_the_kernel_was_told() {
    let plain = Plain::new();
    plain.write("a", "hello");
    let view = plain.view();
    let a = top(&view, A);
    plain.write("a", "hello, world");
    assert_eq!(hex(&content(&view, &a)), HELLO);
    let handle = open(&view, &a);
    let attr = view.getattr(a.node, None).unwrap();
    assert_eq!(attr.stat.size, 62);
    assert_eq!(unsealed(&view, &content(&view, &a)), b"hello, world");
    assert_eq!(unsealed(&view, &read(&view, handle, 0, 100)), b"hello");
    let through = view.getattr(a.node, Some(handle)).unwrap();
    assert_eq!(through.stat.size, 55, "as long as the handle shows it");
}

#[test]
fn a_file_that_shrank_ends_early() {
    let plain = Plain::new();
    plain.write("a", "hello");
    let view = plain.view();
    let a = top(&view, A);
    let handle = open(&view, &a);
    plain.write("a", "hell");
    assert_eq!(unsealed(&view, &read(&view, handle, 0, 100)), b"hell");
    plain.write("a", "");
    assert_eq!(read(&view, handle, 0, 100), b"");
}

#[test]
fn what_took_the_place_of_a_file_is_not_opened() {
    let plain = Plain::new();
    plain.write("a", "hello");
    plain.write("secret", "secret");
    let view = plain.view();
    let a = top(&view, A);
    fs::rename(plain.path("a"), plain.path("kept")).unwrap();
    symlink("secret", plain.path("a")).unwrap();
    let refused = view.open(a.node, OpenFlags::RDONLY).unwrap_err();
    assert_eq!(refused.errno(), Errno::STALE);
    assert_eq!(
        view.getattr(a.node, None).unwrap_err().errno(),
        Errno::STALE
    );
    let link = top(&view, A);
    assert!(link.attr.stat.is_symlink());
    assert_ne!(link.node, a.node);
}

#[test]
fn the_path_that_was_looked_up_last_decides_for_a_file_with_two_names() {
    let plain = Plain::new();
    plain.write("a", "hello");
    fs::hard_link(plain.path("a"), plain.path("hard")).unwrap();
    let view = plain.view();
    let (hard, a) = (top(&view, "gJBxdfL1D7Zx0DMeUm1bHg"), top(&view, A));
    assert_eq!(hex(&content(&view, &hard)), HELLO);
    top(&view, "gJBxdfL1D7Zx0DMeUm1bHg");
    assert_eq!(hex(&content(&view, &a)), HELLO, "and stays");
    let inode = fs::metadata(plain.path("a")).unwrap().ino();
    assert_eq!((a.attr.ino, hard.attr.ino), (inode, inode));
    assert_eq!(a.node, hard.node);
    fs::remove_file(plain.path("hard")).unwrap();
    assert_eq!(hex(&content(&view, &a)), HELLO, "by the name that is left");
    assert_eq!(view.getattr(a.node, None).unwrap().stat.nlink, 1);
}

#[test]
fn in_the_newest_version_the_path_that_is_opened_first_decides() {
    let plain = Plain::new();
    plain.write("a", "hello");
    fs::hard_link(plain.path("a"), plain.path("hard")).unwrap();
    let newest = Options {
        newest: true,
        ..Options::default()
    };
    let view = plain.view_with(PARAMS, newest, &[]);
    let (a, hard) = (top(&view, A), top(&view, "gJBxdfL1D7Zx0DMeUm1bHg"));
    assert_ne!(a.node, hard.node);
    assert_eq!(hex(&content(&view, &a)), HELLO);
    fs::remove_file(plain.path("a")).unwrap();
    assert_eq!(hex(&content(&view, &hard)), HELLO, "for ever");
}

#[test]
fn a_copy_that_leaves_holes_out_opens() {
    let plain = Plain::new();
    plain.write("a", "");
    let file = fs::File::options()
        .write(true)
        .open(plain.path("a"))
        .unwrap();
    // Blocks: three in a hole, one of data, four in a hole, a part of one.
    std::os::unix::fs::FileExt::write_all_at(&file, b"data", 3 * 4096 + 100).unwrap();
    file.set_len(8 * 4096 + 7).unwrap();
    let view = plain.view();
    let a = top(&view, A);
    let handle = open(&view, &a);
    let start = |block: u64| 18 + block * 4128;
    let seek = |at, what| view.seek(handle, PlainOffset(at), what).map(|at| at.0);
    let data = |at| seek(at, Seek::Data).unwrap();
    let hole = |at| seek(at, Seek::Hole).unwrap();
    assert_eq!((data(0), data(17), data(18)), (0, 17, start(3)));
    assert_eq!((hole(0), hole(18), hole(5000)), (18, 18, 5000));
    assert_eq!(
        (data(start(3) + 9), hole(start(3) + 9)),
        (start(3) + 9, start(4))
    );
    assert_eq!(
        (data(start(4)), hole(start(8))),
        (start(8), a.attr.stat.size)
    );
    let end = seek(a.attr.stat.size, Seek::Data).unwrap_err();
    assert_eq!(end.errno(), Errno::NXIO);
    let mut copy = content(&view, &a);
    let mut at = 0;
    while at < copy.len() as u64 {
        let gap = hole(at);
        at = seek(gap, Seek::Data).unwrap_or(copy.len() as u64);
        let range = usize::try_from(gap).unwrap()..usize::try_from(at).unwrap();
        copy[range].fill(0);
    }
    assert_eq!(unsealed(&view, &copy).len(), 8 * 4096 + 7);
    assert_eq!(copy[18..18 + 3 * 4128], [0; 3 * 4128], "left out");
}

#[test]
fn virtual_files_are_read_from_anywhere() {
    let plain = Plain::new();
    let view = plain.view();
    let iv = top(&view, "gocryptfs.diriv");
    let whole = content(&view, &iv);
    assert_eq!(hex(&whole), "a8f7bac432ddc1cb3dc74e684d6ae48b");
    let handle = open(&view, &iv);
    assert_eq!(read(&view, handle, 3, 5), whole[3..8]);
    assert_eq!(read(&view, handle, 10, 100), whole[10..]);
    assert_eq!(read(&view, handle, 16, 1), b"");
    assert_eq!(read(&view, handle, u64::MAX, 1), b"");
}
