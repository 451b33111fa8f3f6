//! What opens a volume: a password, the secret of a token, or the key itself.

use super::args::SecretArgs;
use super::exit::Failure;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where the password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PasswordSource {
    /// The terminal, or a line of stdin if that is none.
    Console,
    /// The first line of the output of a program: its name and arguments.
    Program(Vec<OsString>),
    /// The first lines of files, one behind the other.
    Files(Vec<PathBuf>),
}

/// A master key given in place of a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum GivenKey {
    /// Hexadecimal digits on the command line.
    Hex(OsString),
    /// Hexadecimal digits from stdin or the terminal.
    Stdin,
    /// All zeros.
    Zero,
}

impl std::fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenKey")
    }
}

/// A FIDO2 token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The device.
    pub(crate) device: PathBuf,
    /// Options for `fido2-assert`, which a new volume keeps.
    pub(crate) assert_options: Vec<String>,
}

/// What opens the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A password, or the secret of a token, and the configuration file.
    Password(PasswordSource, Option<Token>),
    /// The key itself.
    Given(GivenKey),
}

/// Checks the ways to a key against each other. For a new volume, a given key does not replace
/// the password.
pub(super) fn check_secret(secret: &SecretArgs, is_new: bool) -> Result<(), Failure> {
    let extpass = !secret.extpass.is_empty();
    let passfile = !secret.passfile.is_empty();
    let masterkey = secret.masterkey.is_some() && !is_new;
    let fido2 = Token::build(secret).is_some();
    let conflicts = [
        (extpass && passfile, "-extpass and -passfile"),
        (passfile && masterkey, "-passfile and -masterkey"),
        (extpass && masterkey, "-extpass and -masterkey"),
        (extpass && fido2, "-extpass and -fido2"),
    ];
    match conflicts.iter().find(|(conflict, _)| *conflict) {
        Some((_, names)) => Err(excluded(names)),
        None => Ok(()),
    }
}

/// The failure of options that exclude each other.
pub(super) fn excluded(names: &str) -> Failure {
    Failure::usage(format!(
        "The options {names} cannot be used at the same time"
    ))
}

impl PasswordSource {
    pub(super) fn build(secret: &SecretArgs) -> Self {
        if !secret.passfile.is_empty() {
            Self::Files(secret.passfile.clone())
        } else if !secret.extpass.is_empty() {
            Self::Program(secret.extpass.clone())
        } else {
            Self::Console
        }
    }
}

impl Token {
    pub(super) fn build(secret: &SecretArgs) -> Option<Self> {
        let device = secret.fido2.clone();
        let device = device.filter(|device| !device.as_os_str().is_empty());
        device.map(|device| Self {
            device,
            assert_options: secret.fido2_assert_option.clone(),
        })
    }
}

impl GivenKey {
    pub(super) fn build(secret: &SecretArgs) -> Option<Self> {
        match &secret.masterkey {
            Some(text) if text == "stdin" => Some(Self::Stdin),
            Some(text) if !text.is_empty() => Some(Self::Hex(text.clone())),
            _ => secret.zerokey.then_some(Self::Zero),
        }
    }
}

impl KeySource {
    pub(super) fn build(secret: &SecretArgs) -> Self {
        match GivenKey::build(secret) {
            Some(key) => Self::Given(key),
            None => Self::Password(PasswordSource::build(secret), Token::build(secret)),
        }
    }
}
