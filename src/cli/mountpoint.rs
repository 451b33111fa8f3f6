//! Whether a directory can become the mount point.

use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::paths;
use super::values::quoted;
use std::path::{Path, PathBuf};

/// The mount point as an absolute path.
///
/// # Errors
/// It would hide CIPHERDIR or lies in it, is no directory, or is not empty although
/// `may_have_entries` is not set.
pub(crate) fn check(
    given: &Path,
    volume: &Volume,
    may_have_entries: bool,
) -> Result<PathBuf, Failure> {
    let refuse = |message: String| Failure::new(ExitCode::MountPoint, message);
    let path = paths::absolute(given)?;
    let (shown, cipherdir) = (quoted(&path), quoted(&volume.cipherdir));
    if volume.cipherdir.starts_with(&path) {
        return Err(refuse(format!(
            "Mountpoint {shown} would shadow cipherdir {cipherdir}, this is not supported"
        )));
    }
    if path.starts_with(&volume.cipherdir) {
        return Err(refuse(format!(
            "Mountpoint {shown} is contained in cipherdir {cipherdir}, this is not supported"
        )));
    }
    let invalid = |what: String| refuse(format!("Invalid mountpoint: {what}"));
    paths::check_dir(&path).map_err(invalid)?;
    if !may_have_entries && !paths::is_empty_dir(&path).map_err(invalid)? {
        return Err(invalid(format!(
            "directory {} not empty\nUse -nonempty to mount over it.",
            path.display()
        )));
    }
    Ok(path)
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
        assert!(refused(false).contains(" not empty\n"));
        assert_eq!(refused(true), "accepted");
    }
}
