//! Damaged vaults: an error for the damaged item alone, one warning that names it, and everything
//! else stays usable.

use super::Session;
use crate::golden::volumes;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::random::Random;
use crate::support::tree::pattern;
use crate::support::vault::{ALL_FEATURES, Vault};
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lsetxattr};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

const EIO: Option<i32> = Some(5);
const HEADER: u64 = 18;
const CIPHER_BLOCK: u64 = 4128;

/// A file of `len` bytes, changed on disk by `damage` before the mount sees it again.
fn damaged(len: usize, damage: impl Fn(&File)) -> Session {
    let session = Session::new();
    fs::write(session.join("good"), "good").unwrap();
    let good = session.the_encrypted();
    fs::write(session.join("bad"), pattern(len)).unwrap();
    let stored = session.encrypted().into_iter().find(|path| *path != good);
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .open(stored.unwrap())
        .unwrap();
    damage(&file);
    let session = session.again(&[]);
    assert_eq!(fs::read(session.join("good")).unwrap(), b"good");
    session
}

fn flip(file: &File, at: u64) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[!byte[0]], at).unwrap();
}

fn open(session: &Session) -> File {
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .open(session.join("bad"))
        .unwrap()
}

fn read_error(file: &File, at: u64) -> Option<i32> {
    let mut byte = [0];
    file.read_at(&mut byte, at).err()?.raw_os_error()
}

#[test]
fn a_damaged_block_leaves_the_others_readable() {
    let session = damaged(20_000, |file| flip(file, HEADER + 2 * CIPHER_BLOCK + 100));
    let file = open(&session);
    // the kernel reads ahead: what is asked for in one request fails in one
    assert_eq!(read_error(&file, 8192), EIO);
    assert_eq!(read_error(&file, 12_287), EIO);
    let mut block = [0; 4096];
    file.read_exact_at(&mut block, 12_288).unwrap();
    assert!(block == pattern(20_000)[12_288..16_384]);
    file.read_exact_at(&mut block, 0).unwrap();
    assert!(block == pattern(20_000)[..4096]);
    drop(file);
    let log = session.mount.unmount();
    assert!(log.contains("corrupt block #2"), "{log}");
}

#[test]
fn a_damaged_block_can_be_overwritten_but_only_as_a_whole() {
    let session = damaged(20_000, |file| flip(file, HEADER + 2 * CIPHER_BLOCK));
    let file = open(&session);
    let partial = file.write_at(b"x", 9000);
    assert_eq!(partial.unwrap_err().raw_os_error(), EIO);
    file.write_all_at(&pattern(20_000)[8192..12_288], 8192)
        .unwrap();
    drop(file);
    assert!(fs::read(session.join("bad")).unwrap() == pattern(20_000));
}

#[test]
fn a_block_moved_elsewhere_is_not_accepted() {
    let session = damaged(20_000, |file| {
        let mut block = vec![0; 4128];
        file.read_exact_at(&mut block, HEADER).unwrap();
        file.write_all_at(&block, HEADER + CIPHER_BLOCK).unwrap();
    });
    assert_eq!(read_error(&open(&session), 4096), EIO);
}

#[test]
fn a_file_with_a_damaged_header_is_neither_read_nor_written() {
    for header in [[0; 18], [3; 18], *b"\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        let session = damaged(20_000, |file| file.write_all_at(&header, 0).unwrap());
        let file = open(&session);
        assert_eq!(file.metadata().unwrap().len(), 20_000);
        assert_eq!(read_error(&file, 0), EIO);
        assert_eq!(file.write_at(b"x", 0).unwrap_err().raw_os_error(), EIO);
        drop(file);
        let log = session.mount.unmount();
        assert!(log.contains("corrupt header"), "{log}");
    }
}

#[test]
fn a_file_with_less_than_a_block_is_empty_and_can_be_written() {
    for len in [1, 17, 18] {
        let session = damaged(5000, |file| file.set_len(len).unwrap());
        let file = open(&session);
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert_eq!(read_error(&file, 0), None);
        file.write_all_at(b"new", 0).unwrap();
        drop(file);
        let session = session.again(&[]);
        assert_eq!(fs::read(session.join("bad")).unwrap(), b"new");
    }
}

#[test]
fn an_incomplete_last_block_counts_as_one_byte() {
    for len in [1, 15, 32] {
        let session = damaged(8192, |file| {
            file.set_len(HEADER + CIPHER_BLOCK + len).unwrap();
        });
        let file = open(&session);
        assert_eq!(file.metadata().unwrap().len(), 4097);
        assert_eq!(read_error(&file, 4096), EIO);
    }
}

#[test]
fn zeros_are_a_hole_only_as_a_full_block() {
    let session = damaged(5000, |file| {
        file.write_all_at(&[0; 4128], HEADER).unwrap();
        file.write_all_at(&[0; 936], HEADER + CIPHER_BLOCK).unwrap();
    });
    let file = open(&session);
    let mut block = [1; 4096];
    file.read_exact_at(&mut block, 0).unwrap();
    assert!(block == [0; 4096]);
    assert_eq!(read_error(&file, 4096), EIO);
}

#[test]
fn a_directory_without_its_iv_is_an_error_of_its_own() {
    for content in [None, Some(&[1; 15][..]), Some(&[1; 17]), Some(&[0; 16])] {
        let session = Session::new();
        fs::create_dir(session.join("bad")).unwrap();
        fs::write(session.join("bad/file"), "").unwrap();
        let iv = session.the_encrypted().join("gocryptfs.diriv");
        fs::remove_file(&iv).unwrap();
        if let Some(content) = content {
            fs::write(&iv, content).unwrap();
        }
        let session = session.again(&[]);
        let listing = fs::read_dir(session.join("bad")).map(Iterator::count);
        let error = listing.unwrap_err().raw_os_error();
        assert!(content.is_none() || error == EIO, "{error:?}");
        assert!(fs::metadata(session.join("bad/file")).is_err());
        assert!(fs::metadata(session.join("bad")).unwrap().is_dir());
        fs::write(session.join("good"), "good").unwrap();
    }
}

#[test]
fn a_long_name_without_its_helper_is_hidden_but_there() {
    let session = Session::new();
    let name = "l".repeat(200);
    fs::write(session.join(&name), "content").unwrap();
    let stored = session.the_encrypted();
    fs::remove_file(format!("{}.name", stored.display())).unwrap();
    let session = session.again(&[]);
    assert_eq!(fs::read_dir(session.mount.path()).unwrap().count(), 0);
    assert_eq!(fs::read(session.join(&name)).unwrap(), b"content");
    let _ = fs::remove_file(session.join(&name));
    assert!(!stored.exists());
}

#[test]
fn a_damaged_symlink_has_no_target_but_can_be_removed() {
    let session = Session::new();
    symlink("target", session.join("link")).unwrap();
    let stored = session.the_encrypted();
    fs::remove_file(&stored).unwrap();
    symlink(
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &stored,
    )
    .unwrap();
    let session = session.again(&[]);
    assert_eq!(
        fs::read_link(session.join("link"))
            .unwrap_err()
            .raw_os_error(),
        EIO
    );
    fs::remove_file(session.join("link")).unwrap();
}

#[test]
fn a_damaged_attribute_leaves_the_others() {
    let session = Session::new();
    let path = session.join("file");
    fs::write(&path, "").unwrap();
    let set = |path: &Path, name: &str, value: &[u8]| {
        lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
    };
    set(&path, "user.bad", b"value");
    let stored = session.the_encrypted();
    let mut names = vec![0; 1024];
    let len = llistxattr(&stored, &mut names).unwrap();
    let bad = str::from_utf8(&names[..len - 1]).unwrap();
    set(&stored, bad, &[7; 40]);
    set(&stored, "user.gocryptfs.notencrypted", b"x");
    set(&stored, "user.other", b"x");
    set(&path, "user.good", b"value");
    let mut value = [0; 5];
    assert_eq!(lgetxattr(&path, "user.bad", &mut value), Err(Errno::IO));
    assert_eq!(lgetxattr(&path, "user.good", &mut value), Ok(5));
    let mut names = vec![0; 1024];
    let len = llistxattr(&path, &mut names).unwrap();
    let text = str::from_utf8(&names[..len]).unwrap();
    let mut names: Vec<_> = text.split_terminator('\0').collect();
    names.sort_unstable();
    assert_eq!(names, ["user.bad", "user.good"]);
}

/// Every regular file and directory below `dir`.
fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), found);
        } else if entry.file_type().unwrap().is_file() {
            found.push(entry.path());
        }
    }
}

fn damage_something(chance: &mut Random, files: &[PathBuf]) {
    let path = chance.pick(files);
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    let mut content = fs::read(path).unwrap();
    let at = chance.below(content.len() + 1);
    match chance.below(5) {
        0 => content.truncate(at),
        1 => content.resize(content.len() + at, 0),
        2 => {
            let len = chance.below(100);
            content.splice(at.., chance.bytes(len));
        }
        _ if at < content.len() => content[at] ^= 1 << chance.below(8),
        _ => content.clear(),
    }
    fs::write(path, content).unwrap();
}

/// Uses everything, whatever comes of it.
fn use_all(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let _ = fs::read_link(&path);
        let mut buffer = vec![0; 4096];
        let _ = llistxattr(&path, &mut buffer);
        let _ = lgetxattr(&path, "user.foo", &mut buffer);
        if path.is_dir() {
            use_all(&path);
        } else if path.is_file() {
            let _ = fs::read(&path);
            let file = File::options().write(true).open(&path);
            let _ = file.map(|file| (file.write_at(b"x", 5000), file.set_len(100)));
        }
    }
}

#[test]
fn no_damage_brings_the_program_down() {
    let mut chance = Random::new("damage");
    for folder in volumes() {
        let vault = Vault::unpack(&folder);
        let mut files = Vec::new();
        walk(&vault.dir, &mut files);
        // without these there is nothing to see
        files.retain(|path| {
            path.parent() != Some(&vault.dir) || path.file_stem() != Some("gocryptfs".as_ref())
        });
        for _ in 0..40 {
            damage_something(&mut chance, &files);
        }
        let mount = Mount::new(&Program::ours(), &vault, &[]);
        use_all(&mount.path());
        fs::write(mount.path().join("still alive"), "yes").unwrap();
        assert_eq!(fs::read(mount.path().join("still alive")).unwrap(), b"yes");
        let log = mount.unmount();
        assert!(!log.contains("panicked"), "{}: {log}", folder.display());
    }
}

/// Replaces the feature flags of a volume by those of another.
fn take_flags(from: &Vault, to: &Vault) {
    let read = |vault: &Vault| -> serde_json::Value {
        let text = fs::read(vault.dir.join("gocryptfs.conf")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let mut conf = read(to);
    conf["FeatureFlags"] = read(from)["FeatureFlags"].clone();
    let path = to.dir.join("gocryptfs.conf");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    fs::write(path, conf.to_string()).unwrap();
}

#[test]
fn flags_that_would_show_names_are_refused_where_names_were_encrypted() {
    let ours = Program::ours();
    let made = |name: &str| {
        let features = ALL_FEATURES.iter().find(|known| known.name == name);
        Vault::new(&ours, features.unwrap())
    };
    let plain = made("plaintextnames");
    let vault = made("aes-gcm");
    take_flags(&plain, &vault);
    let point = tempfile::tempdir().unwrap();
    let [dir, point] = [&vault.dir, point.path()].map(|path| path.to_str().unwrap());
    let refused = ours.run(&["-q", "-fg", dir, point]);
    assert_eq!(refused.status.code(), Some(27), "{}", said(&refused));
    assert!(
        said(&refused).contains("gocryptfs.diriv"),
        "{}",
        said(&refused)
    );
    let session = Session::mount(vault, &ours, &["-plaintextnames"]);
    assert_eq!(fs::read_dir(session.join("")).unwrap().count(), 1, "the IV");
}
