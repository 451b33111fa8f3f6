//! Plain files and directories that somebody changes at the same time.

use super::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::os::unix::fs::{FileExt, symlink};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// How often each test looks.
const TRIES: usize = 3000;

/// Runs `change` again and again while `look` looks.
fn meanwhile(change: impl Fn() + Sync, look: impl Fn()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                change();
            }
        });
        // Also when it panics, or the other thread would go on for ever.
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..TRIES {
                look();
            }
        }));
        is_over.store(true, Ordering::Relaxed);
        looked.unwrap();
    });
}

#[test]
fn a_block_that_is_rewritten_shows_as_it_was_or_as_it_is() {
    let plain = Plain::new();
    let states = [[b'1'; 4096], [b'2'; 4096]];
    plain.write("a", [states[0], states[1]].concat());
    let view = plain.view();
    let handle = open(&view, &top(&view, A));
    let file = fs::File::options().write(true).open(plain.path("a"));
    let file = file.unwrap();
    let shown = AtomicUsize::new(0);
    meanwhile(
        || {
            for (state, other) in [(0, 1), (1, 0)] {
                file.write_all_at(&states[state], 0).unwrap();
                file.write_all_at(&states[other], 4096).unwrap();
            }
        },
        || {
            let mut buf = Vec::new();
            let sealed = match view.read(handle, PlainOffset(0), 100_000, &mut buf) {
                // The writer was quicker each time: an answer too, if not the only one.
                Err(Error::Os(Errno::AGAIN)) => return,
                sealed => sealed.unwrap(),
            };
            shown.fetch_add(1, Ordering::Relaxed);
            let found = unsealed(&view, sealed);
            let (blocks, rest) = found.as_chunks::<4096>();
            assert_eq!((blocks.len(), rest.len()), (2, 0));
            for block in blocks {
                assert!(states.contains(block), "a block that never was");
            }
        },
    );
    assert!(shown.into_inner() > 0, "no answer but EAGAIN");
}

fn exchange(plain: &Plain, one: &str, other: &str) {
    let [one, other] = [one, other].map(|name| plain.path(name));
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

/// Whether anything that the name leads to shows the secret.
fn shows(view: &Reverse, parent: NodeId, name: &OsStr, secret: &[u8]) -> bool {
    let Ok(entry) = look_up(view, parent, name) else {
        return false;
    };
    let Ok(opened) = view.open(entry.node, OpenFlags::RDONLY) else {
        return false;
    };
    let content = read(view, opened.handle, 0, 1000);
    view.release(opened.handle);
    unsealed(view, &content) == secret
}

#[test]
fn a_link_that_takes_the_place_of_a_file_is_never_followed() {
    let plain = Plain::new();
    let outside = Plain::new();
    outside.write("secret", "secret");
    plain.write("a", "hello");
    symlink(outside.path("secret"), plain.path("link")).unwrap();
    let view = plain.view();
    meanwhile(
        || exchange(&plain, "a", "link"),
        || {
            assert!(!shows(&view, NodeId::ROOT, OsStr::new(A), b"secret"));
        },
    );
}

#[test]
fn a_link_that_takes_the_place_of_a_directory_is_never_followed() {
    let plain = Plain::new();
    let outside = Plain::new();
    outside.write("file", "secret");
    plain.mkdir("sub");
    plain.write("sub/file", "hello");
    symlink(outside.0.path(), plain.path("link")).unwrap();
    meanwhile(
        || exchange(&plain, "sub", "link"),
        || {
            // A view that has opened no directory yet.
            let view = plain.view();
            if let Ok(sub) = look_up(&view, NodeId::ROOT, SUB) {
                let name = OsStr::new("gxalsn-IS6Ar4QUMEk8EGQ");
                assert!(!shows(&view, sub.node, name, b"secret"));
            }
        },
    );
}
