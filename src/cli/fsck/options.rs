//! What a check of a volume needs, from the command line.

use crate::cli::args::{FormatArgs, MessageArgs, Words, path};
use crate::cli::command::Volume;
use crate::cli::exit::Failure;
use crate::cli::keys::KeySource;
use crate::format::BadNames;
use crate::fsck::repair;
use clap::Args;
use std::path::PathBuf;

/// The options of a check.
#[derive(Args, Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "switches of the command line"
)]
pub(crate) struct FsckArgs {
    /// Print JSON, one object a line
    #[arg(long, hide_short_help = true)]
    pub(crate) json: bool,
    /// Checkpoint, to go on from if it exists
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) resume: Option<PathBuf>,
    /// Also report files that are clones of each other
    #[arg(long, hide_short_help = true)]
    pub(crate) verbose: bool,
    /// Mend what can be mended, after asking
    #[arg(long, hide_short_help = true)]
    pub(crate) repair: bool,
    /// Only show what a repair would do
    #[arg(long, hide_short_help = true)]
    pub(crate) dry_run: bool,
    /// Repair without asking
    #[arg(long, hide_short_help = true)]
    pub(crate) yes: bool,
    /// Damaged blocks: keep, zero or truncate
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value = "keep",
        hide_default_value = true,
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(crate) bad_blocks: BadBlocks,
    /// Where a repair saves originals
    #[arg(long, value_name = "DIR", value_parser = path(), hide_short_help = true)]
    pub(crate) save: Option<PathBuf>,
    /// List of plain names, for a repair
    #[arg(long, value_name = "FILE", value_parser = path(), hide_short_help = true)]
    pub(crate) names: Option<PathBuf>,
    /// Older copy of CIPHERDIR, for a repair
    #[arg(long, value_name = "DIR", value_parser = path(), hide_short_help = true)]
    pub(crate) backup: Option<PathBuf>,
}

/// What a repair does with blocks that do not open.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadBlocks {
    /// They stay
    Keep,
    /// They become zeros
    Zero,
    /// The file ends before the first one
    Truncate,
}

impl From<BadBlocks> for repair::BadBlocks {
    fn from(how: BadBlocks) -> Self {
        match how {
            BadBlocks::Keep => Self::Keep,
            BadBlocks::Zero => Self::Zero,
            BadBlocks::Truncate => Self::Truncate,
        }
    }
}

/// What `-fsck` needs.
#[derive(Debug)]
pub(crate) struct FsckOptions {
    pub(crate) volume: Volume,
    pub(crate) key: KeySource,
    /// The format of a volume that is opened without its configuration file. The limits on long
    /// names hold in any case.
    pub(crate) format: FormatArgs,
    /// Undecryptable names that are no damage.
    pub(crate) bad_names: BadNames,
    /// What to check, plain or encrypted; everything if empty.
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) args: FsckArgs,
    pub(crate) messages: MessageArgs,
}

impl FsckOptions {
    /// Whether a repair is to follow, or to be shown.
    pub(super) fn wants_repair(&self) -> bool {
        self.args.repair || self.args.dry_run
    }

    /// Checks the options against each other.
    ///
    /// # Errors
    /// Options that exclude each other.
    pub(crate) fn build(
        volume: Volume,
        bad_names: BadNames,
        words: Words,
    ) -> Result<Self, Failure> {
        let paths = words.paths.get(1..).unwrap_or_default().to_vec();
        if words.fsck.resume.is_some() && !paths.is_empty() {
            let message = "-resume is for checks of the whole volume, without paths";
            return Err(Failure::usage(message));
        }
        if words.fsck.resume.is_some() && (words.fsck.repair || words.fsck.dry_run) {
            let message = "The options -resume and -repair cannot be used at the same time";
            return Err(Failure::usage(message));
        }
        Ok(Self {
            volume,
            key: KeySource::build(&words.secret),
            format: words.format,
            bad_names,
            paths,
            args: words.fsck,
            messages: words.messages,
        })
    }
}
