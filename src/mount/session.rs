//! A mounted file system: from the first request to the unmount.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::debug;

use crate::mount::adapter::Adapter;
use crate::mount::attach::{self, MountError, Options};
use crate::mount::idle::IdleMonitor;
use crate::mount::readahead;
use crate::mount::ring::Rings;
use crate::mount::server::Server;
use crate::vfs::Vfs;

/// Event loops at least and at most; more than a few make no difference.
const LOOPS: std::ops::RangeInclusive<usize> = 4..=16;

/// A mounted file system that is not running yet.
pub struct Session<V: Vfs> {
    fuse: fuser::Session<Adapter<V>>,
    server: Arc<Server<V>>,
    /// The FUSE device, if the kernel hands requests over through `io_uring`.
    ring_device: Option<OwnedFd>,
    unmounter: Unmounter,
}

/// Unmounts a session from another thread.
#[derive(Clone, Debug)]
pub struct Unmounter {
    mountpoint: PathBuf,
    /// Whether we have mounted, and not somebody else.
    is_ours: bool,
}

impl<V: Vfs> Session<V> {
    /// Mounts `fs`. Requests wait until [`Session::run`].
    ///
    /// # Errors
    /// What mounting says.
    pub fn mount(fs: Arc<V>, options: &Options) -> Result<Session<V>, MountError> {
        // The mount is where a symlink leads to, and can only be unmounted there.
        let options = &Options {
            mountpoint: std::fs::canonicalize(&options.mountpoint)?,
            ..options.clone()
        };
        let device = attach::attach(options)?;
        let session = Session::on(device, fs, options, true);
        if session.is_err() {
            // The mount point must not stay behind dead.
            let _ = attach::detach(&options.mountpoint, true);
        }
        Ok(session?)
    }

    /// Serves `fs` to a mount that somebody else has made, with this end of the FUSE device. Of
    /// the options, those count that are no mount options.
    ///
    /// # Errors
    /// What the FUSE device says.
    pub fn on_device(
        fs: Arc<V>,
        options: &Options,
        device: OwnedFd,
    ) -> Result<Session<V>, MountError> {
        Ok(Session::on(device, fs, options, false)?)
    }

    fn on(device: OwnedFd, fs: Arc<V>, options: &Options, is_ours: bool) -> io::Result<Session<V>> {
        let loops = std::thread::available_parallelism().map_or(1, usize::from);
        let mut config = fuser::Config::default();
        config.n_threads = Some(loops.clamp(*LOOPS.start(), *LOOPS.end()));
        // One end of the device for each loop, if we may open it: a user need not be allowed to.
        config.clone_fd = attach::open_device().is_ok();
        // Who may enter is the kernel's decision alone.
        let acl = fuser::SessionACL::All;
        let server = Arc::new(Server::new(fs, options));
        let adapter = Adapter::new(Arc::clone(&server), options);
        let (uses_rings, ring_device) = (adapter.uses_rings(), device.try_clone()?);
        let fuse = fuser::Session::from_fd(adapter, device, acl, config)?;
        if is_ours && let Err(error) = readahead::raise(&options.mountpoint) {
            debug!("the kernel reads ahead as far as it likes: {error}");
        }
        let unmounter = Unmounter {
            mountpoint: options.mountpoint.clone(),
            is_ours,
        };
        Ok(Session {
            fuse,
            server,
            ring_device: Some(ring_device).filter(|_| uses_rings.load(Ordering::Relaxed)),
            unmounter,
        })
    }

    /// What unmounts this session.
    pub fn unmounter(&self) -> Unmounter {
        self.unmounter.clone()
    }

    /// What unmounts this session when nobody uses it any more.
    pub fn idle_monitor(&self) -> IdleMonitor {
        IdleMonitor {
            activity: Arc::clone(&self.server.activity),
            unmounter: self.unmounter(),
        }
    }

    /// Answers requests until the file system is unmounted.
    ///
    /// # Errors
    /// What the FUSE device says.
    pub fn run(self) -> io::Result<()> {
        let start = |device| Rings::start(&self.server, &device, &self.unmounter);
        let rings = match self.ring_device.map(start).transpose() {
            Ok(rings) => rings,
            Err(error) => {
                // Nobody would ever be answered.
                let _ = self.unmounter.unmount(true);
                return Err(error);
            }
        };
        let ended = self.fuse.run();
        rings.into_iter().for_each(Rings::join);
        ended
    }
}

impl Unmounter {
    /// Unmounts; `lazy` also if something is in use, which then stays usable until it is closed.
    ///
    /// # Errors
    /// `EBUSY` if something is in use; what `umount2(2)` says. What somebody else has mounted is
    /// somebody else's to unmount.
    pub fn unmount(&self, lazy: bool) -> io::Result<()> {
        if self.is_ours {
            attach::detach(&self.mountpoint, lazy)
        } else {
            Err(io::Error::other("whoever mounted it has to unmount it"))
        }
    }

    /// The mount point, or what stands for it if somebody else has mounted.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }
}
