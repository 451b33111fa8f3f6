//! `-speed`: how fast the ciphers are here, measured on blocks as they are in files.

use super::cpu;
use super::help;
use super::output::{Kind, Output};
use crate::crypto::{Backend, ContentCipher, ContentSuite, Message, random};
use std::time::{Duration, Instant};

/// What is measured, in the order in which it is shown.
const CIPHERS: [(ContentSuite, Backend); 5] = [
    (ContentSuite::AesGcm, Backend::AwsLc),
    (ContentSuite::AesGcm, Backend::RustCrypto),
    (ContentSuite::AesSiv, Backend::RustCrypto),
    (ContentSuite::XChaCha, Backend::AwsLc),
    (ContentSuite::XChaCha, Backend::RustCrypto),
];
/// Plaintext of a block, bytes.
const BLOCK_LEN: u16 = 4096;
/// Blocks that are encrypted together: those of a request of 128 KiB.
const BLOCKS: u16 = 32;
/// How long each of them is measured.
const TIME: Duration = Duration::from_millis(300);

/// Measures and shows the speed of each cipher in each implementation.
pub(crate) fn run(out: &Output) {
    help::version("gocryptfs", out);
    let model = cpu::model().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let with = if cpu::has_aes_gcm() { "with" } else { "no" };
    out.write(
        Kind::Answer,
        &format!("cpu: {model}; {with} AES-GCM acceleration"),
    );
    for (suite, backend) in CIPHERS {
        out.write(Kind::Answer, &row(suite, backend));
    }
}

fn row(suite: ContentSuite, backend: Backend) -> String {
    let name = format!("{}-{}", suite.name(), backend.name());
    let Some(cipher) = backend.sample(suite) else {
        return format!("{name:<26}\t    N/A");
    };
    let mut row = format!("{name:<26}\t{:7.2} MB/s", megabytes_per_second(&cipher));
    if backend == Backend::fastest(suite) {
        row.push_str("\t(selected in auto mode)");
    }
    row
}

/// Speed of encryption by one thread.
fn megabytes_per_second(cipher: &ContentCipher) -> f64 {
    let mut nonce = vec![0; cipher.suite().nonce_len()];
    random::fill(&mut nonce);
    let (len, count) = (usize::from(BLOCK_LEN), usize::from(BLOCKS));
    let mut text = vec![0; len * count];
    let mut tags = vec![[0; ContentSuite::TAG_LEN]; count];
    let (mut rounds, start) = (0_u32, Instant::now());
    let elapsed = loop {
        let blocks = text.chunks_exact_mut(len).zip(&mut tags);
        let mut messages: Vec<Message<'_>> = blocks
            .map(|(text, tag)| Message {
                nonce: &nonce,
                ad: [0; 24],
                text,
                tag,
            })
            .collect();
        cipher.seal_all(&mut messages);
        rounds += 1;
        let elapsed = start.elapsed();
        if elapsed >= TIME {
            break elapsed;
        }
    };
    let bytes = f64::from(rounds) * f64::from(BLOCKS) * f64::from(BLOCK_LEN);
    bytes / 1e6 / elapsed.as_secs_f64()
}
