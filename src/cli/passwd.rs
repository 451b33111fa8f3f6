//! `-passwd`: wraps the master key by another password.

use super::command::PasswdOptions;
use super::exit::{ExitCode, Failure};
use super::keys::{GivenKey, KeySource, PasswordSource};
use super::output::{Kind, Output};
use super::password::{self, Purpose};
use super::unlock;
use super::values::quoted;
use crate::format::Flag;
use crate::sys::Errno;
use crate::vault::conf::{ConfFile, WriteError};

/// The logarithm of scrypt's N that stands for an option value: anything below 1 means 16.
///
/// # Errors
/// With `code` if N would not be a number of 63 bits.
pub(crate) fn log_n(scryptn: i64, code: ExitCode) -> Result<u8, Failure> {
    match scryptn {
        ..=0 => Ok(16),
        1..=62 => Ok(u8::try_from(scryptn).unwrap_or_default()),
        _ => Err(Failure::new(code, format!("scryptn {scryptn} is too high"))),
    }
}

/// Changes the password.
///
/// # Errors
/// The volume cannot be opened, or the configuration file not be replaced; then the old password
/// is still the one.
pub(crate) fn run(options: &PasswdOptions, out: &Output) -> Result<ExitCode, Failure> {
    options.volume.announce(out);
    let log_n = options.scryptn.map(|n| log_n(n, ExitCode::ScryptParams));
    let log_n = log_n.transpose()?;
    let file = unlock::conf_file(&options.volume)?;
    let mut conf = unlock::open_conf(&file)?;
    if conf.flags().has(Flag::Fido2) {
        let message = "Password change is not supported on FIDO2-enabled filesystems.";
        return Err(Failure::usage(message));
    }
    let key = match &options.key {
        KeySource::Given(given) => unlock::given_key(given, out)?,
        KeySource::Password(source, _) => unlock::master_key(&conf, source, None, out)?,
    };
    out.info("Please enter your new password.");
    let password = password::read(&PasswordSource::Console, Purpose::Choose, out)?;
    let changed = conf.set_password(&key, &password, log_n);
    changed.map_err(|error| Failure::new(ExitCode::ScryptParams, error.to_string()))?;
    // With a key that has not been tried on this volume, the way back must stay open.
    let trusted_blindly = matches!(
        options.key,
        KeySource::Given(GivenKey::Hex(_) | GivenKey::Stdin)
    );
    if trusted_blindly {
        back_up(&file, out)?;
    }
    match file.replace(&conf) {
        Ok(()) => {}
        Err(error @ WriteError::NotDurable(_)) => out.warn(&error.to_string()),
        Err(error) => return Err(cannot_write(&file, error)),
    }
    out.write(Kind::Success, "Password changed.");
    Ok(ExitCode::Success)
}

fn back_up(file: &ConfFile, out: &Output) -> Result<(), Failure> {
    let path = quoted(file.backup_path());
    file.back_up().map_err(|errno| {
        let message = format!("Could not create backup file {path}: {errno}");
        let failure = Failure::new(ExitCode::Init, message);
        match errno {
            Errno::EXIST => failure.advise(
                "It was left by an earlier change. If the present password works, delete it.",
            ),
            _ => failure,
        }
    })?;
    out.write(
        Kind::Note,
        &format!(
            "A copy of the old config file has been created at {path}.\n\
             Delete it after you have verified that you can access your files with the new password."
        ),
    );
    Ok(())
}

/// The failure to write a configuration file.
pub(crate) fn cannot_write(file: &ConfFile, error: WriteError) -> Failure {
    let path = quoted(file.path());
    let message = format!("Cannot write config file {path}: {error}");
    let failure = Failure::new(ExitCode::WriteConf, message);
    match error {
        WriteError::TemporaryExists => failure.advise(format!(
            "Another process is changing the password, or was interrupted. Try again in a minute, \
             or delete {} if none is running.",
            quoted(file.temporary_path())
        )),
        _ => failure,
    }
}
