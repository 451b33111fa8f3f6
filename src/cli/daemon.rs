//! Going into the background: a second process does everything, up to and including the mount,
//! and tells the first one when it has succeeded.
//!
//! The first process thus ends with the real result, and the second one can ask for a password,
//! because it has the same stdin, stdout and stderr until it is done with them.

use super::exit::{ExitCode, Failure};
use super::output::Output;
use crate::sys::inherited;
use crate::sys::process;
use crate::sys::signal::{self, Signal};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs this program again with the same command line, and waits until that process has mounted
/// the file system or ended.
///
/// # Errors
/// The process cannot be started or waited for.
pub(crate) fn start(line: &[OsString]) -> Result<ExitCode, Failure> {
    let cannot = |what: &str, error: &dyn std::fmt::Display| {
        Failure::new(
            ExitCode::ForkChild,
            format!("Cannot {what} the background process: {error}"),
        )
        .advise("-fg mounts without one.")
    };
    let signals = [Signal::USR1, Signal::CHILD];
    signal::block(&signals).map_err(|errno| cannot("wait for", &errno))?;
    let (name, arguments) = line
        .split_first()
        .ok_or_else(|| cannot("start", &"no name"))?;
    let mut again = Command::new("/proc/self/exe");
    again
        .arg0(name)
        .arg("-fg")
        .arg(format!("-notifypid={}", process::own_pid()))
        .args(arguments);
    signal::unblock_in(&mut again);
    let mut child = again.spawn().map_err(|error| cannot("start", &error))?;
    loop {
        let arrived = signal::wait(&signals).map_err(|errno| cannot("wait for", &errno))?;
        if arrived == Signal::USR1 {
            return Ok(ExitCode::Success);
        }
        let ended = child
            .try_wait()
            .map_err(|error| cannot("wait for", &error))?;
        if let Some(status) = ended {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(ExitCode::Child(code.unwrap_or(u8::MAX)));
        }
    }
}

/// Makes this process a daemon and tells `parent` that all is well. Unless `keep_output`, messages
/// go to the system log from now on, and whoever reads our stdout or stderr sees their end.
pub(crate) fn detach(parent: u32, keep_output: bool, out: &Output) {
    let warn = |what: &str, result: Result<(), crate::sys::Errno>| {
        if let Err(errno) = result {
            out.warn(&format!("{what}: {errno}"));
        }
    };
    warn("chdir", process::chdir_root());
    warn("setsid", process::setsid());
    if !keep_output {
        out.switch_to_system_log();
        warn("releasing stdout", process::null_output());
    }
    warn("releasing stdin", process::null_stdin());
    warn("releasing descriptors", inherited::close_inherited());
    warn("notifying the parent", signal::send(parent, Signal::USR1));
}
