//! `-init`: makes a new volume.
//!
//! Nothing that exists is overwritten. What can be wrong is looked for before the password is
//! asked for.

use super::command::{InitOptions, Volume};
use super::cpu;
use super::exit::{ExitCode, Failure};
use super::help::CREATOR;
use super::keys::{PasswordSource, Token};
use super::output::{Kind, Output};
use super::passwd::{cannot_write, log_n};
use super::password::{self, Purpose, fido2};
use super::paths::{self, BadDir};
use super::unlock;
use super::values::{push_hexadecimal, quoted};
use crate::crypto::{ContentSuite, MasterKey, Password, Secret};
use crate::format::{DIRIV_NAME, DirIv, FeatureDefect, FeatureFlags, Flag, InitChoices};
use crate::sys::{Backing, Dir};
use crate::vault::conf::{Conf, ConfFile, Fido2Object, MakeError, WriteError};
use std::path::Path;

/// The cost of guessing a password if the user does not choose another.
const LOG_N: u8 = 16;

/// Makes a volume in an empty directory.
///
/// # Errors
/// The directory is not empty, there is a configuration file already, or something cannot be
/// written.
pub(crate) fn run(options: &InitOptions, out: &Output) -> Result<ExitCode, Failure> {
    let volume = &options.volume;
    volume.announce(out);
    let log_n = options
        .scryptn
        .map_or(Ok(LOG_N), |n| log_n(n, ExitCode::WriteConf))?;
    let flags = FeatureFlags::for_init(choices(options)?);
    if !volume.is_reverse {
        check_empty(&volume.cipherdir)?;
    }
    let file = new_conf_file(volume)?;
    if let Some(notice) = slow_cipher(flags.params(true).content, cpu::has_aes_gcm()) {
        out.write(Kind::Note, notice);
    }
    let (password, fido2) = password(options, out)?;
    let key = match &options.key {
        Some(given) => unlock::given_key(given, out)?,
        None => MasterKey(Secret::random()),
    };
    let conf = Conf::new(CREATOR, flags, &key, &password, log_n, fido2);
    let conf = conf.map_err(|error| {
        let failure = Failure::new(ExitCode::WriteConf, error.to_string());
        match error {
            MakeError::Defect(_) => failure,
            MakeError::Kdf(_) => failure.advise("Choose a lower -scryptn."),
        }
    })?;
    show_key(&key, out);
    match file.create(&conf) {
        Ok(()) => {}
        Err(WriteError::Exists) => return Err(exists(&file)),
        Err(error @ WriteError::NotDurable(_)) => out.warn(&error.to_string()),
        Err(error) => return Err(cannot_write(&file, error)),
    }
    if flags.has(Flag::DirIv) && !volume.is_reverse {
        make_dir_iv(&volume.cipherdir)?;
    }
    congratulate(volume, out);
    Ok(ExitCode::Success)
}

/// The password to be, and what a token needs to give it if it is the token's secret.
fn password(
    options: &InitOptions,
    out: &Output,
) -> Result<(Password, Option<Fido2Object>), Failure> {
    if let Some(Token {
        device,
        assert_options,
    }) = &options.token
    {
        let name = options.volume.cipherdir.file_name().unwrap_or("/".as_ref());
        let values = fido2::register(device, name, assert_options, out)?;
        return Ok((fido2::secret(device, &values, out)?, Some(values)));
    }
    if !matches!(options.password, PasswordSource::Program(_)) {
        out.info("Choose a password for protecting your files.");
    }
    let password = password::read(&options.password, Purpose::Choose, out)?;
    Ok((password, None))
}

fn choices(options: &InitOptions) -> Result<InitChoices, Failure> {
    let format = &options.format;
    let content = match (format.xchacha, format.aessiv) {
        (true, true) => {
            let message = FeatureDefect::TwoCiphers.to_string();
            return Err(Failure::new(ExitCode::WriteConf, message));
        }
        (true, false) => ContentSuite::XChaCha,
        (false, true) => ContentSuite::AesSiv,
        (false, false) => ContentSuite::AesGcm,
    };
    Ok(InitChoices {
        content,
        plaintext_names: format.plaintextnames,
        deterministic_names: format.deterministic_names,
        long_name_max: format.longnamemax,
        fido2: options.token.is_some(),
    })
}

/// What to know about a cipher for which the processor has no instructions.
fn slow_cipher(suite: ContentSuite, has_aes_gcm: bool) -> Option<&'static str> {
    (suite == ContentSuite::AesGcm && !has_aes_gcm).then_some(
        "Notice: Your CPU does not have AES-GCM acceleration. Consider using -xchacha for better \
         performance.",
    )
}

fn check_empty(cipherdir: &Path) -> Result<(), Failure> {
    let code = ExitCode::CipherDir;
    let invalid = |defect: BadDir| defect.failure(code, paths::Purpose::NewVolume);
    if paths::is_empty_dir(cipherdir).map_err(invalid)? {
        return Ok(());
    }
    let path = cipherdir.display();
    let message = format!("Invalid cipherdir: directory {path} not empty");
    Err(Failure::new(code, message).advise("A new volume needs a directory of its own."))
}

/// The place of the configuration file. That it is free is checked again when it is made; this is
/// for the user, who should not choose a password in vain.
fn new_conf_file(volume: &Volume) -> Result<ConfFile, Failure> {
    let file = ConfFile::at(&volume.conf_path()).map_err(|errno| {
        let path = quoted(volume.conf_path());
        Failure::new(
            ExitCode::WriteConf,
            format!("Cannot write config file {path}: {errno}"),
        )
    })?;
    if file.exists() {
        return Err(exists(&file));
    }
    Ok(file)
}

fn exists(file: &ConfFile) -> Failure {
    let path = quoted(file.path());
    let message = format!("Config file {path} already exists and is not overwritten.");
    Failure::new(ExitCode::Init, message)
        .advise("It may hold the key of another volume. Choose another -config, or move it away.")
}

fn make_dir_iv(cipherdir: &Path) -> Result<(), Failure> {
    let made = Dir::open(cipherdir).and_then(|dir| {
        dir.write_new(DIRIV_NAME.as_ref(), 0o444, &DirIv::random().0, true)?;
        dir.reopen()?.sync(false)
    });
    made.map_err(|errno| {
        Failure::new(
            ExitCode::Init,
            format!("Cannot write {DIRIV_NAME}: {errno}"),
        )
    })
}

/// Shows the master key to somebody who can write it down, and to nobody else.
fn show_key(key: &MasterKey, out: &Output) {
    if !out.reaches_a_terminal() {
        out.info("Not running on a terminal, suppressing master key display");
        return;
    }
    let mut digits = zeroize::Zeroizing::new(String::with_capacity(128));
    for (at, byte) in key.0.expose().iter().enumerate() {
        match at {
            0 => {}
            16 => digits.push_str("-\n    "),
            _ if at % 4 == 0 => digits.push('-'),
            _ => {}
        }
        push_hexadecimal(&mut digits, *byte);
    }
    out.info(&format!("\nYour master key is:\n\n    {}\n", *digits));
    out.write(
        Kind::Hint,
        "With this key the files can be read even if gocryptfs.conf is damaged or the password is\n\
         forgotten. Write it on paper and keep it in a safe place: it is shown only this once.\n",
    );
}

fn congratulate(volume: &Volume, out: &Output) {
    let (kind, option) = if volume.is_reverse {
        ("gocryptfs-reverse", "-reverse ")
    } else {
        ("gocryptfs", "")
    };
    out.write(
        Kind::Success,
        &format!("The {kind} filesystem has been created successfully."),
    );
    let here = std::env::current_dir().unwrap_or_default();
    let path = match volume.cipherdir.strip_prefix(&here) {
        Ok(below) if below.as_os_str().is_empty() => Path::new("."),
        Ok(below) => below,
        Err(_) => &volume.cipherdir,
    };
    let shown = match path.to_string_lossy() {
        path if path.contains(' ') => quoted(path.as_ref()),
        path => path.into_owned(),
    };
    out.write(
        Kind::Hint,
        &format!("You can now mount it using: gocryptfs {option}{shown} MOUNTPOINT"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_appears_only_for_aes_gcm_on_a_processor_without_its_instructions() {
        assert_eq!(slow_cipher(ContentSuite::AesGcm, true), None);
        assert_eq!(slow_cipher(ContentSuite::XChaCha, false), None);
        let notice = slow_cipher(ContentSuite::AesGcm, false).unwrap();
        assert!(notice.contains("Consider using -xchacha"), "{notice}");
    }
}
