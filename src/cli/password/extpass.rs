//! `-extpass`: the password is what a program prints in its first line.

use super::{failure, line::Line};
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::values::quoted;
use crate::crypto::Password;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use zeroize::Zeroizing;

/// Runs the program and reads its first line. A single word is split at blanks.
pub(super) fn read(words: &[OsString], out: &Output) -> Result<Password, Failure> {
    let words = match words {
        [line] => line
            .as_bytes()
            .split(|byte| *byte == b' ')
            .map(OsStr::from_bytes)
            .collect(),
        words => words.iter().map(OsString::as_os_str).collect::<Vec<_>>(),
    };
    let Some((program, arguments)) = words.split_first() else {
        return Err(failure("extpass: no program given"));
    };
    let shown: Vec<String> = arguments.iter().map(quoted).collect();
    let (name, shown) = (quoted(program), shown.join(" "));
    out.info(&format!(
        "Reading password from extpass program {name}, arguments: [{shown}]"
    ));
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failure(format!("extpass cmd start failed: {name}: {error}")))?;
    let password = output_of(child)?;
    if password.is_empty() {
        return Err(failure("extpass: password is empty"));
    }
    Ok(password)
}

fn output_of(mut child: Child) -> Result<Password, Failure> {
    let unreadable =
        |error: &dyn std::fmt::Display| failure(format!("extpass: cannot read: {error}"));
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| unreadable(&"no output"))?;
    let line = Line::read(&stdout).map_err(|errno| unreadable(&errno));
    discard(stdout);
    match super::end_of(child).map_err(|error| unreadable(&error))? {
        Some(status) => Err(failure(format!(
            "extpass program returned an error: {status}"
        ))),
        None => line?.password(),
    }
}

/// Takes further lines, so that the program is not ended by a broken pipe. If reading fails, it is.
fn discard(mut stdout: impl Read) {
    let mut rest = Zeroizing::new([0; 512]);
    while stdout.read(&mut rest[..]).is_ok_and(|len| len > 0) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(words: &[&str]) -> Result<Vec<u8>, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        match read(&words, &Output::new(true, false)) {
            Ok(password) => Ok(password.expose().to_vec()),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn one_word_is_split_at_every_blank() {
        assert_eq!(password(&["printf %s, a  b"]).unwrap(), b"a,,b,");
    }

    #[test]
    fn several_words_are_taken_as_they_are() {
        assert_eq!(
            password(&["printf", "%s-%s", "a b", "c"]).unwrap(),
            b"a b-c"
        );
    }

    #[test]
    fn the_first_line_counts_and_the_rest_does_no_harm() {
        assert_eq!(
            password(&["sh", "-c", "echo pw; seq 100000"]).unwrap(),
            b"pw"
        );
    }

    #[test]
    fn a_program_that_fails_or_says_nothing_gives_no_password() {
        let wanted = "extpass program returned an error: exit status 3";
        assert_eq!(
            password(&["sh", "-c", "echo pw; exit 3"]).unwrap_err(),
            wanted
        );
        let wanted = "extpass program returned an error: signal 15";
        assert_eq!(password(&["sh", "-c", "kill $$"]).unwrap_err(), wanted);
        assert_eq!(
            password(&["true"]).unwrap_err(),
            "extpass: password is empty"
        );
        let error = password(&["/nonexistent/program"]).unwrap_err();
        assert!(error.starts_with("extpass cmd start failed: "), "{error}");
        password(&[""]).unwrap_err();
    }
}
