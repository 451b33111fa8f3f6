//! The client's side: one question after the other over one connection.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::ctlsock::message;
use crate::ctlsock::protocol::{REQUEST_MAX, Request, Response};

/// How long the daemon may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the control socket of a mounted file system.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// No answer from the control socket.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("dial unix {path}: connect: {}", message(.error))]
    Connect {
        /// The path of the socket.
        path: String,
        /// What `connect(2)` says.
        error: io::Error,
    },
    /// The path does not fit into a request.
    #[error("request too big (max = {REQUEST_MAX} bytes)")]
    TooBig,
    /// The connection broke.
    #[error("{}", message(.0))]
    Io(#[from] io::Error),
    /// The answer makes no sense.
    #[error("JSON Unmarshal error: {0}")]
    Json(#[from] serde_json::Error),
}

impl Client {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// [`ClientError::Connect`].
    pub fn connect(path: &Path) -> Result<Client, ClientError> {
        let connected = UnixStream::connect(path).and_then(|stream| {
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Ok(stream)
        });
        let stream = connected.map_err(|error| ClientError::Connect {
            path: path.display().to_string(),
            error,
        })?;
        let stream = BufReader::new(stream);
        Ok(Client { stream })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The request is too long, or the connection breaks.
    pub fn ask(&mut self, request: &Request) -> Result<Response, ClientError> {
        let json = serde_json::to_vec(request)?;
        if json.len() > REQUEST_MAX {
            return Err(ClientError::TooBig);
        }
        self.stream.get_mut().write_all(&json)?;
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
