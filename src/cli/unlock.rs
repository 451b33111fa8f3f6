//! From what the user gave to the master key and the parameters of the volume.

use super::args::FormatArgs;
use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::keys::{GivenKey, KeySource, PasswordSource, Token};
use super::mount;
use super::output::{Kind, Output};
use super::password::{self, Purpose, fido2};
use super::values::quoted;
use crate::crypto::{ContentSuite, KdfError, MasterKey, Password, Secret};
use crate::format::{BadNames, CONF_NAME, Flag, NameParams, Params, REVERSE_CONF_NAME};
use crate::sys::{Errno, process};
use crate::vault::conf::{Conf, ConfFile, ReadError, UnlockError};
use crate::vault::{self, Vault};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A master key and what it opens.
pub(crate) struct Unlocked {
    /// The key.
    pub(crate) key: MasterKey,
    /// How the volume is encrypted.
    pub(crate) params: Params,
}

/// Opens a volume.
///
/// # Errors
/// The configuration file cannot be used, or the password or key is none.
pub(crate) fn unlock(
    volume: &Volume,
    source: &KeySource,
    format: &FormatArgs,
    out: &Output,
) -> Result<Unlocked, Failure> {
    match source {
        KeySource::Given(given) => Ok(Unlocked {
            key: given_key(given, out)?,
            params: params_of(format),
        }),
        KeySource::Password(source, token) => {
            let conf = open_conf(&conf_file(volume)?)?;
            Ok(Unlocked {
                key: master_key(&conf, source, token.as_ref(), out)?,
                params: conf.flags().params(format.longnames),
            })
        }
    }
}

/// Opens a volume to be looked at where it is. Others may write it meanwhile.
///
/// # Errors
/// See [`unlock`].
pub(crate) fn open_vault(
    volume: &Volume,
    source: &KeySource,
    format: &FormatArgs,
    bad_names: &BadNames,
    out: &Output,
) -> Result<Vault, Failure> {
    let unlocked = unlock(volume, source, format, out)?;
    // As many as are allowed; what cannot be opened then is reported.
    let _ = process::raise_nofile_limit();
    let path = &volume.cipherdir;
    let how = vault::Options {
        preallocate: true,
        shared_storage: true,
    };
    let vault = Vault::open(path, &unlocked.params, &unlocked.key, how);
    let vault = vault.map_err(|error| mount::cannot_open(path, &error))?;
    Ok(vault.showing(bad_names.clone()).read_only(true))
}

impl Volume {
    /// The path of the configuration file.
    pub(crate) fn conf_path(&self) -> PathBuf {
        let name = if self.is_reverse {
            REVERSE_CONF_NAME
        } else {
            CONF_NAME
        };
        let usual = || self.cipherdir.join(name);
        self.config.clone().unwrap_or_else(usual)
    }

    /// Tells which configuration file is used if it is not the usual one.
    pub(crate) fn announce(&self, out: &Output) {
        if let Some(path) = &self.config {
            let path = path.display();
            out.info(&format!("Using config file at custom location {path}"));
        }
    }
}

/// The place of the configuration file.
///
/// # Errors
/// Its directory cannot be opened.
pub(crate) fn conf_file(volume: &Volume) -> Result<ConfFile, Failure> {
    let path = volume.conf_path();
    ConfFile::at(&path).map_err(|errno| cannot_open(&path, &errno.into()))
}

/// Reads the configuration file.
///
/// # Errors
/// See [`ReadError`].
pub(crate) fn open_conf(file: &ConfFile) -> Result<Conf, Failure> {
    file.read()
        .map_err(|error| cannot_open(file.path(), &error))
}

fn cannot_open(path: &Path, error: &ReadError) -> Failure {
    let mut message = format!("Cannot open config file: {error} ({})", quoted(path));
    if matches!(error, ReadError::Syntax(_)) {
        message.insert_str(0, "Failed to unmarshal config file\n");
    }
    let code = match error {
        ReadError::Defect(_) => ExitCode::DeprecatedFs,
        _ => ExitCode::Other,
    };
    let failure = Failure::new(code, message);
    match error {
        ReadError::Os(Errno::NOENT) if path.ends_with(CONF_NAME) => {
            failure.advise("Is this a gocryptfs directory? \"gocryptfs -init\" makes a new one.")
        }
        ReadError::Os(Errno::NOENT) if path.ends_with(REVERSE_CONF_NAME) => {
            failure.advise("\"gocryptfs -init -reverse\" makes it, for a directory of plain files.")
        }
        ReadError::Syntax(_) | ReadError::Empty | ReadError::TooLarge => failure.advise(
            "The file is damaged: take it from a backup. With -masterkey the files can be read \
             without it.",
        ),
        _ => failure,
    }
}

/// Asks for the password, or for the secret of the token, and opens the master key with it.
///
/// # Errors
/// No password, the wrong one, or a file that no password opens.
pub(crate) fn master_key(
    conf: &Conf,
    source: &PasswordSource,
    token: Option<&Token>,
    out: &Output,
) -> Result<MasterKey, Failure> {
    let locked = |error: UnlockError| {
        let mut message = format!("failed to unlock master key: {error}");
        if error.is_wrong_password() {
            message.push_str("\nPassword incorrect.");
            return Failure::new(ExitCode::PasswordIncorrect, message);
        }
        let failure = Failure::new(ExitCode::ScryptParams, message);
        match error {
            UnlockError::Kdf(KdfError::OutOfMemory(_)) => {
                failure.advise("Close other programs, or mount on a machine with more memory.")
            }
            _ => failure,
        }
    };
    conf.scrypt()
        .cost()
        .map_err(|defect| locked(defect.into()))?;
    let password = if conf.flags().has(Flag::Fido2) {
        token_secret(conf, token, out)?
    } else {
        password::read(source, Purpose::Open, out)?
    };
    out.info("Decrypting master key");
    conf.unlock(&password).map_err(locked)
}

fn token_secret(conf: &Conf, token: Option<&Token>, out: &Output) -> Result<Password, Failure> {
    let token = token.ok_or_else(|| {
        let message = "Masterkey encrypted using FIDO2 token; need to use the --fido2 option.";
        Failure::usage(message)
            .advise("Its value is the device, which \"fido2-token -L\" shows: -fido2 /dev/hidraw0")
    })?;
    let values = conf.fido2().ok_or_else(|| {
        let message = "The config file does not tell which key on the FIDO2 token it is.";
        Failure::new(ExitCode::Fido2, message)
    })?;
    fido2::secret(&token.device, values, out)
}

/// The master key that the user gives in place of a password.
///
/// # Errors
/// It is no key.
pub(crate) fn given_key(given: &GivenKey, out: &Output) -> Result<MasterKey, Failure> {
    match given {
        GivenKey::Zero => {
            out.info("Using all-zero dummy master key.");
            out.write(
                Kind::Note,
                "ZEROKEY MODE PROVIDES NO SECURITY AT ALL AND SHOULD ONLY BE USED FOR TESTING.",
            );
            Ok(MasterKey(Secret::new([0; 32])))
        }
        GivenKey::Hex(text) => {
            out.info("Using explicit master key.");
            out.write(
                Kind::Note,
                "THE MASTER KEY IS VISIBLE VIA \"ps ax\" AND MAY BE STORED IN YOUR SHELL HISTORY!\n\
                 ONLY USE THIS MODE FOR EMERGENCIES",
            );
            parse_key(&Password::new(text.as_encoded_bytes().to_vec()))
        }
        GivenKey::Stdin => {
            let text = password::read_master_key(out)?;
            out.info("Using explicit master key.");
            parse_key(&text)
        }
    }
}

/// 64 hexadecimal digits with any number of dashes between.
fn parse_key(text: &Password) -> Result<MasterKey, Failure> {
    let refuse = |message: String| {
        Failure::new(ExitCode::MasterKey, message)
            .advise("It has 64 hexadecimal digits; dashes between them do not count.")
    };
    let digits = text.expose().iter().filter(|byte| **byte != b'-');
    let mut values = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in digits {
        let value = char::from(*byte).to_digit(16).ok_or_else(|| {
            refuse("Could not parse master key: not a hexadecimal digit".to_owned())
        });
        values.push(u8::try_from(value?).unwrap_or_default());
    }
    if values.len() % 2 != 0 {
        let message = "Could not parse master key: odd number of hexadecimal digits";
        return Err(refuse(message.to_owned()));
    }
    let pairs = values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(pairs.collect());
    let key = Secret::from_slice(&bytes).ok_or_else(|| {
        let len = bytes.len();
        refuse(format!(
            "Master key has length {len} but we require length 32"
        ))
    });
    Ok(MasterKey(key?))
}

/// How a volume is encrypted that is opened without its configuration file.
fn params_of(format: &FormatArgs) -> Params {
    let content = match format {
        FormatArgs { xchacha: true, .. } => ContentSuite::XChaCha,
        FormatArgs { aessiv: true, .. } => ContentSuite::AesSiv,
        _ => ContentSuite::AesGcm,
    };
    let names = if format.plaintextnames {
        NameParams::Plain
    } else {
        let dir_iv = !format.deterministic_names;
        NameParams::encrypted(format.longnames, format.longnamemax, dir_iv)
    };
    Params {
        content,
        names,
        padded: !format.raw64,
        hkdf: format.hkdf,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<[u8; 32], String> {
        let key = parse_key(&Password::new(text.into()));
        match key {
            Ok(key) => Ok(*key.0.expose()),
            Err(failure) => Err(format!("{}: {failure}", failure.code.number())),
        }
    }

    #[test]
    fn a_master_key_is_64_digits_with_dashes_anywhere() {
        assert_eq!(parsed(&"a5".repeat(32)), Ok([0xa5; 32]));
        assert_eq!(parsed(&"-A-5".repeat(32)), Ok([0xa5; 32]));
    }

    #[test]
    fn a_master_key_of_another_length_is_refused() {
        let wanted = "14: Master key has length 1 but we require length 32";
        assert_eq!(parsed("00").unwrap_err(), wanted);
        let wanted = "14: Master key has length 0 but we require length 32";
        assert_eq!(parsed("--").unwrap_err(), wanted);
        assert!(parsed(&"0".repeat(66)).is_err());
    }

    #[test]
    fn a_master_key_that_is_no_number_is_refused() {
        for text in ["zz", "0", "\u{e9}\u{e9}", "00 "] {
            let error = parsed(text).unwrap_err();
            assert!(
                error.starts_with("14: Could not parse master key: "),
                "{error}"
            );
        }
    }
}
