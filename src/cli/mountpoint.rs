//! Whether a directory can become the mount point.

use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::paths::{self, BadDir, Purpose};
use super::values::quoted;
use crate::mount::{self, MountError, Session};
use crate::sys::{Errno, inherited};
use crate::vfs::Vfs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the file system is to appear.
pub(crate) enum Place {
    /// This directory.
    Directory(PathBuf),
    /// A mount that somebody else has made, of which this is the end of the FUSE device. It is
    /// handed over by its number (mount.fuse3(8), `drop_privileges`).
    Device(OwnedFd),
}

impl Place {
    /// Lets `fs` appear here.
    ///
    /// # Errors
    /// What mounting says.
    pub(crate) fn attach<V: Vfs>(
        self,
        fs: Arc<V>,
        mut options: mount::Options,
    ) -> Result<Session<V>, Failure> {
        let session = match self {
            Self::Directory(path) => {
                options.mountpoint = path;
                Session::mount(fs, &options)
            }
            Self::Device(device) => Session::on_device(fs, &options, device),
        };
        session.map_err(|error| {
            let failure = Failure::new(ExitCode::Fuse, format!("fs.Mount failed: {error}"));
            match &error {
                MountError::Device(Errno::NOENT | Errno::NODEV | Errno::NXIO) => failure.advise(
                    "The kernel lacks FUSE: \"modprobe fuse\" loads it. A container needs the \
                     options\n--device /dev/fuse --cap-add SYS_ADMIN.",
                ),
                MountError::NoHelper(..) => failure.advise(
                    "Install the package fuse3: its fusermount3 mounts for users without \
                     privileges.",
                ),
                _ => failure,
            }
        })
    }
}

/// The mount point as the user gave it, checked.
///
/// # Errors
/// It would hide CIPHERDIR or lies in it, is no directory, or is not empty although
/// `may_have_entries` is not set.
pub(crate) fn check(
    given: &Path,
    volume: &Volume,
    may_have_entries: bool,
) -> Result<Place, Failure> {
    if let Some(device) = inherited_device(given) {
        return Ok(Place::Device(device));
    }
    let refuse = |message: String| Failure::new(ExitCode::MountPoint, message);
    let elsewhere = "Choose a directory elsewhere.";
    let path = paths::absolute(given)?;
    let (shown, cipherdir) = (quoted(&path), quoted(&volume.cipherdir));
    if volume.cipherdir.starts_with(&path) {
        let message =
            format!("Mountpoint {shown} would shadow cipherdir {cipherdir}, this is not supported");
        return Err(refuse(message).advise(elsewhere));
    }
    if path.starts_with(&volume.cipherdir) {
        let message = format!(
            "Mountpoint {shown} is contained in cipherdir {cipherdir}, this is not supported"
        );
        return Err(refuse(message).advise(elsewhere));
    }
    let invalid = |defect: BadDir| defect.failure(ExitCode::MountPoint, Purpose::Mountpoint);
    paths::check_dir(&path).map_err(invalid)?;
    if !may_have_entries && !paths::is_empty_dir(&path).map_err(invalid)? {
        let message = format!("Invalid mountpoint: directory {} not empty", path.display());
        return Err(refuse(message).advise("Use -nonempty to mount over it."));
    }
    Ok(Place::Directory(path))
}

/// The descriptor that `/dev/fd/N` stands for, if it is a device.
fn inherited_device(given: &Path) -> Option<OwnedFd> {
    let number = given.to_str()?.strip_prefix("/dev/fd/")?.parse().ok()?;
    let device = inherited::inherited(number).ok()?;
    let metadata = std::fs::metadata(given).ok()?;
    metadata.file_type().is_char_device().then_some(device)
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "the tests are the user, who goes by paths"
)]
mod tests {
    use super::*;

    fn refused(given: &Path, cipherdir: &Path, may_have_entries: bool) -> String {
        let volume = Volume {
            cipherdir: cipherdir.to_owned(),
            is_reverse: false,
            config: None,
        };
        match check(given, &volume, may_have_entries) {
            Ok(_) => "accepted".to_owned(),
            Err(failure) => {
                assert_eq!(failure.code, ExitCode::MountPoint);
                failure.message
            }
        }
    }

    #[test]
    fn volume_and_mount_point_do_not_contain_each_other() {
        let refused =
            |given: &str, cipherdir: &str| refused(Path::new(given), Path::new(cipherdir), true);
        assert!(refused("/a/b", "/a/b").contains("would shadow cipherdir"));
        assert!(refused("/a/../", "/a/b").contains("would shadow cipherdir"));
        assert!(refused("/a/b/c", "/a/b").contains("is contained in cipherdir"));
        assert!(refused("/a/bc", "/a/b").starts_with("Invalid mountpoint: "));
    }

    #[test]
    fn only_a_device_is_a_mount_that_somebody_else_has_made() {
        let number = |file: &std::fs::File| {
            let number = std::os::fd::AsRawFd::as_raw_fd(file);
            inherited_device(Path::new(&format!("/dev/fd/{number}")))
        };
        let device = std::fs::File::open("/dev/null").unwrap();
        assert!(number(&device).is_some());
        let dir = tempfile::tempdir().unwrap();
        assert!(number(&std::fs::File::open(dir.path()).unwrap()).is_none());
        assert!(inherited_device(Path::new("/dev/fd/x")).is_none());
        assert!(inherited_device(Path::new("/dev/null")).is_none());
    }

    #[test]
    fn a_mount_point_is_an_empty_directory() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |may_have_entries| {
            refused(
                dir.path(),
                Path::new("/nonexistent/volume"),
                may_have_entries,
            )
        };
        assert_eq!(refused(false), "accepted");
        std::fs::write(dir.path().join("entry"), "").unwrap();
        assert!(refused(false).ends_with(" not empty"));
        assert_eq!(refused(true), "accepted");
    }
}
