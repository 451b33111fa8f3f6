//! `-speed`: how fast the ciphers are here, measured on blocks as they are in files.

use super::cpu;
use super::help;
use super::json;
use super::output::{Kind, Output};
use crate::crypto::{Backend, ContentCipher, ContentSuite, Message, random};
use serde_json::{Value, json};
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
pub(crate) fn run(json: bool, out: &Output) {
    let model = cpu::model().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    if json {
        let rows: Vec<Value> = CIPHERS
            .into_iter()
            .map(|cipher| described(&measure(cipher)))
            .collect();
        let object = json!({
            "cpu": model,
            "aes_gcm_acceleration": cpu::has_aes_gcm(),
            "ciphers": rows,
        });
        return out.write(Kind::Answer, &json::object("speed", object).to_string());
    }
    help::version("gocryptfs", out);
    let with = if cpu::has_aes_gcm() { "with" } else { "no" };
    out.write(
        Kind::Answer,
        &format!("cpu: {model}; {with} AES-GCM acceleration"),
    );
    for cipher in CIPHERS {
        out.write(Kind::Answer, &line(&measure(cipher)));
    }
}

/// A cipher in one implementation, and its speed unless that implementation is not built in.
struct Row {
    suite: ContentSuite,
    backend: Backend,
    speed: Option<f64>,
}

fn measure((suite, backend): (ContentSuite, Backend)) -> Row {
    let cipher = backend.sample(suite);
    Row {
        suite,
        backend,
        speed: cipher.map(|cipher| megabytes_per_second(&cipher)),
    }
}

impl Row {
    /// Whether it is what files are encrypted with.
    fn is_selected(&self) -> bool {
        self.speed.is_some() && self.backend == Backend::fastest(self.suite)
    }
}

fn described(row: &Row) -> Value {
    json!({
        "cipher": row.suite.name(),
        "implementation": row.backend.name(),
        "megabytes_per_second": row.speed,
        "selected": row.is_selected(),
    })
}

fn line(row: &Row) -> String {
    let name = format!("{}-{}", row.suite.name(), row.backend.name());
    let Some(speed) = row.speed else {
        return format!("{name:<26}\t    N/A");
    };
    let mut line = format!("{name:<26}\t{speed:7.2} MB/s");
    if row.is_selected() {
        line.push_str("\t(selected in auto mode)");
    }
    line
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
