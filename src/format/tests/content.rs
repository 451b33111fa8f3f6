//! Content blocks: vectors, holes and every kind of damage.

use sha2::{Digest, Sha256};

use super::*;
use crate::format::{BlockDefect, BlockNo, ContentCodec, Corrupt, FileId, HEADER_LEN, PLAIN_BLOCK};

/// 10 11 12 ... 1f
const ID: FileId = FileId([
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
]);
const START: BlockNo = BlockNo(0);

/// A whole ciphertext file whose nonces count up from 0x20, 0x40, 0x60, ...
fn sealed_file(codec: &ContentCodec, plain: &[u8]) -> Vec<u8> {
    let mut file = ID.to_header().to_vec();
    let nonces = |no: BlockNo, nonce: &mut [u8]| {
        let start = u8::try_from(0x20 * (no.0 + 1)).unwrap();
        nonce
            .iter_mut()
            .zip(start..)
            .for_each(|(byte, value)| *byte = value);
    };
    codec.seal_run_with(ID, START, plain, nonces, &mut file);
    file
}

/// The plaintext of a whole ciphertext file.
fn opened_file(codec: &ContentCodec, file: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let (header, blocks) = file.split_at(HEADER_LEN);
    let mut buf = blocks.to_vec();
    let length = codec.open_run(FileId::parse(header)?, START, &mut buf)?;
    buf.truncate(length);
    Ok(buf)
}

fn block_defect(no: u64, defect: BlockDefect) -> Corrupt {
    let no = BlockNo(no);
    Corrupt::Block { no, defect }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[test]
fn a_short_file_has_the_bytes_of_the_vector() {
    let vectors = [
        "0002 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f cc8c315150 bf3a56c83640d68798badfbf5010ab58",
        "0002 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f 315d77e4cba3284a9f38bcf1e32080a1 57460b48d6",
        "0002 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f3031323334353637 27cfc17f70 5d08357fce8e700f18dc2bf202e62cca",
    ];
    for (suite, vector) in SUITES.into_iter().zip(vectors) {
        let codec = with_suite(suite).content;
        assert_eq!(sealed_file(&codec, b"hello"), hex(vector), "{suite:?}");
        assert_eq!(opened_file(&codec, &hex(vector)), Ok(b"hello".to_vec()));
    }
}

#[test]
fn a_file_of_two_blocks_has_the_digest_of_the_vector() {
    let vectors = [
        (
            4278,
            "4dc0f34e13a1170fe4e74dd0d4dc2a45b731a3b448f57d0f8b6534f7f9dc632e",
        ),
        (
            4278,
            "e2f131da0eeac10b7b1901fd35cbdeeccc09f47acbd704e89a8005038e173853",
        ),
        (
            4294,
            "2205804f806ee9ebceda9a487306d1cff574e10c74a46a3248b939dad7540039",
        ),
    ];
    for (suite, (size, digest)) in SUITES.into_iter().zip(vectors) {
        let file = sealed_file(&with_suite(suite).content, &pattern(4196));
        assert_eq!(file.len(), size, "{suite:?}");
        assert_eq!(Sha256::digest(&file).to_vec(), hex(digest), "{suite:?}");
    }
}

#[test]
fn files_of_the_original_program_open() {
    let vectors = [
        (
            ContentSuite::AesGcm,
            true,
            "0002f2e38e6fca6aa5a63882dcedb3c8bf78b990113a6aaf714bb3273d9e4ea8b3e1a74e4791f1a554b524cd9fa7313ad0c654ab528d8d",
        ),
        (
            ContentSuite::AesSiv,
            true,
            "00021d299578f38aa1f7b0a689d3fc178d9befe9d07195057ed0349283d0794f8550ab02bd7b15cf717cada9cb9472153e0950d409f52c",
        ),
        (
            ContentSuite::XChaCha,
            true,
            "0002e204ab260f882ef9394e275e79357b8a927cd44475592f3c3058b1ca7ee9efa111babceb995f5397e1899d1e70a08b381c0eeeda4d7383e52c63434fee",
        ),
        (
            ContentSuite::AesGcm,
            false,
            "0002604681bd6dfc6c040d23402f0c346fc619a6dfc014205b12030454498ee180c981360b67581725b04ff8ec247f5521c6932ecfd416",
        ),
        (
            ContentSuite::AesSiv,
            false,
            "0002bc935430d0ef99712703a01cd034be4cb717b03ba880207f07654565d10433819b6d695e51dbbae81982c633ee8058ad9217fa2cca",
        ),
    ];
    for (content, hkdf, file) in vectors {
        let codecs = codecs(Params {
            content,
            hkdf,
            ..DEFAULT
        });
        let plain = opened_file(&codecs.content, &hex(file));
        assert_eq!(plain, Ok(b"hello".to_vec()), "{content:?} {hkdf}");
    }
}

#[test]
fn runs_of_any_length_open_to_what_was_sealed() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        for length in [0, 1, 15, 4095, 4096, 4097, 8192, 12289] {
            let plain = pattern(length);
            let mut buf = b"before".to_vec();
            codec.seal_run(ID, BlockNo(7), &plain, &mut buf);
            let overhead = codec.layout().overhead() * length.div_ceil(PLAIN_BLOCK);
            let mut run = buf.split_off(6);
            assert_eq!(run.len(), length + overhead);
            assert_eq!(buf, b"before");
            let opened = codec.open_run(ID, BlockNo(7), &mut run);
            assert_eq!(opened, Ok(length), "{suite:?}");
            assert!(run[..length] == plain, "{suite:?} {length}");
        }
    }
}

#[test]
fn every_block_gets_a_nonce_of_its_own() {
    let codec = with_suite(ContentSuite::AesGcm).content;
    let mut run = Vec::new();
    codec.seal_run(ID, START, &vec![0; 20 * PLAIN_BLOCK], &mut run);
    let mut nonces: Vec<&[u8]> = run
        .chunks(codec.layout().cipher_block())
        .map(|block| &block[..16])
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 20);
}

#[test]
fn full_blocks_of_zeros_are_holes() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        let block = codec.layout().cipher_block();
        let mut run = vec![0; block];
        codec.seal_run(ID, BlockNo(1), &[1; PLAIN_BLOCK], &mut run);
        run.resize(run.len() + 2 * block, 0);
        codec.seal_run(ID, BlockNo(4), b"tail", &mut run);
        let length = codec.open_run(ID, START, &mut run).unwrap();
        let plain = [
            vec![0; PLAIN_BLOCK],
            vec![1; PLAIN_BLOCK],
            vec![0; 2 * PLAIN_BLOCK],
            b"tail".to_vec(),
        ]
        .concat();
        assert!(run[..length] == plain, "{suite:?}");
    }
}

#[test]
fn zeros_that_are_not_a_full_block_are_corrupt() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        let nonce = codec.layout().nonce_len();
        let full = codec.layout().cipher_block();
        for length in 1..full {
            let defect = if length < nonce {
                BlockDefect::TooShort
            } else {
                BlockDefect::ZeroNonce
            };
            let opened = codec.open_run(ID, BlockNo(3), &mut vec![0; length]);
            assert_eq!(opened, Err(block_defect(3, defect)), "{suite:?} {length}");
        }
        let mut nearly = vec![0; full];
        nearly[full - 1] = 1;
        let opened = codec.open_run(ID, BlockNo(3), &mut nearly);
        assert_eq!(opened, Err(block_defect(3, BlockDefect::ZeroNonce)));
    }
}

#[test]
fn blocks_with_no_room_for_text_are_corrupt() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        for length in 1..=codec.layout().overhead() {
            let defect = if length < codec.layout().nonce_len() {
                BlockDefect::TooShort
            } else {
                BlockDefect::Forged
            };
            let opened = codec.open_run(ID, START, &mut vec![5; length]);
            assert_eq!(opened, Err(block_defect(0, defect)), "{suite:?} {length}");
        }
    }
}

#[test]
fn a_changed_byte_is_reported_with_the_number_of_its_block() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        let mut run = Vec::new();
        codec.seal_run(ID, BlockNo(100), &pattern(2 * PLAIN_BLOCK + 3), &mut run);
        for at in (0..run.len()).step_by(97).chain([run.len() - 1]) {
            let mut damaged = run.clone();
            damaged[at] ^= 0x40;
            let no = 100 + (at / codec.layout().cipher_block()) as u64;
            let opened = codec.open_run(ID, BlockNo(100), &mut damaged);
            let expected = Err(block_defect(no, BlockDefect::Forged));
            assert_eq!(opened, expected, "{suite:?} byte {at}");
        }
    }
}

#[test]
fn a_block_opens_only_at_its_place_in_its_file() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        let mut run = Vec::new();
        codec.seal_run(ID, BlockNo(5), b"here", &mut run);
        let open = |id, no| codec.open_run(id, BlockNo(no), &mut run.clone());
        assert_eq!(open(ID, 5), Ok(4));
        assert_eq!(open(ID, 6), Err(block_defect(6, BlockDefect::Forged)));
        let other = FileId([9; 16]);
        assert_eq!(open(other, 5), Err(block_defect(5, BlockDefect::Forged)));
    }
}

#[test]
fn the_last_block_number_does_not_overflow() {
    let codec = with_suite(ContentSuite::AesGcm).content;
    let mut run = Vec::new();
    codec.seal_run(ID, BlockNo(u64::MAX), &pattern(5000), &mut run);
    assert_eq!(codec.open_run(ID, BlockNo(u64::MAX), &mut run), Ok(5000));
}

#[test]
fn defects_read_like_log_lines() {
    let line = block_defect(3, BlockDefect::TooShort).to_string();
    assert_eq!(line, "corrupt block #3: block is too short");
    let line = block_defect(0, BlockDefect::ZeroNonce).to_string();
    assert_eq!(line, "corrupt block #0: all-zero nonce");
    let line = Corrupt::from(FileId::parse(&[1; 18]).unwrap_err()).to_string();
    assert_eq!(line, "corrupt header: invalid version, want=2 have=257");
}
