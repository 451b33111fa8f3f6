//! Changes of the password that are cut short or fail: the volume opens, with the old wrapping of
//! its key or the new one, and the next change is not in anybody's way.

use super::{LATER, MENDED, findings, is_whole};
use crate::support::program::{PASSWORD, Program, said};
use crate::support::tracer::{Plan, Seen, Tracer};
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};

/// Waits to be watched before it becomes the program.
const STOPPED: &[&str] = &["sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"];
/// Without `WHOLE`, every so many calls one is cut or fails.
const ONE_OF: usize = 4;

fn is_stopped(child: &Child) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

/// Gives the volume its password anew.
fn change(vault: &Vault, plan: Plan) -> Seen {
    let mut command: Command = Program::ours().behind(STOPPED).command();
    let mut child = command
        .args(["-passwd", "-q", "-nosyslog"])
        .arg(&vault.dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(&PASSWORD.repeat(2));
    wait::until(|| is_stopped(&child).then_some(())).unwrap();
    let tracer = Tracer::attach(child.id(), &vault.dir, plan);
    let seen = tracer.watch_to_the_end();
    // who watches a child of its own learns of its end instead of the parent
    let _ = child.wait();
    seen
}

fn complaints(vault: &Vault, before: &[u8], seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let conf = vault.dir.join("gocryptfs.conf");
    let is_changed = fs::read(&conf).unwrap() != before;
    if let Some(code) = seen.code
        && (code == 0) != is_changed
    {
        wrong.push(format!("exit code {code}, but changed: {is_changed}"));
    }
    let dir = vault.dir.to_str().unwrap();
    // 26: there is something to tidy up
    let opened = Program::built().run(&["fsck", dir]);
    let found = findings(vault);
    let is_sound = found.iter().all(|class| MENDED.contains(&&**class));
    if !(matches!(opened.status.code(), Some(0 | 26)) && is_sound) {
        wrong.push(said(&opened));
    }
    let again = Program::ours()
        .behind(LATER)
        .run(&["-passwd", "-q", "-nosyslog", dir]);
    if !again.status.success() {
        wrong.push(format!("the next change: {}", said(&again)));
    }
    let left = fs::read_dir(&vault.dir).unwrap().flatten();
    let left = left.map(|entry| entry.file_name().into_string().unwrap());
    let known = ["gocryptfs.conf", "gocryptfs.diriv"];
    wrong.extend(left.filter(|name| !known.contains(&&**name)));
    wrong
}

#[test]
fn a_password_change_that_is_cut_short_or_fails_locks_nobody_out() {
    let what = "password changes";
    let vault = Vault::new(&Program::ours(), &ALL_FEATURES[0]);
    let before = fs::read(vault.dir.join("gocryptfs.conf")).unwrap();
    let seen = change(&vault.copy(), Plan::Watch);
    assert_eq!(seen.code, Some(0));
    let changes = seen.calls.iter().filter(|call| call.changes).count();
    let cuts = (0..changes).map(Plan::Kill);
    let failures = (0..seen.calls.len()).flat_map(|nth| {
        let errnos = [libc::EIO, libc::ENOSPC, libc::EMFILE, libc::EINTR];
        errnos.map(|errno| Plan::Fail(nth, errno))
    });
    let (mut tried, mut wrong) = (0, Vec::new());
    for (place, plan) in cuts.chain(failures).enumerate() {
        if !is_whole() && place % ONE_OF != 0 {
            continue;
        }
        let vault = vault.copy();
        let seen = change(&vault, plan);
        let Some(hit) = &seen.hit else {
            continue;
        };
        tried += 1;
        let found = complaints(&vault, &before, &seen);
        if !found.is_empty() {
            wrong.push(format!("{plan:?}: {}: {}", hit.name, found.join("; ")));
        }
    }
    eprintln!("{what}: {tried} cuts and faults, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
