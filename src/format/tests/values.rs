//! Symlink targets and extended attributes: vectors and damage.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use super::*;
use crate::format::{
    BlockDefect, Corrupt, NameDefect, ValueDefect, XattrCodec, is_passed_through, open_target,
    seal_target, target_size,
};

/// Sealed by the original program: the attribute value "bar".
const BAR: [&str; 3] = [
    "27dc14e3f8269641ae3b0be2e0f4297ba071f7164af7a7d8cc6d6a7ab4bb06563028e9",
    "85c8b808053330abf1eb117514d030783216bb319a8fb4b5a8b9eff25459c9d9e933d0",
    "6eb46b8955e4b943709f495eee01b90e8390c67f8ce1362876c42136697e8cb39f212da3154fb0e01f797f",
];
const TARGET: &[u8] = b"/tmp/target";

fn xattrs(hkdf: bool, padded: bool) -> XattrCodec {
    codecs(Params {
        padded,
        hkdf,
        ..DEFAULT
    })
    .xattrs
}

fn plain_names() -> Codecs {
    codecs(Params {
        names: NameParams::Plain,
        padded: true,
        ..DEFAULT
    })
}

fn encode(codec: &XattrCodec, name: &str) -> Result<OsString, NameDefect> {
    codec.encode_name(OsStr::new(name))
}

fn decode(codec: &XattrCodec, stored: &str) -> Option<Result<OsString, NameDefect>> {
    codec.decode_name(OsStr::new(stored))
}

#[test]
fn symlink_targets_have_the_texts_of_the_vectors() {
    let nonce = hex("202122232425262728292a2b2c2d2e2f3031323334353637");
    let vectors = [
        "ICEiIyQlJicoKSorLC0uL4udME0QzdwesW0GmG2Za2YHmaliDV8KthMfUA",
        "ICEiIyQlJicoKSorLC0uL6mBnlmbjDHvsRRRHQTwRVr6Sv6rpOLD4Ks6aw",
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3YN7AYzDLdL9XgSUdwKhgOr1i0SaQVQ16_p8M",
    ];
    for (suite, text) in SUITES.into_iter().zip(vectors) {
        let Codecs { content, names, .. } = with_suite(suite);
        let sealed = content.seal_value_with(TARGET, &nonce[..suite.nonce_len()]);
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), text, "{suite:?}");
        let opened = open_target(&content, &names, text.as_bytes());
        assert_eq!(opened, Ok(TARGET.to_vec()), "{suite:?}");
        assert_eq!(target_size(&content, &names, text.as_bytes()), 11);
    }
}

#[test]
fn symlink_targets_of_the_original_program_open() {
    let old = Params {
        hkdf: false,
        padded: true,
        ..DEFAULT
    };
    let padded = Params {
        padded: true,
        ..DEFAULT
    };
    let xchacha = Params {
        content: ContentSuite::XChaCha,
        ..DEFAULT
    };
    let vectors = [
        (
            DEFAULT,
            "hUI06yeOSQgmyqrlJnIT7ugbVdd_o602Z9eDHFYmG-ExTBTH70Rff-Z-zQ",
        ),
        (
            padded,
            "NguzTcUVf5TRFvpIXsKvtX8jbp1hnO6And-f-D77UFmq_UOJGXRC6Fn_0A==",
        ),
        (
            old,
            "nVVZahucB5EQXjVErMkvdoiU3eY1097trPhQlfbatwJNqPuo8pglqTBCwA==",
        ),
        (
            xchacha,
            "e0yf_G3cR7gv3mXVUh17qLiIxuNY9cU4F8VG2D-WjdMjBzTZjt6ocMUze5VAxDeO3Cjy",
        ),
    ];
    for (params, text) in vectors {
        let Codecs { content, names, .. } = codecs(params);
        let opened = open_target(&content, &names, text.as_bytes());
        assert_eq!(opened, Ok(TARGET.to_vec()), "{params:?}");
    }
}

#[test]
fn the_longest_target_fits_a_symlink() {
    for (suite, longest) in SUITES.into_iter().zip([3039, 3039, 3031]) {
        let Codecs { content, names, .. } = with_suite(suite);
        let stored = |length| seal_target(&content, &names, &vec![b't'; length]);
        assert_eq!(stored(longest).len(), 4095, "{suite:?}");
        assert!(stored(longest + 1).len() > 4095, "{suite:?}");
        let size = target_size(&content, &names, &stored(longest));
        assert_eq!(size, longest as u64);
    }
}

#[test]
fn plain_names_come_with_plain_targets() {
    let Codecs { content, names, .. } = plain_names();
    assert_eq!(seal_target(&content, &names, TARGET), TARGET);
    assert_eq!(open_target(&content, &names, TARGET), Ok(TARGET.to_vec()));
    assert_eq!(target_size(&content, &names, TARGET), 11);
}

#[test]
fn damaged_targets_are_told_apart_and_have_no_size() {
    let Codecs { content, names, .. } = with_suite(ContentSuite::AesGcm);
    let good = seal_target(&content, &names, TARGET);
    let mut forged = good.clone();
    forged[30] = if forged[30] == b'A' { b'B' } else { b'A' };
    let mut lined = good.clone();
    lined.push(b'\n');
    let vectors = [
        (&forged[..], ValueDefect::Block(BlockDefect::Forged)),
        (&lined, ValueDefect::Base64 { at: good.len() }),
        (b"/tmp", ValueDefect::Base64 { at: 0 }),
        (b"AAAA", ValueDefect::Block(BlockDefect::TooShort)),
        (&[b'A'; 64], ValueDefect::Block(BlockDefect::ZeroNonce)),
        (&good[..40], ValueDefect::Block(BlockDefect::Forged)),
    ];
    for (stored, defect) in vectors {
        let opened = open_target(&content, &names, stored);
        assert_eq!(opened, Err(Corrupt::Value(defect)));
        assert_eq!(target_size(&content, &names, stored), 0);
    }
    assert_eq!(open_target(&content, &names, b""), Ok(Vec::new()));
}

#[test]
fn attribute_names_have_the_texts_of_the_vectors() {
    let vectors = [
        (
            true,
            false,
            "user.foo",
            "user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w",
        ),
        (
            true,
            false,
            "user.empty",
            "user.gocryptfs.0H1FaYhRYCyyGHOHTpKUzA",
        ),
        (
            false,
            false,
            "user.foo",
            "user.gocryptfs.DEwEtIL-dsAyL9XauPlGOQ",
        ),
        (
            true,
            true,
            "user.foo",
            "user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w==",
        ),
        (
            false,
            true,
            "user.foo",
            "user.gocryptfs.DEwEtIL-dsAyL9XauPlGOQ==",
        ),
    ];
    for (hkdf, padded, name, stored) in vectors {
        let codec = xattrs(hkdf, padded);
        assert_eq!(encode(&codec, name), Ok(stored.into()));
        assert_eq!(decode(&codec, stored), Some(Ok(name.into())));
    }
}

#[test]
fn attributes_are_encrypted_beside_plain_names_too() {
    let stored = encode(&plain_names().xattrs, "user.foo");
    assert_eq!(stored, Ok("user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w==".into()));
}

#[test]
fn attribute_names_of_all_namespaces_go_to_ours_and_back() {
    let codec = xattrs(true, false);
    let longest = format!("user.{}", "n".repeat(250));
    let names = [
        "user.a/b",
        "trusted.t",
        "security.capability",
        "system.other",
        "x",
        &longest,
    ];
    for name in names {
        let stored = encode(&codec, name).unwrap();
        assert!(stored.as_bytes().starts_with(b"user.gocryptfs."), "{name}");
        assert_eq!(codec.decode_name(&stored), Some(Ok(name.into())));
    }
}

#[test]
fn the_longest_attribute_name_that_the_disk_takes_has_175_bytes() {
    let codec = xattrs(true, false);
    let stored = |length| encode(&codec, &"n".repeat(length)).unwrap().len();
    assert!(stored(175) <= 255);
    assert!(stored(176) > 255);
}

#[test]
fn attribute_names_that_cannot_be_are_refused() {
    let codec = xattrs(true, false);
    assert_eq!(encode(&codec, ""), Err(NameDefect::Invalid));
    assert_eq!(encode(&codec, "user.\0"), Err(NameDefect::Invalid));
    assert_eq!(encode(&codec, &"n".repeat(256)), Err(NameDefect::TooLong));
}

#[test]
fn access_control_lists_pass_through() {
    let codec = xattrs(true, false);
    for acl in ["system.posix_acl_access", "system.posix_acl_default"] {
        assert!(is_passed_through(OsStr::new(acl)));
        assert_eq!(encode(&codec, acl), Ok(acl.into()));
        assert_eq!(decode(&codec, acl), Some(Ok(acl.into())));
        let sealed = unchecked_text().seal(b"xattr_name_iv_xx", acl.as_bytes());
        let old = format!("user.gocryptfs.{}", sealed.unwrap());
        assert_eq!(decode(&codec, &old), Some(Err(NameDefect::PassedThrough)));
    }
    assert!(!is_passed_through(OsStr::new("system.posix_acl")));
}

#[test]
fn foreign_attributes_are_invisible_and_damaged_ones_are_errors() {
    let codec = xattrs(true, false);
    for foreign in ["user.foo", "security.selinux", "user.gocryptfs", ""] {
        assert_eq!(decode(&codec, foreign), None, "{foreign}");
    }
    let cut = decode(&codec, "user.gocryptfs.WnDhkvrx");
    assert_eq!(cut, Some(Err(NameDefect::Invalid)));
    let empty = decode(&codec, "user.gocryptfs.");
    assert_eq!(empty, Some(Err(NameDefect::Invalid)));
    let noise = decode(&codec, "user.gocryptfs.!");
    assert!(matches!(noise, Some(Err(NameDefect::Base64 { .. }))));
}

#[test]
fn attribute_values_of_the_original_program_open() {
    for (suite, stored) in SUITES.into_iter().zip(BAR) {
        let Codecs {
            content, xattrs, ..
        } = with_suite(suite);
        let opened = xattrs.open_value(&content, &hex(stored));
        assert_eq!(opened, Ok(b"bar".to_vec()), "{suite:?}");
    }
}

#[test]
fn attribute_values_that_were_stored_as_base64_open() {
    for (suite, stored) in SUITES.into_iter().zip(BAR) {
        let Codecs {
            content, xattrs, ..
        } = with_suite(suite);
        let text = URL_SAFE_NO_PAD.encode(hex(stored));
        let opened = xattrs.open_value(&content, text.as_bytes());
        assert_eq!(opened, Ok(b"bar".to_vec()), "{suite:?}");
    }
    let Codecs {
        content, xattrs, ..
    } = plain_names();
    let text = URL_SAFE.encode(hex(BAR[0]));
    let opened = xattrs.open_value(&content, text.as_bytes());
    assert_eq!(opened, Ok(b"bar".to_vec()));
}

#[test]
fn attribute_values_of_any_length_come_back() {
    for suite in SUITES {
        let Codecs {
            content, xattrs, ..
        } = with_suite(suite);
        for length in [0, 1, 4096, 4097, 65536] {
            let stored = xattrs.seal_value(&content, &vec![7; length]);
            let overhead = if length == 0 {
                0
            } else {
                content.layout().overhead()
            };
            assert_eq!(stored.len(), length + overhead);
            let opened = xattrs.open_value(&content, &stored);
            assert!(opened == Ok(vec![7; length]), "{suite:?} {length}");
        }
    }
}

#[test]
fn damaged_values_are_refused_for_the_reason_that_counts() {
    let Codecs {
        content, xattrs, ..
    } = with_suite(ContentSuite::AesGcm);
    let mut forged = hex(BAR[0]);
    forged[34] ^= 1;
    let hole = vec![0; content.layout().cipher_block()];
    let vectors = [
        (&forged[..], BlockDefect::Forged),
        (b"short", BlockDefect::TooShort),
        (&hole, BlockDefect::ZeroNonce),
    ];
    for (stored, defect) in vectors {
        let opened = xattrs.open_value(&content, stored);
        assert_eq!(opened, Err(Corrupt::Value(ValueDefect::Block(defect))));
    }
}
