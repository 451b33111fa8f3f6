//! A server with made-up paths, and clients that do not mean well.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connections::MAX;
use super::protocol::REQUEST_MAX;
use super::{Client, ControlSocket, Request, Response};
use crate::vfs::{Errno, Error, Paths, Result};

/// Encrypts to capital letters and decrypts nothing.
struct Loud;

impl Paths for Loud {
    fn encrypt_path(&self, plain: &Path) -> Result<PathBuf> {
        match plain.to_str() {
            Some("panic") => panic!("a defect in the file system"),
            Some(text) => Ok(text.to_uppercase().into()),
            None => Err(Error::Os(Errno::BADMSG)),
        }
    }

    fn decrypt_path(&self, _encrypted: &Path) -> Result<PathBuf> {
        Err(Error::Os(Errno::NOENT))
    }
}

struct Server {
    scratch: tempfile::TempDir,
    socket: ControlSocket,
}

fn server() -> Server {
    let scratch = tempfile::tempdir().unwrap();
    let socket = ControlSocket::bind(&scratch.path().join("socket")).unwrap();
    socket.serve(Arc::new(Loud)).unwrap();
    Server { scratch, socket }
}

impl Server {
    fn path(&self) -> PathBuf {
        self.scratch.path().join("socket")
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.path()).unwrap()
    }
}

fn ask(mut stream: &UnixStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = [0; 8192];
    let len = stream.read(&mut reply).unwrap();
    String::from_utf8(reply[..len].to_vec()).unwrap()
}

fn works(stream: &UnixStream) -> bool {
    ask(stream, r#"{"EncryptPath":"a/b"}"#)
        == "{\"Result\":\"A/B\",\"ErrNo\":0,\"ErrText\":\"\",\"WarnText\":\"\"}\n"
}

/// Whether the server has closed the connection.
fn is_closed(mut stream: &UnixStream) -> bool {
    !matches!(stream.read(&mut [0; 1]), Ok(1..))
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = server();
    let stream = server.connect();
    assert!(works(&stream));
    assert!(ask(&stream, "nonsense").contains("JSON Unmarshal error: "));
    assert!(ask(&stream, r#"{"EncryptPath":"a","DecryptPath":"b"}"#).contains("\"Ambiguous\""));
    assert!(ask(&stream, "{}").contains("\"empty input\""));
    assert!(works(&stream));
}

#[test]
fn a_path_that_is_not_clean_is_answered_with_a_warning() {
    let server = server();
    let mut client = Client::connect(&server.path()).unwrap();
    let mut ask = |path: &str| {
        let encrypt_path = path.to_owned();
        client
            .ask(&Request {
                encrypt_path,
                ..Request::default()
            })
            .unwrap()
    };
    let warning = "Non-canonical input path '//a/../b/' has been interpreted as 'b'.";
    let wanted = Response {
        result: "B".into(),
        warn_text: warning.into(),
        ..Response::default()
    };
    assert_eq!(ask("//a/../b/"), wanted);
    let top = ask("/");
    assert_eq!(top.err_text, "empty input after canonicalization");
    assert_eq!(top.errno, -1);
}

#[test]
fn a_missing_name_has_the_number_of_its_error() {
    let server = server();
    let reply = ask(&server.connect(), r#"{"DecryptPath":"a"}"#);
    assert!(reply.contains(r#""ErrNo":2,"ErrText":"no such file or directory""#));
}

#[test]
fn a_request_that_is_too_long_ends_the_connection() {
    let server = server();
    let longest = server.connect();
    assert!(ask(&longest, &"x".repeat(REQUEST_MAX)).contains("JSON"));
    let mut stream = server.connect();
    stream.write_all(&[b'x'; REQUEST_MAX + 1]).unwrap();
    assert!(is_closed(&stream));
    assert!(works(&server.connect()));
}

#[test]
fn a_client_that_never_reads_or_goes_away_harms_nobody() {
    let server = server();
    let mut deaf = server.connect();
    deaf.set_nonblocking(true).unwrap();
    while deaf.write(br#"{"EncryptPath":"a"}"#).is_ok() {}
    for _ in 0..3 {
        server.connect().write_all(b"{}").unwrap();
    }
    assert!(works(&server.connect()));
}

#[test]
fn a_defect_in_the_file_system_ends_one_connection() {
    let server = server();
    let mut stream = server.connect();
    stream.write_all(br#"{"EncryptPath":"panic"}"#).unwrap();
    assert!(is_closed(&stream));
    assert!(works(&server.connect()));
}

#[test]
fn a_newcomer_takes_the_place_of_the_one_silent_longest() {
    let server = server();
    let mut streams: Vec<_> = (0..MAX).map(|_| server.connect()).collect();
    assert!(streams.iter().all(works));
    assert!(works(&streams[0]), "now the second one is silent longest");
    streams.push(server.connect());
    assert!(works(&streams[MAX]));
    assert!(is_closed(&streams.remove(1)));
    assert!(streams.iter().all(works));
}

#[test]
fn a_socket_that_is_served_is_left_alone() {
    let server = server();
    let error = ControlSocket::bind(&server.path()).unwrap_err().to_string();
    assert!(error.starts_with("ctlsock: listen unix /"), "{error}");
    assert!(
        error.ends_with("/socket: bind: address already in use"),
        "{error}"
    );
    assert!(works(&server.connect()));
}

#[test]
fn a_socket_that_nobody_serves_is_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    let socket = ControlSocket::bind(&path).unwrap();
    drop(socket);
    assert!(!path.exists());
}

#[test]
fn another_kind_of_file_is_not_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    assert!(ControlSocket::bind(scratch.path()).is_err());
    assert!(scratch.path().exists());
    assert!(ControlSocket::bind(&scratch.path().join("missing/socket")).is_err());
}

#[test]
fn the_end_removes_the_socket_but_not_what_took_its_place() {
    let Server { scratch, socket } = server();
    let path = scratch.path().join("socket");
    std::fs::rename(&path, scratch.path().join("away")).unwrap();
    let other = ControlSocket::bind(&path).unwrap();
    drop(socket);
    assert!(path.exists());
    drop(other);
    assert!(!path.exists());
}
