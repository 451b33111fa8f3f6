//! The socket in the file system: there from the start of the daemon to its end.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::info;

use crate::ctlsock::{message, serve};
use crate::vfs::Paths;

/// A socket that clients can connect to; its file is removed on drop.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file.
    file: (u64, u64),
}

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("ctlsock: listen unix {}: bind: {}", .path.display(), message(.error))]
pub struct BindError {
    path: PathBuf,
    error: io::Error,
}

impl ControlSocket {
    /// Makes the socket at `path`, which should be absolute. Clients wait until
    /// [`ControlSocket::serve`].
    ///
    /// # Errors
    /// There is such a file already, unless it is a socket that nobody serves any more; what
    /// `bind(2)` says.
    pub fn bind(path: &Path) -> Result<ControlSocket, BindError> {
        remove_orphan(path);
        let bound = UnixListener::bind(path).and_then(|listener| {
            let file = std::fs::symlink_metadata(path)?;
            Ok((listener, (file.dev(), file.ino())))
        });
        let path = path.to_owned();
        match bound {
            Ok((listener, file)) => Ok(ControlSocket {
                listener,
                path,
                file,
            }),
            Err(error) => Err(BindError { path, error }),
        }
    }

    /// Answers clients, in threads of its own, from now on.
    ///
    /// # Errors
    /// There is no thread or descriptor left.
    pub fn serve(&self, paths: Arc<dyn Paths>) -> io::Result<()> {
        serve::start(self.listener.try_clone()?, paths)
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Somebody may have put another file in its place.
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        if ours {
            remove(&self.path);
        }
    }
}

/// Removes what a daemon left behind that was killed.
fn remove_orphan(path: &Path) {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let is_dead = || {
        UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    if is_socket && is_dead() {
        info!("ctlsock: deleting orphaned socket file {}", path.display());
        remove(path);
    }
}

fn remove(path: &Path) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the user's own path; a socket can only be made by its path as well"
    )]
    let _ = std::fs::remove_file(path);
}
