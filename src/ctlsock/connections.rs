//! The open connections, limited in number.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Connections at a time, each with a thread.
pub(super) const MAX: usize = 32;

/// The open connections.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<Open>,
    left: Condvar,
}

#[derive(Default)]
struct Open {
    last_id: u64,
    /// The one that has been silent longest comes first.
    streams: Vec<(u64, UnixStream)>,
}

/// The place of one connection, given back on drop.
pub(super) struct Place {
    all: Arc<Connections>,
    id: u64,
}

impl Connections {
    /// Finds a place for a connection. If there is none left, the one that has been silent longest
    /// is shut down, and its place is waited for.
    pub(super) fn admit(self: &Arc<Self>, stream: &UnixStream) -> io::Result<Place> {
        let stream = stream.try_clone()?;
        let mut open = self.open.lock();
        if let Some((_, silent)) = open.streams.first().filter(|_| open.streams.len() >= MAX) {
            // It fails only if the client has gone by itself.
            let _ = silent.shutdown(Shutdown::Both);
        }
        self.left
            .wait_while(&mut open, |open| open.streams.len() >= MAX);
        open.last_id += 1;
        let id = open.last_id;
        open.streams.push((id, stream));
        drop(open);
        Ok(Place {
            all: Arc::clone(self),
            id,
        })
    }
}

impl Place {
    /// Notes that the client has said something.
    pub(super) fn heard(&self) {
        let streams = &mut self.all.open.lock().streams;
        if let Some(at) = streams.iter().position(|(id, _)| *id == self.id) {
            streams[at..].rotate_left(1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all
            .open
            .lock()
            .streams
            .retain(|(id, _)| *id != self.id);
        self.all.left.notify_one();
    }
}
