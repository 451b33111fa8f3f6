//! Everything that reads bytes which somebody else may have written, each as a function of bytes.
//!
//! A function here only calls what is public, returns for any input, and checks what must hold of
//! what was understood: that it comes back when it is written again, or that it was not changed.
//! This file is also part of the program in `tools/fuzzer`.

use gocryptfs_rs::cli;
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Secret};
use gocryptfs_rs::ctlsock;
use gocryptfs_rs::format::{
    BadNames, BlockNo, CipherOffset, Codecs, DirIv, FileId, HEADER_LEN, NameParams, Params,
    PlainName, StoredName, open_target, seal_target_with, target_size,
};
use gocryptfs_rs::reverse::Exclusions;
use gocryptfs_rs::vault::conf::Conf;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// A name, and what takes the input.
pub(crate) type Target = (&'static str, fn(&[u8]));

pub(crate) const TARGETS: [Target; 13] = [
    ("conf", conf),
    ("header", header),
    ("blocks", blocks),
    ("changed-blocks", changed_blocks),
    ("name", name),
    ("name-file", name_file),
    ("diriv", diriv),
    ("symlink", symlink),
    ("xattr", xattr),
    ("arguments", arguments),
    ("control-request", control_request),
    ("exclusions", exclusions),
    ("bad-names", bad_names),
];

const IV: DirIv = DirIv([7; 16]);
const ID: FileId = FileId([9; 16]);

/// Codecs of a kind that the first byte of the input chooses, and the other bytes.
fn chosen(input: &[u8]) -> Option<(Codecs, &[u8])> {
    let (choice, rest) = input.split_first()?;
    let bit = |number: u8| choice >> number & 1 == 1;
    let params = Params {
        content: match choice & 3 {
            0 => ContentSuite::AesSiv,
            1 => ContentSuite::XChaCha,
            _ => ContentSuite::AesGcm,
        },
        names: NameParams::Encrypted {
            long_limit: (!bit(2)).then_some(if bit(3) { 62 } else { 255 }),
            dir_iv: !bit(4),
        },
        padded: bit(5),
        hkdf: !bit(6),
    };
    let key = MasterKey(Secret::new([1; 32]));
    Some((Codecs::new(&key, &params), rest))
}

/// A configuration that is read can be written and read again, and its cost be told.
fn conf(input: &[u8]) {
    let Ok(conf) = Conf::parse(input) else {
        return;
    };
    let _ = conf.scrypt().cost();
    let _ = conf.flags().params(true);
    let written = conf.to_json();
    let again = Conf::parse(&written).expect("what was written is read");
    assert_eq!(again.flags(), conf.flags());
    assert_eq!(again.to_json(), written);
}

fn header(input: &[u8]) {
    if let Ok(id) = FileId::parse(input) {
        assert_eq!(id.to_header()[..], *input);
    }
}

/// A whole file as it is stored: with keys of its own nothing of it opens, unless it is a hole.
fn blocks(input: &[u8]) {
    let Some((codecs, file)) = chosen(input) else {
        return;
    };
    let (header, content) = file.split_at(file.len().min(HEADER_LEN));
    let id = FileId::parse(header).unwrap_or(ID);
    let size = CipherOffset(file.len() as u64);
    let _ = codecs.content.layout().plain_size(size);
    let mut run = content.to_vec();
    if let Ok(len) = codecs.content.open_run(id, BlockNo(0), &mut run) {
        assert!(len <= content.len());
        assert!(content.iter().all(|byte| *byte == 0), "opened");
    }
}

/// What was sealed opens as it was; with one byte changed, or moved to another place, it does not.
fn changed_blocks(input: &[u8]) {
    let Some((codecs, rest)) = chosen(input) else {
        return;
    };
    let Some((&[low, high, mask], plain)) = rest.split_first_chunk() else {
        return;
    };
    let content = &codecs.content;
    let (first, mut sealed) = (BlockNo(3), Vec::new());
    content.seal_run_with(
        ID,
        first,
        plain,
        |_, nonce| nonce.fill(low | 1),
        &mut sealed,
    );
    let mut opened = sealed.clone();
    let len = content.open_run(ID, first, &mut opened).expect("as sealed");
    assert_eq!(opened[..len], *plain);
    if plain.is_empty() {
        return;
    }
    let at = usize::from(u16::from_le_bytes([low, high])) % sealed.len();
    let mut changed = sealed.clone();
    changed[at] ^= mask.max(1);
    content
        .open_run(ID, first, &mut changed)
        .expect_err("changed");
    let other_file = FileId([10; 16]);
    content
        .open_run(ID, BlockNo(4), &mut sealed.clone())
        .expect_err("moved");
    content
        .open_run(other_file, first, &mut sealed)
        .expect_err("swapped");
}

/// A name that decodes is the one that is stored in this form.
fn name(input: &[u8]) {
    let Some((codecs, text)) = chosen(input) else {
        return;
    };
    let text = OsStr::from_bytes(text);
    let _ = codecs.names.classify(text, true, true);
    if let Ok(plain) = codecs.names.decode(&IV, text) {
        is_stored_as(&codecs, &plain, text);
    }
    let Ok(plain) = PlainName::new(text) else {
        return;
    };
    match codecs.names.encode(&IV, &plain).expect("a name has a form") {
        StoredName::Short(stored) => {
            let decoded = codecs.names.decode(&IV, stored.as_os_str());
            assert_eq!(decoded.expect("its form decodes"), plain);
        }
        StoredName::Long { full, .. } => {
            let decoded = codecs.names.decode_long(&IV, full.as_os_str().as_bytes());
            assert_eq!(decoded.expect("its form decodes"), plain);
        }
    }
}

fn name_file(input: &[u8]) {
    let Some((codecs, content)) = chosen(input) else {
        return;
    };
    if let Ok(plain) = codecs.names.decode_long(&IV, content) {
        is_stored_as(&codecs, &plain, OsStr::from_bytes(content));
    }
}

fn is_stored_as(codecs: &Codecs, plain: &PlainName, text: &OsStr) {
    match codecs.names.encode(&IV, plain).expect("a name has a form") {
        StoredName::Short(stored) => assert_eq!(stored.as_os_str(), text),
        StoredName::Long { full, .. } => assert_eq!(full.as_os_str(), text),
    }
}

fn diriv(input: &[u8]) {
    if let Ok(iv) = DirIv::parse(input) {
        assert_eq!(iv.0[..], *input);
    }
}

/// The input as a stored target, and as a target that is stored.
fn symlink(input: &[u8]) {
    let Some((Codecs { content, names, .. }, text)) = chosen(input) else {
        return;
    };
    let _ = target_size(&content, &names, text);
    if let Ok(target) = open_target(&content, &names, text) {
        assert!(target.is_empty(), "opened");
    }
    let nonce = vec![5; content.layout().nonce_len()];
    let stored = seal_target_with(&content, &names, text, &nonce);
    let opened = open_target(&content, &names, &stored).expect("as sealed");
    assert_eq!(opened, text);
    assert_eq!(target_size(&content, &names, &stored), text.len() as u64);
}

/// The input as name and as value of an attribute, stored and to be stored.
fn xattr(input: &[u8]) {
    let Some((codecs, text)) = chosen(input) else {
        return;
    };
    let (xattrs, content) = (&codecs.xattrs, &codecs.content);
    let name = OsStr::from_bytes(text);
    if let Some(Ok(plain)) = xattrs.decode_name(name) {
        assert_eq!(xattrs.encode_name(&plain).expect("it was decoded"), name);
    }
    if let Ok(stored) = xattrs.encode_name(name) {
        let decoded = xattrs.decode_name(&stored).expect("it is ours");
        assert_eq!(decoded.expect("it was encoded"), name);
    }
    if let Ok(value) = xattrs.open_value(content, text) {
        assert!(value.is_empty(), "opened");
    }
    let stored = xattrs.seal_value(content, text);
    assert_eq!(
        xattrs.open_value(content, &stored).expect("as sealed"),
        text
    );
}

/// A command line, one word a line, the first of them the name of the program.
fn arguments(input: &[u8]) {
    let words = input.split(|byte| *byte == b'\n');
    let words: Vec<_> = words
        .map(|word| OsString::from_vec(word.to_vec()))
        .collect();
    let _ = cli::understands(&words);
}

fn control_request(input: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<ctlsock::Request>(input) {
        let written = serde_json::to_vec(&request).expect("text is JSON");
        let again: ctlsock::Request = serde_json::from_slice(&written).expect("as written");
        assert_eq!(again, request);
    }
    let _ = serde_json::from_slice::<ctlsock::Response>(input);
}

/// Patterns, one a line; the last line is a path, too.
fn exclusions(input: &[u8]) {
    let path = input
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    if let Ok(exclusions) = Exclusions::new(input.split(|byte| *byte == b'\n')) {
        let _ = exclusions.hide(path);
        let _ = exclusions.hide(input);
    }
}

/// A pattern in the first line, a stored name behind it.
fn bad_names(input: &[u8]) {
    let Some((codecs, text)) = chosen(input) else {
        return;
    };
    let mut lines = text.splitn(2, |byte| *byte == b'\n').map(OsStr::from_bytes);
    let (pattern, stored) = (lines.next().unwrap_or_default(), lines.next());
    if let Ok(patterns) = BadNames::new(&[pattern])
        && let Some(shown) = patterns.show(&codecs.names, &IV, stored.unwrap_or_default())
    {
        assert!(patterns.may_be(shown.as_os_str()));
    }
}
