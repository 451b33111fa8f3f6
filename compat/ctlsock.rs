//! The control socket: the answers of both programs on one vault, request by request.

mod life;
mod reverse;

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Features, Vault};
use crate::support::wait;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
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

/// What only we say of a path that JSON cannot hold: what decrypts by chance is seldom text.
const NO_TEXT: &str = "The path is not valid UTF-8, and is shown with replacement characters.";

/// A reply without what may differ: newer releases of the Go program begin these texts with a
/// small letter, as we do, and the details of a syntax error are those of a library.
fn comparable(reply: &str) -> String {
    let reply = reply.replace("\"Empty input", "\"empty input");
    let reply = reply
        .replace(&format!("{NO_TEXT} "), "")
        .replace(NO_TEXT, "");
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
