//! `-info`: what the configuration file says, without a password.

use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::output::{Kind, Output};
use super::unlock;

/// Shows the configuration.
///
/// # Errors
/// It cannot be read, or breaks the rules of the format.
pub(crate) fn run(volume: &Volume, out: &Output) -> Result<ExitCode, Failure> {
    volume.announce(out);
    let conf = unlock::conf_file(volume).and_then(|file| unlock::open_conf(&file));
    let conf = conf.map_err(|failure| Failure {
        code: ExitCode::LoadConf,
        message: failure
            .message
            .replace("Cannot open config file: ", "Loading config file failed: "),
        ..failure
    })?;
    let (scrypt, suite) = (conf.scrypt(), conf.flags().params(true).content);
    out.write(
        Kind::Answer,
        &format!(
            "Creator:           {}\n\
             FeatureFlags:      {}\n\
             EncryptedKey:      {}B\n\
             ScryptObject:      Salt={}B N={} R={} P={} KeyLen={}\n\
             contentEncryption: {}",
            conf.creator(),
            conf.flag_names().join(" "),
            conf.encrypted_key_len(),
            scrypt.salt.len(),
            scrypt.n,
            scrypt.r,
            scrypt.p,
            scrypt.key_len,
            suite.name(),
        ),
    );
    Ok(ExitCode::Success)
}
