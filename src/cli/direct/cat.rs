//! `cat`: the content of files, one behind the other.

use super::faults::Faults;
use super::locate;
use super::screen::written;
use crate::cli::exit::Failure;
use crate::reader::{Content, Object, Stop};
use crate::sys::Errno;
use crate::vault::Vault;
use std::io::Write;
use std::path::PathBuf;

/// Zeros that are written for holes at once.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

pub(super) fn run(
    paths: &[PathBuf],
    vault: &Vault,
    faults: &mut Faults<'_>,
) -> Result<(), Failure> {
    let mut objects = Vec::new();
    for path in paths {
        objects.extend(locate(vault, path, true, faults)?);
    }
    let mut stdout = std::io::stdout().lock();
    for object in objects {
        match copy(vault, &object, &mut stdout) {
            Ok(()) => {}
            Err(Stop::Cause(cause)) => faults.tell(&object.fault(cause)),
            Err(Stop::Caller(failure)) => return Err(failure),
        }
    }
    written(stdout.flush())
}

fn copy(vault: &Vault, object: &Object, to: &mut impl Write) -> Result<(), Stop<Failure>> {
    if object.stat.is_dir() {
        return Err(Stop::Cause(Errno::ISDIR.into()));
    }
    let content = Content::open(vault, object).map_err(Stop::Cause)?;
    let mut at = 0;
    for data in content.data() {
        zeros(data.start - at, to).map_err(Stop::Caller)?;
        at = data.end;
        content.read(data, |_, piece| written(to.write_all(piece)))?;
    }
    zeros(content.size() - at, to).map_err(Stop::Caller)
}

fn zeros(mut len: u64, to: &mut impl Write) -> Result<(), Failure> {
    while len > 0 {
        let now = usize::try_from(len).map_or(ZEROS.len(), |len| len.min(ZEROS.len()));
        written(to.write_all(&ZEROS[..now]))?;
        len -= now as u64;
    }
    Ok(())
}
