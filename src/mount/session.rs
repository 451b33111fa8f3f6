//! A mounted file system: from the first request to the unmount.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mount::adapter::Adapter;
use crate::mount::attach::{self, Options};
use crate::mount::idle::{Activity, IdleMonitor};
use crate::vfs::Vfs;

/// Event loops at least and at most; more than a few make no difference.
const LOOPS: std::ops::RangeInclusive<usize> = 4..=16;

/// A mounted file system that is not running yet.
pub struct Session<V: Vfs> {
    fuse: fuser::Session<Adapter<V>>,
    activity: Arc<Activity>,
    mountpoint: PathBuf,
}

/// Unmounts a session from another thread.
#[derive(Clone, Debug)]
pub struct Unmounter {
    mountpoint: PathBuf,
}

impl<V: Vfs> Session<V> {
    /// Mounts `fs`. Requests wait until [`Session::run`].
    ///
    /// # Errors
    /// What mounting says.
    pub fn mount(fs: Arc<V>, options: &Options) -> io::Result<Session<V>> {
        let device = attach::attach(options)?;
        let loops = std::thread::available_parallelism().map_or(1, usize::from);
        let mut config = fuser::Config::default();
        config.n_threads = Some(loops.clamp(*LOOPS.start(), *LOOPS.end()));
        config.clone_fd = true;
        // Who may enter is the kernel's decision alone.
        let acl = fuser::SessionACL::All;
        let adapter = Adapter::new(fs, options);
        let activity = adapter.activity();
        match fuser::Session::from_fd(adapter, device, acl, config) {
            Ok(fuse) => Ok(Session {
                fuse,
                activity,
                mountpoint: options.mountpoint.clone(),
            }),
            Err(error) => {
                // The mount point must not stay behind dead.
                let _ = attach::detach(&options.mountpoint, true);
                Err(error)
            }
        }
    }

    /// What unmounts this session.
    pub fn unmounter(&self) -> Unmounter {
        Unmounter {
            mountpoint: self.mountpoint.clone(),
        }
    }

    /// What unmounts this session when nobody uses it any more.
    pub fn idle_monitor(&self) -> IdleMonitor {
        IdleMonitor {
            activity: Arc::clone(&self.activity),
            unmounter: self.unmounter(),
        }
    }

    /// Answers requests until the file system is unmounted.
    ///
    /// # Errors
    /// What the FUSE device says.
    pub fn run(self) -> io::Result<()> {
        self.fuse.run()
    }
}

impl Unmounter {
    /// Unmounts; `lazy` also if something is in use, which then stays usable until it is closed.
    ///
    /// # Errors
    /// `EBUSY` if something is in use; what `umount2(2)` says.
    pub fn unmount(&self, lazy: bool) -> io::Result<()> {
        attach::detach(&self.mountpoint, lazy)
    }

    /// The mount point.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }
}
