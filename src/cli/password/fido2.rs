//! FIDO2 tokens: the secret that a token gives takes the place of the password.
//!
//! The programs `fido2-cred` and `fido2-assert` talk to the token. They read lines from stdin and
//! answer in lines; what is wanted is in the fifth. A PIN they ask for at the terminal themselves.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output::Output;
use crate::crypto::{Password, random};
use crate::vault::conf::Fido2Object;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use zeroize::Zeroizing;

/// The relying party of all volumes.
const RELYING_PARTY: &[u8] = b"gocryptfs";
/// Least bytes of a secret.
const SECRET_LEN_MIN: usize = 32;
/// Far more than any answer has.
const ANSWER_LEN_MAX: u64 = 64 << 10;

/// Makes a key on the token at `device` for the user `name`. Returns what the token needs to give
/// the secret that belongs to it.
pub(crate) fn register(
    device: &Path,
    name: &OsStr,
    assert_options: &[String],
    out: &Output,
) -> Result<Fido2Object, Failure> {
    out.info("FIDO2 Register: interact with your device ...");
    let (challenge, user) = (random_base64(), random_base64());
    let mut program = Command::new("fido2-cred");
    program.args(["-M", "-h"]).arg(device);
    let input = [
        challenge.as_bytes(),
        RELYING_PARTY,
        name.as_encoded_bytes(),
        user.as_bytes(),
    ];
    let credential = ask("fido2-cred", program, &input)?;
    let mut salt = vec![0; 32];
    random::fill(&mut salt);
    let options = assert_options.to_vec();
    Ok(Fido2Object::new(credential.to_vec(), salt, options))
}

/// Gets the secret from the token at `device`.
pub(crate) fn secret(
    device: &Path,
    values: &Fido2Object,
    out: &Output,
) -> Result<Password, Failure> {
    out.info("FIDO2 Secret: interact with your device ...");
    let challenge = random_base64();
    let credential = BASE64.encode(&values.credential_id);
    let salt = BASE64.encode(&values.hmac_salt);
    let mut program = Command::new("fido2-assert");
    program.args(["-G", "-h"]);
    for option in &values.assert_options {
        program.arg("-t").arg(option);
    }
    program.arg(device);
    let input = [
        challenge.as_bytes(),
        RELYING_PARTY,
        credential.as_bytes(),
        salt.as_bytes(),
    ];
    let mut secret = ask("fido2-assert", program, &input)?;
    if secret.len() < SECRET_LEN_MIN {
        let len = secret.len();
        return Err(failure(format!("FIDO2 HMACSecret too short ({len})!")));
    }
    if secret.iter().all(|byte| *byte == 0) {
        return Err(failure("FIDO2 HMACSecret is all zero!"));
    }
    Ok(Password::new(std::mem::take(&mut *secret)))
}

fn random_base64() -> String {
    let mut bytes = [0; 32];
    random::fill(&mut bytes);
    BASE64.encode(bytes)
}

/// Runs a program with lines on stdin. Returns the bytes that the fifth line of its answer means.
fn ask(name: &str, program: Command, input: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |what: &dyn std::fmt::Display| failure(format!("{name} failed with {what}"));
    let (child, answer) = converse(program, input).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            failed(&error).advise("Install the package with the tools of libfido2 (fido2-tools).")
        }
        _ => failed(&error),
    })?;
    if let Some(status) = super::end_of(child).map_err(|error| failed(&error))? {
        let advice = "Is the token plugged in? \"fido2-token -L\" lists the devices.";
        return Err(failed(&status).advise(advice));
    }
    let line = answer.split(|byte| *byte == b'\n').nth(4);
    let line = line.ok_or_else(|| failure(format!("{name}: the answer is too short")))?;
    let bytes = BASE64.decode(line);
    bytes
        .map(Zeroizing::new)
        .map_err(|error| failure(format!("{name}: {error}")))
}

/// Starts a program, hands over the lines and reads its answer.
fn converse(mut program: Command, input: &[&[u8]]) -> std::io::Result<(Child, Zeroizing<Vec<u8>>)> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let lines = [input.join(&b'\n'), b"\n".to_vec()].concat();
        // One that ends without reading has its reasons and tells them.
        let _ = stdin.write_all(&lines);
    }
    let mut answer = Zeroizing::new(Vec::with_capacity(8192));
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_LEN_MAX).read_to_end(&mut answer)?;
    }
    Ok((child, answer))
}

fn failure(message: impl Into<String>) -> Failure {
    Failure::new(ExitCode::Fido2, message)
}
