//! `-passfile`: the first lines of files, one behind the other.

use super::{LEN_MAX, failure};
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::values::quoted;
use crate::crypto::Password;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Reads one line of each file.
pub(super) fn read(paths: &[PathBuf], out: &Output) -> Result<Password, Failure> {
    let mut password = Zeroizing::new(Vec::with_capacity(LEN_MAX * paths.len()));
    for path in paths {
        password.extend_from_slice(&first_line(path, out)?);
    }
    if password.len() > LEN_MAX {
        return Err(too_long());
    }
    Ok(Password::new(std::mem::take(&mut *password)))
}

fn first_line(path: &Path, out: &Output) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = quoted(path);
    out.info(&format!("passfile: reading from file {name}"));
    #[expect(
        clippy::disallowed_methods,
        reason = "the user's own path, which may be a symlink or, like /dev/fd/N, a pipe"
    )]
    let file = File::open(path);
    let file =
        file.map_err(|error| failure(format!("fatal: passfile: could not open {name}: {error}")))?;
    let mut content = start_of(file).map_err(|error| {
        failure(format!(
            "fatal: passfile: could not read from {name}: {error}"
        ))
    })?;
    let end = content.iter().position(|byte| *byte == b'\n');
    match end {
        None if content.is_empty() => {
            let message = format!("fatal: passfile: could not read from {name}: EOF");
            return Err(failure(message));
        }
        Some(0) => {
            let message = format!("fatal: passfile: empty first line in {name}");
            return Err(failure(message));
        }
        _ => {}
    }
    let len = end.unwrap_or(content.len());
    if len > LEN_MAX {
        return Err(too_long());
    }
    if content.len() > len + 1 {
        out.warn("warning: passfile: ignoring trailing garbage after first line");
    }
    content.truncate(len);
    Ok(content)
}

fn too_long() -> Failure {
    failure(format!(
        "fatal: passfile: max password length ({LEN_MAX} bytes) exceeded"
    ))
}

/// Reads until there is a newline or the password would be too long. A pipe whose writer keeps it
/// open is thus not waited for.
fn start_of(mut file: File) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(vec![0; LEN_MAX + 2]);
    let mut len = 0;
    loop {
        let got = file.read(&mut content[len..])?;
        let end = len + got;
        let is_complete = content[len..end].contains(&b'\n');
        len = end;
        if got == 0 || is_complete || len == content.len() {
            content.truncate(len);
            return Ok(content);
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]
mod tests {
    use super::*;

    fn password(contents: &[&[u8]]) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().unwrap();
        let files = contents.iter().enumerate().map(|(number, content)| {
            let path = dir.path().join(number.to_string());
            std::fs::write(&path, content).unwrap();
            path
        });
        let paths: Vec<PathBuf> = files.collect();
        match read(&paths, &Output::new(true, false)) {
            Ok(password) => Ok(password.expose().to_vec()),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn first_lines_are_put_together() {
        assert_eq!(password(&[b"a b\nrest"]).unwrap(), b"a b");
        assert_eq!(
            password(&[b"one", b"two\n", b"\xff\r\n"]).unwrap(),
            b"onetwo\xff\r"
        );
    }

    #[test]
    fn an_empty_file_or_line_is_no_password() {
        assert!(password(&[b""]).unwrap_err().ends_with(": EOF"));
        let error = password(&[b"a", b"\nb"]).unwrap_err();
        assert!(
            error.starts_with("fatal: passfile: empty first line in "),
            "{error}"
        );
    }

    #[test]
    fn a_password_has_at_most_2048_bytes() {
        let longest = [b'x'; LEN_MAX];
        assert_eq!(password(&[&longest]).unwrap(), longest);
        let wanted = "fatal: passfile: max password length (2048 bytes) exceeded";
        assert_eq!(password(&[&[b'x'; LEN_MAX + 1]]).unwrap_err(), wanted);
        assert_eq!(password(&[&[b'x'; 9999]]).unwrap_err(), wanted);
        assert_eq!(password(&[&longest, b"y"]).unwrap_err(), wanted);
    }

    #[test]
    fn a_missing_file_is_named() {
        let path = PathBuf::from("/nonexistent/file");
        let error = read(&[path], &Output::new(true, false)).unwrap_err();
        let wanted = "fatal: passfile: could not open \"/nonexistent/file\": ";
        assert!(error.message.starts_with(wanted), "{error}");
    }
}
