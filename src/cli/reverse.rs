//! The view that reverse mode mounts, and what the user wants left out of it.

use super::args::ReverseArgs;
use super::command::MountOptions;
use super::exit::{ExitCode, Failure};
use super::keys::KeySource;
use super::mount::cannot_open;
use super::unlock::Unlocked;
use super::values::quoted;
use crate::crypto::ContentSuite;
use crate::reverse::{Exclusions, Options, Reverse};
use std::os::unix::ffi::OsStrExt;

/// The encrypted view of a plain directory.
///
/// # Errors
/// The directory cannot be opened, or the exclusions not be read; the volume is not encrypted with
/// AES-SIV.
pub(super) fn view(options: &MountOptions, unlocked: &Unlocked) -> Result<Reverse, Failure> {
    if unlocked.params.content != ContentSuite::AesSiv {
        let message = match options.key {
            KeySource::Given(_) => "AES-SIV is required by reverse mode",
            KeySource::Password(..) => {
                "AES-SIV is required by reverse mode, but not enabled in the config file"
            }
        };
        return Err(Failure::usage(message));
    }
    let args = &options.reverse;
    let patterns = patterns(args)?;
    let exclusions = Exclusions::new(patterns.iter().map(Vec::as_slice));
    let exclusions =
        exclusions.map_err(|error| Failure::new(ExitCode::Exclude, error.to_string()))?;
    let path = &options.volume.cipherdir;
    let view = Options {
        force_owner: options.force_owner,
        kernel_cache: options.kernel.kernel_cache,
        one_file_system: args.one_file_system,
        show_config: options.volume.config.is_none(),
        newest: args.reverse_newest,
    };
    let (params, key) = (&unlocked.params, &unlocked.key);
    Reverse::open(path, params, key, view, exclusions).map_err(|error| cannot_open(path, &error))
}

/// All patterns, in the order of their weight: paths from the top, wildcards, lines of files.
fn patterns(args: &ReverseArgs) -> Result<Vec<Vec<u8>>, Failure> {
    let paths = args
        .exclude
        .iter()
        .map(|path| [b"/", path.as_bytes()].concat());
    let wildcards = args
        .exclude_wildcard
        .iter()
        .map(|text| text.as_bytes().to_vec());
    let mut patterns: Vec<Vec<u8>> = paths.chain(wildcards).collect();
    for file in &args.exclude_from {
        #[allow(
            clippy::disallowed_methods,
            reason = "a file of the user's, who may well have a link to it"
        )]
        let text = std::fs::read(file).map_err(|error| {
            let file = quoted(file);
            let message = format!("Error reading exclusion patterns: {file}: {error}");
            Failure::new(ExitCode::Exclude, message)
        })?;
        patterns.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
    Ok(patterns)
}
