//! Tells a service manager that the file system is there, see `sd_notify(3)`: one datagram to the
//! socket that it names in the environment.

use super::output::Output;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What names the socket.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// Says that the file system is mounted, if anybody wants to know. Not being heard is no reason to
/// end.
pub(crate) fn ready(out: &Output) {
    let Some(socket) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return;
    };
    if let Err(error) = tell(&socket, b"READY=1\n") {
        out.warn(&format!("{VARIABLE} {}: {error}", socket.display()));
    }
}

fn tell(socket: &OsStr, message: &[u8]) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    UnixDatagram::unbound()?
        .send_to_addr(message, &address)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(listener: &UnixDatagram) -> Vec<u8> {
        let mut buffer = [0; 64];
        let len = listener.recv(&mut buffer).unwrap();
        buffer[..len].to_vec()
    }

    #[test]
    fn a_message_reaches_a_socket_in_the_file_system_and_an_abstract_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        tell(path.as_os_str(), b"READY=1\n").unwrap();
        assert_eq!(received(&listener), b"READY=1\n");

        let name = path.as_os_str().as_bytes();
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        let name = OsStr::from_bytes(name).to_string_lossy();
        tell(format!("@{name}").as_ref(), b"READY=1\n").unwrap();
        assert_eq!(received(&listener), b"READY=1\n");
    }

    #[test]
    fn nobody_there_is_an_error() {
        assert!(tell("/nonexistent/socket".as_ref(), b"").is_err());
    }
}
