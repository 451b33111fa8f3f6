//! The log of the system: journald with fields where it runs, else syslog.
//!
//! A line that cannot be sent is lost: a log that is slow to read must not hold up the file system.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Where journald listens, see the "native protocol" of systemd's journal.
const JOURNAL: &str = "/run/systemd/journal/socket";
/// Where a syslog daemon listens.
const SYSLOG: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];
/// The name under which lines are found.
const NAME: &str = "gocryptfs";
/// The facility "user" (RFC 3164, 4.1.1).
const FACILITY: u8 = 1;

/// A line for a log.
pub(crate) struct Line<'a> {
    /// How bad it is: 0 to 7 (RFC 3164, 4.1.1).
    pub(crate) severity: u8,
    /// What the user reads, without a newline.
    pub(crate) text: &'a str,
    /// The same in pieces, by name.
    pub(crate) fields: &'a [(&'static str, String)],
}

/// A connection to the log.
pub(crate) struct SystemLog {
    socket: UnixDatagram,
    is_journal: bool,
}

impl SystemLog {
    /// Looks for the log. `None` if there are no sockets at all.
    pub(crate) fn open() -> Option<SystemLog> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(SystemLog {
            socket,
            is_journal: Path::new(JOURNAL).exists(),
        })
    }

    /// Sends a line.
    pub(crate) fn send(&self, line: &Line<'_>) {
        let sent = |path: &str, datagram: &[u8]| self.socket.send_to(datagram, path).is_ok();
        if self.is_journal && sent(JOURNAL, &line.for_journal()) {
            return;
        }
        let datagram = line.for_syslog();
        SYSLOG.iter().find(|path| sent(path, datagram.as_bytes()));
    }
}

impl Line<'_> {
    /// In the form of RFC 3164, without the time: the receiver stamps it.
    fn for_syslog(&self) -> String {
        let (priority, pid) = (8 * FACILITY + self.severity, std::process::id());
        format!("<{priority}>{NAME}[{pid}]: {}", self.text)
    }

    fn for_journal(&self) -> Vec<u8> {
        let mut datagram = Vec::new();
        put(&mut datagram, "PRIORITY", &self.severity.to_string());
        put(&mut datagram, "SYSLOG_FACILITY", &FACILITY.to_string());
        put(&mut datagram, "SYSLOG_IDENTIFIER", NAME);
        put(&mut datagram, "SYSLOG_PID", &std::process::id().to_string());
        put(&mut datagram, "MESSAGE", self.text);
        for (name, value) in self.fields {
            put(&mut datagram, &name.to_ascii_uppercase(), value);
        }
        datagram
    }
}

/// Appends a field: one line, or, if the value has several, its length (64 bits, little-endian) in
/// front of it.
fn put(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_fields_in_the_journal_only() {
        let fields = [("inode", "7".to_owned()), ("odd", "a\nb".to_owned())];
        let line = Line {
            severity: 4,
            text: "read: bad",
            fields: &fields,
        };
        let pid = std::process::id();
        assert_eq!(
            line.for_syslog(),
            format!("<12>gocryptfs[{pid}]: read: bad")
        );
        let mut wanted = format!(
            "PRIORITY=4\nSYSLOG_FACILITY=1\nSYSLOG_IDENTIFIER=gocryptfs\nSYSLOG_PID={pid}\n\
             MESSAGE=read: bad\nINODE=7\nODD\n"
        )
        .into_bytes();
        wanted.extend_from_slice(b"\x03\0\0\0\0\0\0\0a\nb\n");
        assert_eq!(line.for_journal(), wanted);
    }
}
