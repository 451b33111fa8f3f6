//! The inspector beside that of the Go program: what they print, and how they end.

use crate::ctlsock::{Both, filled};
use crate::support::program::{PASSWORD, Program, said};
use crate::support::skip::skip_unless_ci;
use crate::support::vault::{ALL_FEATURES, Features, Vault};
use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use tempfile::TempDir;

/// The inspectors: that of the Go program, and ours.
fn inspectors() -> Option<[PathBuf; 2]> {
    let ours = env!("CARGO_BIN_EXE_gocryptfs-xray").into();
    let go = PathBuf::from("gocryptfs-xray");
    if Command::new(&go).arg("-version").output().is_err() {
        skip_unless_ci("xray", "the inspector of the Go program is not installed");
        return None;
    }
    Some([go, ours])
}

fn run(inspector: &Path, args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(inspector)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    thread::scope(|scope| {
        // one that needs no input may have gone already
        scope.spawn(move || pipe.write_all(stdin));
        child.wait_with_output().unwrap()
    })
}

/// Runs both; fails unless they end in the same way, having printed the same if they succeed. What
/// they print on a failure may be the text of an operating system or library.
fn assert_same_end(inspectors: &[PathBuf; 2], args: &[&str], stdin: &[u8]) -> Output {
    let [go, ours] = [0, 1].map(|which| run(&inspectors[which], args, stdin));
    let what = format!("{args:?}\n{}\n{}", said(&go), said(&ours));
    assert_eq!(go.status.code(), ours.status.code(), "{what}");
    if ours.status.success() {
        assert_eq!(go.stdout, ours.stdout, "{what}");
    }
    ours
}

/// As [`assert_same_end`], and all that they print is the same, but that the Go program writes
/// some failures to stdout.
fn assert_same(inspectors: &[PathBuf; 2], args: &[&str], stdin: &[u8]) {
    let [go, ours] = [0, 1].map(|which| {
        let output = run(&inspectors[which], args, stdin);
        said(&output).replace("Empty input", "empty input")
    });
    assert_eq!(go, ours, "{args:?}");
}

fn named(name: &str) -> &'static Features {
    ALL_FEATURES
        .iter()
        .find(|features| features.name == name)
        .unwrap()
}

/// Encrypted files of every size that makes a difference.
fn pieces(vault: &Vault, into: &Path) -> Vec<String> {
    let entries = fs::read_dir(&vault.dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = entries
        .filter(|path| path.is_file())
        .max_by_key(|path| fs::metadata(path).unwrap().len());
    let file = fs::read(file.unwrap()).unwrap();
    let lengths = [
        0,
        1,
        3,
        17,
        18,
        19,
        18 + 16,
        18 + 32,
        18 + 33,
        18 + 40,
        18 + 41,
        4145,
        4146,
        4147,
        4154,
        4155,
        4146 + 32,
        4146 + 33,
        4154 + 40,
        4154 + 41,
        file.len(),
    ];
    let piece = |len: usize| {
        let path = into.join(len.to_string());
        fs::write(&path, &file[..len]).unwrap();
        path.to_str().unwrap().to_owned()
    };
    lengths.map(piece).to_vec()
}

#[test]
fn both_tell_the_same_of_a_file() {
    let (Some(both), Some(go)) = (inspectors(), Program::go("xray")) else {
        return;
    };
    let scratch = TempDir::new().unwrap();
    for (features, option) in [
        ("aes-gcm", None),
        ("aessiv", Some("-aessiv")),
        ("xchacha", Some("-xchacha")),
    ] {
        let vault = filled(&go, named(features));
        for piece in pieces(&vault, scratch.path()) {
            let args: Vec<&str> = option.into_iter().chain([&*piece]).collect();
            assert_same(&both, &args, b"");
            assert_same(&both, &["--xchacha", "-aessiv=1", "--", &piece], b"");
        }
    }
}

#[test]
fn both_refuse_the_same_headers_and_files() {
    let Some(both) = inspectors() else { return };
    let scratch = TempDir::new().unwrap();
    let path = scratch.path().join("file");
    for header in [
        [0; 18],
        [0xff; 18],
        [1; 18],
        *b"\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        fs::write(&path, header).unwrap();
        assert_same(&both, &[path.to_str().unwrap()], b"");
    }
    assert_same_end(&both, &["/nonexistent"], b"");
    assert_same_end(&both, &["/"], b"");
}

#[test]
fn both_read_a_command_line_alike() {
    let Some(both) = inspectors() else { return };
    for args in [
        &["-dumpmasterkey", "-encrypt-paths", "x"][..],
        &["--encrypt-paths", "-decrypt-paths=true", "x"],
        &["-dumpmasterkey", "-encrypt-paths", "-decrypt-paths", "x"],
        &["-encrypt-paths", "/nonexistent"],
        &["-decrypt-paths", "/dev/null"],
    ] {
        assert_same(&both, args, b"");
    }
    for args in [
        &[][..],
        &["-nosuch"],
        &["-aessiv=maybe", "x"],
        &["a", "b"],
        &["-fido2"],
    ] {
        let [go, ours] = [0, 1].map(|which| run(&both[which], args, b""));
        assert_eq!(go.status.code(), ours.status.code(), "{args:?}");
    }
    let [go, ours] = [0, 1].map(|which| run(&both[which], &["-version", "x", "y"], b""));
    for version in [go, ours] {
        assert!(version.status.success());
        assert!(
            version.stdout.starts_with(b"gocryptfs-xray 2."),
            "{}",
            said(&version)
        );
    }
}

#[test]
fn both_dump_the_same_master_key() {
    let (Some(both), Some(go)) = (inspectors(), Program::go("xray")) else {
        return;
    };
    let vault = Vault::new(&go, &ALL_FEATURES[0]);
    let conf = vault.dir.join("gocryptfs.conf");
    let args = ["-dumpmasterkey", conf.to_str().unwrap()];
    let dumped = assert_same_end(&both, &args, PASSWORD);
    assert_eq!(dumped.stdout.len(), 65);
    assert_same_end(&both, &args, b"wrong\n");
    assert_same_end(&both, &args, b"");
    let text = fs::read_to_string(&conf).unwrap();
    let bad = vault.dir.join("bad");
    for content in [
        "",
        "{",
        &text.replace("HKDF", "HKDG"),
        &text.replace("\"Version\": 2", "\"Version\": 3"),
    ] {
        fs::write(&bad, content).unwrap();
        assert_same_end(&both, &["-dumpmasterkey", bad.to_str().unwrap()], PASSWORD);
    }
    assert_same_end(&both, &["-dumpmasterkey", "/nonexistent"], PASSWORD);
}

#[test]
fn nothing_in_the_place_of_a_file_is_waited_for() {
    let scratch = TempDir::new().unwrap();
    let fifo = scratch.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_gocryptfs-xray"));
    for path in [fifo.as_path(), scratch.path(), Path::new("/dev/zero")] {
        for mode in [&[][..], &["-dumpmasterkey"]] {
            let args = [mode, &[path.to_str().unwrap()]].concat();
            let ended = run(&ours, &args, PASSWORD);
            assert!(!ended.status.success(), "{args:?}: {}", said(&ended));
        }
    }
}

#[test]
fn a_token_in_place_of_the_password_gives_the_key() {
    let Some([_, ours]) = inspectors() else {
        return;
    };
    let scratch = TempDir::new().unwrap();
    let programs = scratch.path().join("bin");
    fs::create_dir(&programs).unwrap();
    for name in ["fido2-cred", "fido2-assert"] {
        let secret = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
        let script = format!("#!/bin/sh\nprintf '1\\n2\\n3\\n4\\n{secret}\\n'\n");
        fs::write(programs.join(name), script).unwrap();
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(programs.join(name), executable).unwrap();
    }
    let mut path = programs.into_os_string();
    path.push(":");
    path.push(env::var_os("PATH").unwrap());
    let volume = scratch.path().join("volume");
    fs::create_dir(&volume).unwrap();
    let with_token = |command: &mut Command, file: &Path| {
        let command = command.args(["-fido2", "token"]).arg(file);
        command.env("PATH", &path).output().unwrap()
    };
    let mut init = Program::ours().command();
    let made = with_token(init.args(["-q", "-init", "-scryptn", "10"]), &volume);
    assert!(made.status.success(), "{}", said(&made));
    let conf = volume.join("gocryptfs.conf");
    let dumped = with_token(Command::new(ours).arg("-dumpmasterkey"), &conf);
    assert_eq!(dumped.stdout.len(), 65, "{}", said(&dumped));
}

#[test]
fn both_translate_the_same_paths_whoever_serves_them() {
    let (Some(inspectors), Some(go)) = (inspectors(), Program::go("xray")) else {
        return;
    };
    let both = Both::on(&go, filled(&go, &ALL_FEATURES[0]));
    let inputs: [(&[&str], &[u8]); 8] = [
        (&[], b""),
        (&[], b"file"),
        (&[], b"file\ndir/sub\nmissing\n"),
        (&[], b"\nmissing/x\n/dir/\n\nfile/x\r\n<&>\ndir/../file"),
        (&["-0"], b"file\0a\nb\0\0dir/"),
        (&["--0", "-aessiv"], b"file\n"),
        (&[], "\u{e9}\n..\n".as_bytes()),
        (&["-0=false"], &[b'm'; 300]),
    ];
    for socket in both.sockets() {
        let socket = socket.to_str().unwrap();
        for (options, input) in inputs {
            let encrypt = [options, &["-encrypt-paths", socket]].concat();
            assert_same(&inspectors, &encrypt, input);
            let encrypted = run(&inspectors[1], &encrypt, input).stdout;
            let decrypt = [options, &["-decrypt-paths", socket]].concat();
            assert_same(&inspectors, &decrypt, &encrypted);
            assert_same(&inspectors, &decrypt, input);
        }
    }
    both.unmount();
}

#[test]
fn a_path_too_long_to_ask_about_does_not_spoil_the_next_one() {
    let (Some([_, ours]), Some(go)) = (inspectors(), Program::go("xray")) else {
        return;
    };
    let both = Both::on(&go, filled(&go, &ALL_FEATURES[0]));
    for socket in both.sockets() {
        let args = ["-encrypt-paths", socket.to_str().unwrap()];
        let good = run(&ours, &args, b"file\n");
        let input = [&[b'x'; 6000][..], b"\n\xff\nfile\n"].concat();
        let output = run(&ours, &args, &input);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, good.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("\": request too big (max = 4999 bytes)\n"),
            "{stderr}"
        );
        assert!(
            stderr.contains("error at input line 2 \"\\xFF\": not valid UTF-8\n"),
            "{stderr}"
        );
    }
    both.unmount();
}
