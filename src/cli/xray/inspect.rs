//! What can be told of an encrypted file without a key: its header, and the nonce, tag and place
//! of each block.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::output;
use crate::cli::values::hexadecimal;
use crate::crypto::ContentSuite;
use crate::format::{BlockNo, FileId, HEADER_LEN, Layout};
use std::io::{self, Read, Write};

/// Describes `file`, taking it for one that is encrypted with `suite`.
///
/// # Errors
/// It cannot be read, or is not complete.
pub(super) fn run(file: impl Read, suite: ContentSuite) -> Result<ExitCode, Failure> {
    let mut out = output::bulk();
    let described = describe(file, suite, &mut out);
    // Whoever has closed the other end knows why.
    let _ = out.flush();
    described.map(|()| ExitCode::Success)
}

fn describe(mut file: impl Read, suite: ContentSuite, out: &mut impl Write) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::usage(format!("read: {error}"));
    let mut header = Vec::new();
    take(&mut file, HEADER_LEN, &mut header).map_err(failed)?;
    if header.is_empty() {
        return writeln!(out, "empty file").map_err(failed);
    }
    let id = file_id(&header)?;
    let name = suite.name();
    writeln!(
        out,
        "Header: Version: 2, Id: {}, assuming {name} mode",
        hexadecimal(&id.0)
    )
    .map_err(failed)?;
    let layout = Layout::new(suite);
    let mut no = BlockNo(0);
    let mut block = Vec::new();
    loop {
        take(&mut file, layout.cipher_block(), &mut block).map_err(failed)?;
        if block.is_empty() {
            return Ok(());
        }
        if block.len() <= layout.overhead() {
            let text = format!("corrupt block: truncated data, len={}", block.len());
            writeln!(out, "{text}").map_err(failed)?;
            return Err(Failure::usage(""));
        }
        writeln!(out, "{}", block_line(no, &block, suite)).map_err(failed)?;
        no = no.next();
    }
}

/// Reads up to `len` bytes; less only at the end.
fn take(file: &mut impl Read, len: usize, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    file.take(len as u64).read_to_end(into).map(drop)
}

fn file_id(header: &[u8]) -> Result<FileId, Failure> {
    if header.len() < HEADER_LEN {
        return Err(Failure::usage(format!(
            "incomplete file header: read {} bytes, want {HEADER_LEN}",
            header.len()
        )));
    }
    FileId::parse(header).map_err(|defect| {
        Failure::usage(format!(
            "ParseHeader: {defect}. Header hexdump: {}",
            hexadecimal(header)
        ))
    })
}

/// What is to be told of a block that is longer than its nonce and tag.
fn block_line(no: BlockNo, block: &[u8], suite: ContentSuite) -> String {
    let layout = Layout::new(suite);
    let (nonce, sealed) = block.split_at(layout.nonce_len());
    // AES-SIV stores its tag in front of the ciphertext.
    let tag = match suite {
        ContentSuite::AesSiv => &sealed[..ContentSuite::TAG_LEN],
        _ => &sealed[sealed.len() - ContentSuite::TAG_LEN..],
    };
    format!(
        "Block {:2}: IV: {}, Tag: {}, Offset: {:5} Len: {}",
        no.0,
        hexadecimal(nonce),
        hexadecimal(tag),
        layout.cipher_start(no).0,
        block.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(file: &[u8], suite: ContentSuite) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let end = describe(file, suite, &mut out);
        let text = String::from_utf8(out).unwrap();
        (text, end.map_err(|failure| failure.message))
    }

    fn file(body: &[u8]) -> Vec<u8> {
        [&FileId([7; 16]).to_header(), body].concat()
    }

    #[test]
    fn every_block_is_told_with_its_place() {
        let body: Vec<u8> = (0..4128 + 33).map(|at: u32| at.to_le_bytes()[0]).collect();
        let (text, end) = described(&file(&body), ContentSuite::AesGcm);
        let wanted = "\
Header: Version: 2, Id: 07070707070707070707070707070707, assuming AES-GCM-256 mode
Block  0: IV: 000102030405060708090a0b0c0d0e0f, Tag: 101112131415161718191a1b1c1d1e1f, Offset:    18 Len: 4128
Block  1: IV: 202122232425262728292a2b2c2d2e2f, Tag: 3132333435363738393a3b3c3d3e3f40, Offset:  4146 Len: 33
";
        assert_eq!((&*text, end), (wanted, Ok(())));
        let (text, _) = described(&file(&body), ContentSuite::AesSiv);
        assert!(text.contains("IV: 202122232425262728292a2b2c2d2e2f, Tag: 3031"));
    }

    #[test]
    fn a_file_without_blocks_is_told_in_one_line() {
        let (text, end) = described(b"", ContentSuite::XChaCha);
        assert_eq!((&*text, end), ("empty file\n", Ok(())));
        let (text, end) = described(&file(b""), ContentSuite::XChaCha);
        assert_eq!((text.lines().count(), end), (1, Ok(())));
    }

    #[test]
    fn a_bad_header_or_a_cut_block_ends_the_run() {
        let gcm = ContentSuite::AesGcm;
        let wanted = "incomplete file header: read 3 bytes, want 18";
        assert_eq!(described(b"abc", gcm).1, Err(wanted.to_owned()));
        let defect = described(&[0; 18], gcm).1.unwrap_err();
        assert!(defect.starts_with("ParseHeader: header is all-zero. Header hexdump: 0000"));
        for (len, suite) in [(1, gcm), (32, gcm), (40, ContentSuite::XChaCha)] {
            let (text, end) = described(&file(&vec![1; len]), suite);
            let wanted = format!("\ncorrupt block: truncated data, len={len}\n");
            assert!(text.ends_with(&wanted), "{text}");
            assert_eq!(end, Err(String::new()));
        }
    }
}
