//! The control socket of a view of a plain tree.

use super::Both;
use crate::support::program::Program;
use crate::support::vault::Vault;
use std::fs;
use std::os::unix::fs::symlink;

/// Ways to name what is shown.
const NAMES: [&[&str]; 4] = [
    &[],
    &["-plaintextnames"],
    &["-deterministic-names"],
    &["-longnamemax", "62"],
];

/// Names that no file can have are left out: with plaintext names the Go program passes them.
#[test]
fn both_answer_the_same_about_a_view() {
    let Some(go) = Program::go("ctlsock of a view") else {
        return;
    };
    let long = "l".repeat(200);
    for names in NAMES {
        let plain = Vault::empty(&[&["-reverse", "-zerokey"], names].concat());
        fs::create_dir_all(plain.dir.join("dir/sub/<&>")).unwrap();
        fs::create_dir_all(plain.dir.join(&long).join(&long)).unwrap();
        fs::write(plain.dir.join("file"), "content").unwrap();
        symlink("dir", plain.dir.join("link")).unwrap();
        let both = Both::on(&go, plain);
        let long_path = format!("{long}/{long}");
        let there = ["file", "dir", "dir/sub/<&>", "link", &long, &long_path];
        for path in there {
            let encrypted = both.encrypt(path);
            assert_ne!(encrypted, "", "{names:?} {path}");
            assert_eq!(both.decrypt(&encrypted), path, "{names:?}");
            both.decrypt(&format!("{encrypted}/AAAAAAAAAAAAAAAAAAAAAA"));
        }
        let others = [
            "missing",
            "missing/x",
            "file/x",
            "link/sub",
            "/dir//sub/",
            "dir/../file",
            "..",
            ".",
            "gocryptfs.conf",
            ".gocryptfs.reverse.conf",
            "gocryptfs.diriv",
            "dir/gocryptfs.diriv",
            "gocryptfs.longname.x",
            &"m".repeat(255),
        ];
        for path in others {
            both.decrypt(&both.encrypt(path));
            both.decrypt(path);
        }
        both.unmount();
    }
}
