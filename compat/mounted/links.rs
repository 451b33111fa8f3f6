//! Hard links and symlinks.

use super::Session;
use crate::support::skip::is_root;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};

#[test]
fn hard_links_share_everything() {
    let session = Session::new();
    let long = session.join("l".repeat(200));
    fs::write(session.join("one"), "content").unwrap();
    fs::create_dir(session.join("dir")).unwrap();
    fs::hard_link(session.join("one"), &long).unwrap();
    fs::hard_link(session.join("one"), session.join("dir/three")).unwrap();
    let inode = |path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(session.join("one")), inode(session.join("dir/three")));
    assert_eq!(fs::metadata(&long).unwrap().nlink(), 3);
    fs::write(&long, "changed").unwrap();
    assert_eq!(fs::read(session.join("one")).unwrap(), b"changed");
    fs::remove_file(session.join("one")).unwrap();
    assert_eq!(fs::metadata(&long).unwrap().nlink(), 2);
    let session = session.again(&[]);
    assert_eq!(fs::read(session.join("dir/three")).unwrap(), b"changed");
}

#[test]
fn writers_through_two_names_see_each_other() {
    let session = Session::new();
    fs::write(session.join("one"), "").unwrap();
    fs::hard_link(session.join("one"), session.join("two")).unwrap();
    let open = |name| {
        let mut options = File::options();
        options
            .read(true)
            .write(true)
            .open(session.join(name))
            .unwrap()
    };
    let (one, two) = (open("one"), open("two"));
    one.write_all_at(b"first", 0).unwrap();
    two.write_all_at(b"second", 5).unwrap();
    one.set_len(8).unwrap();
    two.write_all_at(b"third", 8).unwrap();
    assert_eq!(fs::read(session.join("one")).unwrap(), b"firstsecthird");
}

#[test]
fn a_link_to_a_symlink_is_the_symlink() {
    let session = Session::new();
    symlink("nowhere", session.join("link")).unwrap();
    fs::hard_link(session.join("link"), session.join("again")).unwrap();
    let target = fs::read_link(session.join("again")).unwrap();
    assert_eq!(target.to_str(), Some("nowhere"));
}

#[test]
fn a_symlink_leads_where_it_says() {
    let session = Session::new();
    fs::create_dir(session.join("dir")).unwrap();
    fs::write(session.join("dir/file"), "found").unwrap();
    symlink("dir/file", session.join("link")).unwrap();
    symlink(session.join("dir"), session.join("absolute")).unwrap();
    assert_eq!(fs::read(session.join("link")).unwrap(), b"found");
    assert_eq!(fs::read(session.join("absolute/file")).unwrap(), b"found");
    let taken = symlink("x", session.join("link")).unwrap_err();
    assert_eq!(taken.raw_os_error(), Some(17));
}

#[test]
fn the_longest_target_fits() {
    for (features, longest) in [("aes-gcm", 3039), ("aessiv", 3039), ("xchacha", 3031)] {
        let session = Session::with(features, &[]);
        let target = "t".repeat(longest);
        symlink(&target, session.join("link")).unwrap();
        let found = fs::read_link(session.join("link")).unwrap();
        assert_eq!(found.to_str(), Some(target.as_str()));
        let error = symlink(target + "t", session.join("longer")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(36), "{features}");
    }
}

#[test]
fn a_target_is_not_readable_on_disk() {
    let session = Session::new();
    symlink("a secret place", session.join("link")).unwrap();
    let stored = fs::read_link(session.the_encrypted()).unwrap();
    assert!(!stored.to_str().unwrap().contains("secret"));
}

#[test]
fn a_file_is_reached_by_one_name_when_the_directory_of_the_other_is_forgotten() {
    if !is_root("dropping the kernel's caches") {
        return;
    }
    let session = Session::new();
    for dir in ["one", "two"] {
        fs::create_dir(session.join(dir)).unwrap();
    }
    fs::write(session.join("one/file"), "content").unwrap();
    fs::hard_link(session.join("one/file"), session.join("two/file")).unwrap();
    let session = session.again(&[]);
    let file = File::open(session.join("one/file")).unwrap();
    fs::metadata(session.join("two/file")).unwrap();
    // the open file pins one name; the other and its directory go
    fs::write("/proc/sys/vm/drop_caches", "2").unwrap();
    fs::set_permissions(session.join("one/file"), Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(session.join("one/file"), session.join("third")).unwrap();
    file.sync_all().unwrap();
    assert_eq!(file.metadata().unwrap().nlink(), 3);
    assert_eq!(fs::read(session.join("third")).unwrap(), b"content");
}
