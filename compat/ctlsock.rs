//! The control socket: the answers of both programs on one vault, request by request, and the
//! life of the socket.

use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::vault::{ALL_FEATURES, Features, Vault};
use crate::support::wait;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// One vault, mounted read-only by both programs, each with a control socket.
pub(crate) struct Both {
    pub(crate) vault: Vault,
    mounts: [Mount; 2],
    scratch: TempDir,
}

/// A vault with something to ask about.
pub(crate) fn filled(go: &Program, features: &Features) -> Vault {
    let vault = Vault::new(go, features);
    let mount = Mount::new(&Program::ours(), &vault, &[]);
    let top = mount.path();
    fs::create_dir_all(top.join("dir/sub/<&>")).unwrap();
    fs::create_dir(top.join("other")).unwrap();
    fs::create_dir_all(top.join(long()).join(long())).unwrap();
    fs::write(top.join("file"), [7; 9000]).unwrap();
    fs::write(top.join("empty"), "").unwrap();
    symlink("dir", top.join("link")).unwrap();
    mount.unmount();
    vault
}

fn long() -> String {
    "l".repeat(120)
}

impl Both {
    pub(crate) fn on(go: &Program, vault: Vault) -> Self {
        let scratch = TempDir::new().unwrap();
        let mounts = [(go, "go"), (&Program::ours(), "ours")].map(|(program, name)| {
            let socket = scratch.path().join(name);
            let options = ["-ro", "-ctlsock", socket.to_str().unwrap()];
            Mount::new(program, &vault, &options)
        });
        Self {
            vault,
            mounts,
            scratch,
        }
    }

    /// The socket of the Go program and ours.
    pub(crate) fn sockets(&self) -> [PathBuf; 2] {
        ["go", "ours"].map(|name| self.scratch.path().join(name))
    }

    /// Asks both the same; fails unless they answer the same. Returns the result.
    fn ask(&self, request: &[u8]) -> String {
        let [go, ours] = self.sockets().map(|socket| answer(&socket, request));
        let request = String::from_utf8_lossy(request);
        assert_eq!(comparable(&go), comparable(&ours), "{request}");
        let ours: Option<Value> = serde_json::from_str(&ours).ok();
        let result = ours.and_then(|reply| Some(reply["Result"].as_str()?.to_owned()));
        result.unwrap_or_default()
    }

    fn encrypt(&self, path: &str) -> String {
        self.ask(
            serde_json::json!({ "EncryptPath": path })
                .to_string()
                .as_bytes(),
        )
    }

    fn decrypt(&self, path: &str) -> String {
        self.ask(
            serde_json::json!({ "DecryptPath": path })
                .to_string()
                .as_bytes(),
        )
    }

    /// Unmounts, and makes sure that the sockets are gone.
    pub(crate) fn unmount(self) -> Vault {
        let sockets = self.sockets();
        let _logs = self.mounts.map(Mount::unmount);
        assert_eq!(sockets.map(|socket| socket.exists()), [false; 2]);
        self.vault
    }
}

fn answer(socket: &Path, request: &[u8]) -> String {
    // the socket has its name a moment before it listens
    let mut stream = wait::until(|| UnixStream::connect(socket).ok()).unwrap();
    stream.write_all(request).unwrap();
    let mut reply = [0; 8192];
    let len = stream.read(&mut reply).unwrap_or_default();
    String::from_utf8(reply[..len].to_vec()).unwrap()
}

/// A reply without what may differ: newer releases of the Go program begin these texts with a
/// small letter, as we do, and the details of a syntax error are those of a library.
fn comparable(reply: &str) -> String {
    let reply = reply.replace("\"Empty input", "\"empty input");
    let Ok(Value::Object(mut keys)) = serde_json::from_str(&reply) else {
        return reply;
    };
    if let Some(Value::String(text)) = keys.get_mut("ErrText")
        && text.starts_with("JSON Unmarshal error: ")
    {
        text.truncate("JSON Unmarshal error: ".len());
    }
    Value::Object(keys).to_string()
}

/// Whatever the paths: what a request is, and what it is not.
const REQUESTS: &[&[u8]] = &[
    br#"{"encryptpath":"file"}"#,
    br#"{"ENCRYPTPATH":"file","x":[1,{"EncryptPath":"y"}]}"#,
    br#"{"EncryptPath":"dir","EncryptPath":"file"}"#,
    br#"{"EncryptPath":"file","EncryptPath":null}"#,
    b" {\"EncryptPath\"\n:\"file\"}\n",
    br#"{"EncryptPath":"\u0066ile"}"#,
    br#"{"EncryptPath":"file","DecryptPath":"file"}"#,
    br#"{"EncryptPath":"","DecryptPath":""}"#,
    b"{}",
    b"null",
    b"[]",
    b"\"EncryptPath\"",
    b"1",
    b"x",
    b"\n",
    b"{",
    br#"{"EncryptPath":"file"#,
    br#"{"EncryptPath":"file","#,
    br#"{"EncryptPath":"file",}"#,
    br#"{"EncryptPath":"file"}{"EncryptPath":"file"}"#,
    br#"{"EncryptPath":1}"#,
    br#"{"EncryptPath":["file"]}"#,
    b"{\"EncryptPath\":\"\t\"}",
    &[b'x'; 4999],
    &[b'x'; 5000],
    &[b'x'; 9000],
];

fn compare(features: &Features) {
    let Some(go) = Program::go("ctlsock") else {
        return;
    };
    let both = Both::on(&go, filled(&go, features));
    let mode = |socket: PathBuf| fs::metadata(socket).unwrap().permissions().mode();
    let [go_mode, our_mode] = both.sockets().map(mode);
    assert_eq!(go_mode, our_mode);
    for request in REQUESTS {
        both.ask(request);
    }
    let long = long();
    let deep = "dir/".repeat(1000);
    let paths = [
        "file",
        "missing",
        "dir/sub",
        "dir/sub/<&>",
        "dir/missing",
        "missing/x",
        "file/x",
        "link",
        "link/sub",
        "/file",
        "//dir//sub/",
        "dir/./sub/../sub",
        "dir/../file",
        "../file",
        "dir/../../file",
        ".",
        "..",
        "/",
        "...",
        "..file",
        "gocryptfs.conf",
        "gocryptfs.diriv",
        "gocryptfs.longname.x",
        "a\0b",
        "\u{e9}\n\\\"",
        &long,
        &format!("{long}/{long}/x"),
        &deep,
        &"m".repeat(255),
        &"m".repeat(256),
        &format!("dir/{}", "m".repeat(200)),
    ];
    for path in paths {
        let encrypted = both.encrypt(path);
        both.decrypt(&encrypted);
        both.decrypt(&format!("{encrypted}/AAAAAAAAAAAAAAAAAAAAAA"));
    }
    let paths = [
        "*",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAA/BBBB",
        "gocryptfs.conf",
        "gocryptfs.diriv",
        "/",
        ".",
        "gocryptfs.longname.x",
        "gocryptfs.longname.x.name",
        "gocryptfs.longname.x/y",
    ];
    for path in paths {
        both.decrypt(path);
    }
    for path in ["file", &format!("{long}/{long}"), "dir/sub/<&>"] {
        assert_eq!(both.decrypt(&both.encrypt(path)), path);
    }
    both.unmount();
}

#[test]
fn both_answer_the_same_for_every_kind_of_names() {
    let names = [
        "aes-gcm",
        "plaintextnames",
        "deterministic",
        "longnamemax-62",
        "no-hkdf",
    ];
    for features in ALL_FEATURES
        .iter()
        .filter(|features| names.contains(&features.name))
    {
        compare(features);
    }
}

#[test]
fn both_tell_the_same_defects_of_a_directory() {
    let Some(go) = Program::go("ctlsock") else {
        return;
    };
    let long = long();
    let both = Both::on(&go, filled(&go, &ALL_FEATURES[0]));
    let damage = [
        ("dir", Some(&[0; 16][..])),
        ("other", Some(b"short")),
        (&*long, None),
    ];
    let damage = damage.map(|(path, iv)| (path, both.encrypt(path), iv));
    let vault = both.unmount();
    for (_, dir, iv) in &damage {
        let file = vault.dir.join(dir).join("gocryptfs.diriv");
        fs::remove_file(&file).unwrap();
        if let Some(iv) = iv {
            fs::write(&file, iv).unwrap();
        }
    }
    let both = Both::on(&go, vault);
    for (path, dir, _) in damage {
        assert_eq!(both.encrypt(path), dir);
        assert_eq!(both.encrypt(&format!("{path}/x")), "");
        assert_eq!(both.decrypt(&dir), path);
        assert_eq!(both.decrypt(&format!("{dir}/AAAAAAAAAAAAAAAAAAAAAA")), "");
    }
    both.unmount();
}

/// A run of ours in the foreground that still waits for its password.
struct Waiting {
    child: Child,
    vault: Vault,
    scratch: TempDir,
}

impl Waiting {
    fn new() -> Self {
        let ours = Program::ours();
        let vault = Vault::new(&ours, &ALL_FEATURES[0]);
        let scratch = TempDir::new().unwrap();
        fs::create_dir(scratch.path().join("plain")).unwrap();
        let child = ours
            .command()
            .args(["-q", "-fg", "-ctlsock", "socket"])
            .arg(&vault.dir)
            .arg("plain")
            .current_dir(scratch.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            vault,
            scratch,
        }
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("socket")
    }

    fn wait_for_the_socket(&self) {
        let made = wait::until(|| self.socket().exists().then_some(()));
        assert!(made.is_some(), "no socket");
    }

    fn type_password(&mut self, password: &[u8]) {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(password).unwrap();
    }

    /// The exit code, once it has ended and the socket is gone.
    fn end(mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        assert!(!self.socket().exists(), "the socket is left");
        drop(self.vault);
        status.code()
    }
}

#[test]
fn the_socket_is_there_before_the_password_and_gone_after_a_wrong_one() {
    let mut waiting = Waiting::new();
    waiting.wait_for_the_socket();
    waiting.type_password(b"wrong\n");
    assert_eq!(waiting.end(), Some(12));
}

#[test]
fn a_signal_removes_the_socket() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut waiting = Waiting::new();
        waiting.wait_for_the_socket();
        waiting.type_password(b"test\n");
        assert!(answer(&waiting.socket(), b"{}").contains("empty input"));
        kill_process(Pid::from_child(&waiting.child), signal).unwrap();
        assert_eq!(waiting.end(), Some(15));
    }
}

#[test]
fn a_socket_that_cannot_be_made_is_the_same_failure_for_both() {
    let Some(go) = Program::go("ctlsock") else {
        return;
    };
    let vault = Vault::new(&go, &ALL_FEATURES[0]);
    let scratch = TempDir::new().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("plain")).unwrap();
    fs::write(path("file"), "").unwrap();
    let _served = UnixListener::bind(path("served")).unwrap();
    let (plain, vault) = (path("plain"), vault.dir.to_str().unwrap());
    for name in ["file", "served", "plain", "missing/socket"] {
        let args = ["-q", "-ctlsock", &path(name), vault, &plain];
        let [go, ours] = [&go, &Program::ours()].map(|program| program.run(&args));
        assert_eq!(go.status.code(), Some(20), "{}", said(&go));
        assert_eq!(said(&go), said(&ours));
    }
}

#[test]
fn a_socket_that_nobody_serves_any_more_is_replaced() {
    let ours = Program::ours();
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let scratch = TempDir::new().unwrap();
    let socket = scratch.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    let mount = Mount::new(&ours, &vault, &["-ctlsock", socket.to_str().unwrap()]);
    assert!(answer(&socket, b"{}").contains("empty input"));
    let log = mount.unmount();
    assert!(
        log.contains("ctlsock: deleting orphaned socket file"),
        "{log}"
    );
    assert!(!socket.exists());
}
