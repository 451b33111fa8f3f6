//! Which implementation of a cipher to use: the one that is faster on this machine, measured once.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::crypto::aead::{ContentCipher, ContentSuite};
use crate::crypto::secret::Secret;

/// An implementation of the content ciphers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Pure Rust.
    RustCrypto,
    /// AWS-LC, where it was compiled in and has the cipher.
    AwsLc,
}

/// What is sealed in one go for the measurement, bytes: takes well below 0.1 ms.
const SAMPLE: usize = 64 * 1024;
/// How often; the best time counts.
const ROUNDS: usize = 3;

impl Backend {
    /// All of them, the portable one first.
    pub const ALL: [Backend; 2] = [Backend::RustCrypto, Backend::AwsLc];

    /// The name that users see.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::RustCrypto => "RustCrypto",
            Backend::AwsLc => "AWS-LC",
        }
    }

    /// The fastest implementation of `suite` here.
    pub fn fastest(suite: ContentSuite) -> Backend {
        static GCM: OnceLock<Backend> = OnceLock::new();
        static XCHACHA: OnceLock<Backend> = OnceLock::new();
        match suite {
            ContentSuite::AesGcm => *GCM.get_or_init(|| measure(suite)),
            ContentSuite::XChaCha => *XCHACHA.get_or_init(|| measure(suite)),
            ContentSuite::AesSiv => Backend::RustCrypto,
        }
    }
}

fn measure(suite: ContentSuite) -> Backend {
    Backend::ALL
        .into_iter()
        .filter_map(|backend| Some((time(backend, suite)?, backend)))
        .min_by_key(|(time, _)| *time)
        .map_or(Backend::RustCrypto, |(_, backend)| backend)
}

/// The time that `backend` needs; `None` if it does not have the cipher.
fn time(backend: Backend, suite: ContentSuite) -> Option<Duration> {
    let key = Secret::new([1; 32]);
    let cipher = match suite {
        ContentSuite::AesGcm => ContentCipher::aes_gcm_by(backend, &key),
        ContentSuite::XChaCha => ContentCipher::xchacha_by(backend, &key),
        ContentSuite::AesSiv => None,
    }?;
    let nonce = vec![1; suite.nonce_len()];
    let mut sample = vec![0; SAMPLE];
    let mut round = || {
        let start = Instant::now();
        cipher.seal(&nonce, &[], &mut sample);
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round()).min()
}
