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
            Backend::RustCrypto => "Rust",
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

    /// A cipher under a random key, to measure; `None` if this was not compiled in or does not
    /// have it.
    pub fn sample(self, suite: ContentSuite) -> Option<ContentCipher> {
        match (suite, self) {
            (ContentSuite::AesGcm, _) => ContentCipher::aes_gcm_by(self, &Secret::random()),
            (ContentSuite::XChaCha, _) => ContentCipher::xchacha_by(self, &Secret::random()),
            (ContentSuite::AesSiv, Backend::RustCrypto) => {
                Some(ContentCipher::aes_siv(&Secret::random()))
            }
            (ContentSuite::AesSiv, Backend::AwsLc) => None,
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
    let cipher = backend.sample(suite)?;
    let nonce = vec![1; suite.nonce_len()];
    let mut sample = vec![0; SAMPLE];
    let mut round = || {
        let start = Instant::now();
        cipher.seal(&nonce, &[], &mut sample);
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round()).min()
}
