//! What a check of a volume needs, from the command line.

use crate::cli::args::{FormatArgs, FsckArgs, MessageArgs, Words};
use crate::cli::command::{KeySource, Volume};
use crate::cli::exit::Failure;
use std::path::PathBuf;

/// What `-fsck` needs.
#[derive(Debug)]
pub(crate) struct FsckOptions {
    pub(crate) volume: Volume,
    pub(crate) key: KeySource,
    /// The format of a volume that is opened without its configuration file. The limits on long
    /// names hold in any case.
    pub(crate) format: FormatArgs,
    /// What to check, plain or encrypted; everything if empty.
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) args: FsckArgs,
    pub(crate) messages: MessageArgs,
}

impl FsckOptions {
    /// Checks the options against each other.
    ///
    /// # Errors
    /// Options that exclude each other.
    pub(crate) fn build(volume: Volume, words: Words) -> Result<Self, Failure> {
        let paths = words.paths.get(1..).unwrap_or_default().to_vec();
        if words.fsck.resume.is_some() && !paths.is_empty() {
            let message = "-resume is for checks of the whole volume, without paths";
            return Err(Failure::usage(message));
        }
        Ok(Self {
            volume,
            key: KeySource::build(&words.secret),
            format: words.format,
            paths,
            args: words.fsck,
            messages: words.messages,
        })
    }
}
