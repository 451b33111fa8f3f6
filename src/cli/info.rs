//! `-info`: what the configuration file says, without a password.

use super::command::Volume;
use super::exit::{ExitCode, Failure};
use super::json;
use super::output::{Kind, Output};
use super::unlock;
use crate::vault::conf::Conf;
use serde_json::{Value, json};

/// Shows the configuration.
///
/// # Errors
/// It cannot be read, or breaks the rules of the format.
pub(crate) fn run(volume: &Volume, json: bool, out: &Output) -> Result<ExitCode, Failure> {
    if !json {
        volume.announce(out);
    }
    let conf = unlock::conf_file(volume).and_then(|file| unlock::open_conf(&file));
    let conf = conf.map_err(|failure| Failure {
        code: ExitCode::LoadConf,
        message: failure
            .message
            .replace("Cannot open config file: ", "Loading config file failed: "),
        ..failure
    })?;
    let text = if json {
        json::object("info", described(&conf)).to_string()
    } else {
        lines(&conf)
    };
    out.write(Kind::Answer, &text);
    Ok(ExitCode::Success)
}

fn described(conf: &Conf) -> Value {
    let scrypt = conf.scrypt();
    json!({
        "creator": conf.creator(),
        "feature_flags": conf.flag_names(),
        "encrypted_key_bytes": conf.encrypted_key_len(),
        "scrypt": {
            "salt_bytes": scrypt.salt.len(),
            "n": scrypt.n,
            "r": scrypt.r,
            "p": scrypt.p,
            "key_bytes": scrypt.key_len,
        },
        "content_encryption": conf.flags().params(true).content.name(),
    })
}

fn lines(conf: &Conf) -> String {
    let (scrypt, suite) = (conf.scrypt(), conf.flags().params(true).content);
    format!(
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
    )
}
