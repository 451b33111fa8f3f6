//! Paths from stdin, to be encrypted or decrypted by a mounted file system.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output::Output;
use crate::cli::values::quoted;
use crate::ctlsock::{Client, Request, Response};
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Translates each path in stdin, which `separator` ends, through the control socket `socket`. A
/// result is written at once, for those who wait for it before they write the next path.
///
/// # Errors
/// There is no such socket. Also if there was an error with a path, without a message.
pub(super) fn run(
    socket: &Path,
    separator: u8,
    request: impl Fn(String) -> Request,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let client = Client::connect(socket);
    let mut client = client.map_err(|error| Failure::usage(format!("fatal: {error}")))?;
    let mut end = Ok(ExitCode::Success);
    for (line, path) in (1_u64..).zip(io::stdin().lock().split(separator)) {
        let path = OsString::from_vec(path.map_err(|error| failed(&error))?);
        let place = format!("at input line {line} {}", quoted(&path));
        let asked = path.into_string().map_err(|_| "not valid UTF-8".to_owned());
        match asked.and_then(|path| ask(&mut client, &request(path))) {
            Ok(response) => {
                if !response.warn_text.is_empty() {
                    out.warn(&format!("warning {place}: {}", response.warn_text));
                }
                let mut result = response.result.into_bytes();
                result.push(separator);
                write(&result).map_err(|error| failed(&error))?;
            }
            Err(text) => {
                out.warn(&format!("error {place}: {text}"));
                end = Err(Failure::usage(""));
            }
        }
    }
    end
}

fn ask(client: &mut Client, request: &Request) -> Result<Response, String> {
    let response = client.ask(request).map_err(|error| error.to_string())?;
    match response.errno {
        0 => Ok(response),
        errno => Err(format!("errno {errno}: {}", response.err_text)),
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn failed(error: &io::Error) -> Failure {
    Failure::usage(format!("fatal: {error}"))
}
