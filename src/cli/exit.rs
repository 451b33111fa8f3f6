//! How a run ends: the exit codes that scripts and desktop programs know, and the one error type
//! of the command line. Only the binary turns them into the end of the process.

/// Why the process ends, as other programs see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// Done.
    Success,
    /// The command line makes no sense, or asks for what this volume cannot do.
    Usage,
    /// A warning, and the user wants warnings to be the end.
    Panic,
    /// The inspector does not know an option.
    Option,
    /// CIPHERDIR is not a directory, or not empty where a new volume should go.
    CipherDir,
    /// A new volume could not be completed.
    Init,
    /// `-info` could not read the configuration file.
    LoadConf,
    /// No password could be read.
    ReadPassword,
    /// The mount point cannot be used.
    MountPoint,
    /// The configuration file is missing, unreadable or not understood; other failures.
    Other,
    /// The password does not open the volume.
    PasswordIncorrect,
    /// The volume's scrypt parameters cannot be used.
    ScryptParams,
    /// The master key given by the user is no key.
    MasterKey,
    /// Ended by SIGINT or SIGTERM.
    Signal,
    /// The background process could not be started.
    ForkChild,
    /// The kernel or fusermount refused the mount.
    Fuse,
    /// The control socket could not be made.
    CtlSock,
    /// The configuration file could not be written.
    WriteConf,
    /// A check or an export has found damage, or could not look at everything.
    FsckErrors,
    /// The configuration file contradicts itself or is of an unsupported version.
    DeprecatedFs,
    /// Exclusion patterns where there is nothing to exclude from.
    Exclude,
    /// The FIDO2 token, or a program that talks to it, failed.
    Fido2,
    /// The end of the background process, passed on by its parent.
    Child(u8),
}

impl ExitCode {
    /// The number that the operating system gets.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Usage => 1,
            Self::Panic | Self::Option => 2,
            Self::CipherDir => 6,
            Self::Init => 7,
            Self::LoadConf => 8,
            Self::ReadPassword => 9,
            Self::MountPoint => 10,
            Self::Other => 11,
            Self::PasswordIncorrect => 12,
            Self::ScryptParams => 13,
            Self::MasterKey => 14,
            Self::Signal => 15,
            Self::ForkChild => 17,
            Self::Fuse => 19,
            Self::CtlSock => 20,
            Self::WriteConf => 24,
            Self::FsckErrors => 26,
            Self::DeprecatedFs => 27,
            Self::Exclude => 29,
            Self::Fido2 => 31,
            Self::Child(code) => code,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.number().into()
    }
}

/// A run that failed: what the user reads on stderr, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: ExitCode,
    /// What went wrong: one or more lines without a final newline; empty if all has been said.
    pub(crate) message: String,
    /// What to do about it, where that is known, in the same form.
    pub(crate) advice: Option<String>,
}

impl Failure {
    /// A failure with a message for the user.
    pub(crate) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            advice: None,
        }
    }

    /// The same failure, and what to do about it.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    /// Work that was ended by a signal.
    pub(crate) fn interrupted() -> Self {
        Self::new(ExitCode::Signal, "Interrupted")
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }
}
