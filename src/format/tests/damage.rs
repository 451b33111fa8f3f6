//! Whatever the bytes on disk are, reading them ends in a value or an error.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::format::{BlockNo, DirIv, FileId, StoredName, open_target, seal_target};

/// Everything that is one cut or one changed byte away from `good`, and some that is far away.
fn damaged(good: &[u8]) -> Vec<Vec<u8>> {
    let cut = (0..good.len()).map(|length| good[..length].to_vec());
    let changed = (0..good.len()).flat_map(|at| {
        [0x00, 0x01, 0x20, 0x80, 0xff].map(|flip| {
            let mut bytes = good.to_vec();
            bytes[at] ^= flip;
            bytes
        })
    });
    let uniform = [0, 1, b'=', b'A', b'_', 0xff]
        .into_iter()
        .flat_map(|byte| [1, 16, 17, 24, 44, 255, 344, 4128, 70_000].map(|len| vec![byte; len]));
    cut.chain(changed).chain(uniform).collect()
}

#[test]
fn no_header_or_directory_iv_panics() {
    for bytes in damaged(&FileId([3; 16]).to_header()) {
        if let Ok(id) = FileId::parse(&bytes) {
            assert_eq!(id.to_header()[..], bytes);
        }
        if let Ok(iv) = DirIv::parse(&bytes) {
            assert_eq!(iv.0[..], bytes);
        }
    }
}

#[test]
fn no_block_panics_and_none_opens_but_the_good_one() {
    for suite in SUITES {
        let codec = with_suite(suite).content;
        let id = FileId([3; 16]);
        let mut good = Vec::new();
        codec.seal_run(id, BlockNo(0), b"some text", &mut good);
        for bytes in damaged(&good) {
            let mut buf = bytes.clone();
            let opened = codec.open_run(id, BlockNo(0), &mut buf);
            let hole = bytes == vec![0; codec.layout().cipher_block()];
            let harmless = bytes == good || bytes.is_empty() || hole;
            assert_eq!(opened.is_ok(), harmless, "{suite:?} {}", bytes.len());
        }
    }
}

#[test]
fn no_value_or_target_panics_and_none_opens_but_the_good_one() {
    for suite in SUITES {
        let Codecs {
            content,
            names,
            xattrs,
        } = with_suite(suite);
        let value = xattrs.seal_value(&content, b"some text");
        for bytes in damaged(&value) {
            let opened = xattrs.open_value(&content, &bytes);
            assert_eq!(opened.is_ok(), bytes == value || bytes.is_empty());
        }
        let target = seal_target(&content, &names, b"some/target");
        for bytes in damaged(&target) {
            let opened = open_target(&content, &names, &bytes);
            assert_eq!(opened.is_ok(), bytes == target || bytes.is_empty());
        }
    }
}

#[test]
fn no_name_panics_and_what_decodes_is_what_would_be_stored() {
    let names = codecs(Params {
        names: NameParams::Encrypted {
            long_limit: None,
            dir_iv: true,
        },
        ..DEFAULT
    })
    .names;
    let iv = DirIv([9; 16]);
    for bytes in damaged(b"qk6iHr29RBPDTHATR5v1BQ") {
        let text = OsStr::from_bytes(&bytes);
        let decoded = names.decode(&iv, text);
        assert_eq!(names.decode_long(&iv, &bytes).ok(), decoded.clone().ok());
        if let Ok(name) = decoded {
            let stored = names.encode(&iv, &name).unwrap();
            assert!(matches!(stored, StoredName::Short(_)));
            assert_eq!(stored.disk(), text);
        }
        names.classify(text, true, true);
    }
}

#[test]
fn no_attribute_name_panics_and_what_decodes_is_what_would_be_stored() {
    let xattrs = codecs(DEFAULT).xattrs;
    for bytes in damaged(b"user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w") {
        let stored = OsStr::from_bytes(&bytes);
        if let Some(Ok(name)) = xattrs.decode_name(stored) {
            assert_eq!(xattrs.encode_name(&name).unwrap(), stored);
        }
    }
}
