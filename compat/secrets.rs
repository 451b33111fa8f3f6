//! What a running program keeps to itself: keys and passwords in memory, plain names in messages.

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use crate::support::wait;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Long enough not to be found by chance.
const PASSWORD: &str = "a password that stands in no other place 5f1c8a";

/// A volume with that password, and its master key in hex.
struct Locked {
    vault: Vault,
    key: String,
    _password: TempDir,
}

impl Locked {
    fn new(scryptn: &str) -> Self {
        let scratch = TempDir::new().unwrap();
        let passfile = scratch.path().join("password");
        fs::write(&passfile, PASSWORD).unwrap();
        let passfile = passfile.to_str().unwrap();
        let vault = Vault::empty(&["-passfile", passfile]);
        let ours = Program::ours();
        let dir = vault.dir.to_str().unwrap();
        let args = [
            "-init",
            "-q",
            "-scryptn",
            scryptn,
            "-passfile",
            passfile,
            dir,
        ];
        assert!(ours.run(&args).status.success());
        let mut xray = Command::new(env!("CARGO_BIN_EXE_gocryptfs-xray"))
            .args(["-dumpmasterkey", &format!("{dir}/gocryptfs.conf")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        xray.stdin
            .take()
            .unwrap()
            .write_all(PASSWORD.as_bytes())
            .unwrap();
        let key = xray.wait_with_output().unwrap().stdout;
        Self {
            vault,
            key: String::from_utf8(key).unwrap().trim().to_owned(),
            _password: scratch,
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// A number of kibibytes in the status of a process.
fn status(pid: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// All memory of a process that it can write to.
fn memory(pid: u32) -> Vec<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let read = |line: &str| {
        let (range, rights) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        let is_readable =
            rights.starts_with("rw") && memory.read_exact_at(&mut bytes, start).is_ok();
        is_readable.then_some(bytes)
    };
    maps.lines().filter_map(read).collect()
}

fn holds(memory: &[Vec<u8>], wanted: &[u8]) -> bool {
    let mut parts = memory.iter();
    parts.any(|part| part.windows(wanted.len()).any(|window| window == wanted))
}

#[test]
fn a_mount_keeps_neither_the_password_nor_the_master_key() {
    let Locked { vault, key, .. } = &Locked::new("10");
    let mount = Mount::new(&Program::ours(), vault, &[]);
    fs::write(
        mount.path().join("a name to be found"),
        b"somewhere in this content to be found",
    )
    .unwrap();
    let memory = memory(mount.pid());
    // what is sought is found where it is
    assert!(holds(&memory, b"content to be found"));
    assert!(!holds(&memory, PASSWORD.as_bytes()), "the password");
    assert_eq!(bytes(key).len(), 32);
    assert!(!holds(&memory, &bytes(key)), "the master key");
    assert!(!holds(&memory, key.as_bytes()), "the master key as text");
    mount.unmount();
}

#[test]
fn the_memory_for_scrypt_is_given_back() {
    const SCRYPT_KIB: u64 = 64 << 10;
    let Locked { vault, .. } = &Locked::new("16");
    let mount = Mount::new(&Program::ours(), vault, &[]);
    let [most, now] = ["VmHWM:", "VmRSS:"].map(|what| status(mount.pid(), what));
    assert!(most > SCRYPT_KIB, "{most} KiB at most");
    assert!(now < SCRYPT_KIB / 2, "{now} KiB now");
    mount.unmount();
}

#[test]
fn the_memory_of_a_mount_is_locked_and_never_dumped() {
    let Locked { vault, .. } = &Locked::new("10");
    let mount = Mount::new(&Program::ours(), vault, &[]);
    let pid = mount.pid();
    let locked = status(pid, "VmLck:");
    assert!(locked > 0, "nothing is locked");
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let mut lines = limits.lines();
    let cores = lines.find(|line| line.starts_with("Max core file size"));
    let cores: Vec<_> = cores.unwrap().split_whitespace().collect();
    assert_eq!(cores[4..6], ["0", "0"]);
    mount.unmount();
}

/// Files of a process that may not be traced belong to root, see proc(5).
#[test]
fn other_processes_of_the_user_cannot_read_the_memory() {
    if !rustix::process::geteuid().is_root() {
        return crate::support::skip::skip("the memory of a user's process", "needs root");
    }
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let scratch = TempDir::new().unwrap();
    let vault = scratch.path().join("vault");
    fs::create_dir(&vault).unwrap();
    for path in [scratch.path(), &vault] {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
    // readable for the user, wherever the tests were built
    let program = scratch.path().join("gocryptfs");
    fs::copy(Program::ours().path(), &program).unwrap();
    let mut waiting = Command::new("setpriv")
        .args(user)
        .arg(&program)
        .args([Path::new("-init"), &vault])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let memory = format!("/proc/{}/mem", waiting.id());
    let exe = format!("/proc/{}/exe", waiting.id());
    let is_closed = wait::until(|| {
        let is_ours = fs::read_link(&exe).is_ok_and(|exe| exe == program);
        (is_ours && fs::metadata(&memory).unwrap().uid() == 0).then_some(())
    });
    // at the end of its input it ends
    drop(waiting.stdin.take());
    waiting.wait().unwrap();
    assert!(is_closed.is_some(), "the user can read its memory");
}

#[test]
fn warnings_carry_no_plain_name() {
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let mount = Mount::new(&ours, &vault, &[]);
    let root = mount.path();
    let hashed = "secret".repeat(40);
    fs::create_dir(root.join("secret dir")).unwrap();
    for name in ["secret file", "secret dir/secret inner", hashed.as_str()] {
        fs::write(root.join(name), b"content").unwrap();
    }
    std::os::unix::fs::symlink("secret target", root.join("secret link")).unwrap();
    mount.unmount();
    spoil(&vault.dir);
    let mount = Mount::new(&ours, &vault, &[]);
    let root = mount.path();
    let mut failures = 0;
    for name in ["secret file", "secret dir/secret inner", hashed.as_str()] {
        failures += usize::from(fs::read(root.join(name)).is_err());
    }
    failures += usize::from(fs::read_link(root.join("secret link")).is_err());
    failures += fs::read_dir(&root).unwrap().filter(Result::is_err).count();
    assert!(failures >= 3, "{failures} failures");
    let log = mount.unmount();
    assert!(log.contains("corrupt"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

/// Damages content, link targets and names in a directory and those below it.
fn spoil(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if kind.is_dir() {
            spoil(&path);
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            let target = target.to_str().unwrap().replace(['A', 'b', '3'], "x");
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(target, &path).unwrap();
        } else if !name.starts_with("gocryptfs.") {
            let file = File::options().write(true).open(&path).unwrap();
            let at = if Path::new(name).extension().is_some() {
                0
            } else {
                40
            };
            file.write_all_at(b"?", at).unwrap();
        }
    }
    fs::write(dir.join("AAAAAAAAAAAAAAAAAAAAAA"), b"").unwrap();
}
