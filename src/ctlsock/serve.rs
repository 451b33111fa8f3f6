//! The daemon's side: requests in, replies out.

use std::error::Error as _;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing::{debug, warn};

use crate::ctlsock::connections::{Connections, Place};
use crate::ctlsock::message;
use crate::ctlsock::protocol::{REQUEST_MAX, Request, Response, clean};
use crate::vfs::{self, Errno, Error, Paths};

/// How long a client may take to make room for a reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a descriptor or thread when there is none left.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts the thread that admits clients.
pub(super) fn start(listener: UnixListener, paths: Arc<dyn Paths>) -> io::Result<()> {
    let connections = Arc::new(Connections::default());
    let admit = move || {
        for stream in listener.incoming() {
            let admitted = stream.and_then(|stream| admit(stream, &connections, &paths));
            if let Err(error) = admitted {
                debug!("ctlsock: {error}");
                thread::sleep(PAUSE);
            }
        }
    };
    thread::Builder::new().name("ctlsock".into()).spawn(admit)?;
    Ok(())
}

/// Finds a place for a client, and serves it in a thread of its own.
fn admit(
    stream: UnixStream,
    connections: &Arc<Connections>,
    paths: &Arc<dyn Paths>,
) -> io::Result<()> {
    stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
    let place = connections.admit(&stream)?;
    let paths = Arc::clone(paths);
    let converse = move || {
        if let Err(error) = converse(&stream, &place, &*paths) {
            debug!("ctlsock: {error}");
        }
    };
    thread::Builder::new()
        .name("ctlsock client".into())
        .spawn(converse)?;
    Ok(())
}

/// Answers one client until it hangs up or sends too much.
fn converse(mut stream: &UnixStream, place: &Place, paths: &dyn Paths) -> io::Result<()> {
    let mut buf = [0; REQUEST_MAX + 1];
    loop {
        let len = match stream.read(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        place.heard();
        if len > REQUEST_MAX {
            warn!("ctlsock: request too big (max = {REQUEST_MAX} bytes)");
            return Ok(());
        }
        let mut reply = serde_json::to_vec(&answer(&buf[..len], paths))?;
        reply.push(b'\n');
        stream.write_all(&reply)?;
    }
}

fn answer(json: &[u8], paths: &dyn Paths) -> Response {
    let refused = |text: &str| Response::error(-1, text);
    let request = match Request::parse(json) {
        Ok(request) => request,
        Err(error) => return refused(&format!("JSON Unmarshal error: {error}")),
    };
    match (&*request.encrypt_path, &*request.decrypt_path) {
        ("", "") if request.stats => match serde_json::to_value(paths.figures()) {
            Ok(figures) => Response::figures(figures),
            Err(error) => refused(&error.to_string()),
        },
        _ if request.stats => refused("Ambiguous"),
        ("", "") => refused("empty input"),
        (plain, "") => translate(plain, |path| paths.encrypt_path(path)),
        ("", encrypted) => translate(encrypted, |path| paths.decrypt_path(path)),
        _ => refused("Ambiguous"),
    }
}

fn translate(path: &str, translate: impl Fn(&Path) -> vfs::Result<PathBuf>) -> Response {
    let cleaned = clean(path);
    let mut response = match &*cleaned {
        "" => Response::error(-1, "empty input after canonicalization"),
        cleaned => match translate(Path::new(cleaned)) {
            Ok(translated) => Response::result(&translated),
            Err(error) => Response::error(number(&error), text(&error)),
        },
    };
    if cleaned != path {
        response.warn(&format!(
            "Non-canonical input path '{path}' has been interpreted as '{cleaned}'."
        ));
    }
    response
}

/// The only number that clients tell from the others is "no such file or directory".
fn number(error: &Error) -> i32 {
    match error {
        Error::Os(Errno::NOENT) => Errno::NOENT.raw_os_error(),
        _ => -1,
    }
}

fn text(error: &Error) -> String {
    match error {
        Error::Os(errno) => message(&(*errno).into()),
        Error::Corrupt { what, .. } => what
            .source()
            .map_or_else(|| what.to_string(), ToString::to_string),
    }
}
