//! `-speed`: how fast the ciphers are here, measured on blocks as they are in files.

use super::cpu;
use super::help;
use super::output::{Kind, Output};
use crate::crypto::{ContentSuite, MasterKey, Message, Secret, derive, random};
use std::time::{Duration, Instant};

/// The suites, in the order in which they are shown.
const SUITES: [ContentSuite; 3] = [
    ContentSuite::AesGcm,
    ContentSuite::AesSiv,
    ContentSuite::XChaCha,
];
/// Plaintext of a block, bytes.
const BLOCK_LEN: u16 = 4096;
/// Blocks that are encrypted together: those of a request of 128 KiB.
const BLOCKS: u16 = 32;
/// How long each suite is measured.
const TIME: Duration = Duration::from_millis(300);

/// Measures and shows the speed of each suite.
pub(crate) fn run(out: &Output) {
    help::version("gocryptfs", out);
    let model = cpu::model().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let with = if cpu::has_aes_gcm() { "with" } else { "no" };
    out.write(
        Kind::Answer,
        &format!("cpu: {model}; {with} AES-GCM acceleration"),
    );
    for suite in SUITES {
        let name = format!("{}-Rust", suite.name());
        let speed = megabytes_per_second(suite);
        out.write(
            Kind::Answer,
            &format!("{name:<26}\t{speed:7.2} MB/s\t(selected in auto mode)"),
        );
    }
}

/// Speed of encryption by one thread.
fn megabytes_per_second(suite: ContentSuite) -> f64 {
    let cipher = derive::content_cipher(&MasterKey(Secret::random()), suite, true);
    let mut nonce = vec![0; suite.nonce_len()];
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
