//! One line of input, read byte by byte, so that not a byte behind the newline is taken.

use super::{LEN_MAX, failure};
use crate::cli::exit::Failure;
use crate::crypto::Password;
use rustix::io::{Errno, read, retry_on_intr};
use std::os::fd::AsFd;
use zeroize::Zeroizing;

/// The bytes before the newline or the end of the input; wiped on drop. At most one more than a
/// password may have.
pub(super) struct Line(Zeroizing<Vec<u8>>);

impl Line {
    /// Reads to the first newline, which is dropped, or to the end. Stops when it is too long.
    pub(super) fn read(from: impl AsFd) -> Result<Self, Errno> {
        let mut line = Self::empty();
        while line.take_byte(&from)? {}
        Ok(line)
    }

    /// A line of which nothing has been read.
    pub(super) fn empty() -> Self {
        // Room for all from the start: a vector that grows leaves copies behind.
        Self(Zeroizing::new(Vec::with_capacity(LEN_MAX + 1)))
    }

    /// Reads one byte more. Returns whether the line goes on.
    pub(super) fn take_byte(&mut self, from: impl AsFd) -> Result<bool, Errno> {
        let mut byte = Zeroizing::new([0]);
        let got = retry_on_intr(|| read(&from, &mut byte[..]))?;
        if got == 0 || byte[0] == b'\n' {
            return Ok(false);
        }
        self.0.push(byte[0]);
        Ok(self.0.len() <= LEN_MAX)
    }

    /// The line as a password.
    pub(super) fn password(mut self) -> Result<Password, Failure> {
        if self.0.len() > LEN_MAX {
            let message = format!("maximum password length of {LEN_MAX} bytes exceeded");
            return Err(failure(message));
        }
        Ok(Password::new(std::mem::take(&mut *self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, Read, Write};

    fn pipe(content: &[u8]) -> PipeReader {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(content).unwrap();
        reader
    }

    fn password(content: &[u8]) -> Vec<u8> {
        let line = Line::read(pipe(content)).unwrap();
        line.password().unwrap().expose().to_vec()
    }

    #[test]
    fn a_line_ends_at_the_newline_or_the_end() {
        assert_eq!(password(b"a b\r\nc"), b"a b\r");
        assert_eq!(password(b"\xff\0"), b"\xff\0");
        assert_eq!(password(b"\nc"), b"");
        assert_eq!(password(b""), b"");
    }

    #[test]
    fn what_follows_the_newline_stays_unread() {
        let mut input = pipe(b"one\ntwo\nrest");
        assert_eq!(Line::read(&input).unwrap().0.as_slice(), b"one");
        assert_eq!(Line::read(&input).unwrap().0.as_slice(), b"two");
        let mut rest = String::new();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "rest");
    }

    #[test]
    fn a_password_has_at_most_2048_bytes() {
        assert_eq!(password(&[b'x'; LEN_MAX]).len(), LEN_MAX);
        let line = Line::read(pipe(&[b'x'; LEN_MAX + 1])).unwrap();
        let message = line.password().unwrap_err().message;
        assert_eq!(message, "maximum password length of 2048 bytes exceeded");
    }
}
