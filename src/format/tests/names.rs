//! File names: vectors, long names, what directory entries are, and damage.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::format::{DirIv, DiskName, NameCodec, NameDefect, PlainName, StoredName, name_file};

/// 00 01 02 ... 0f
const IV: DirIv = DirIv([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

fn encrypted(long_limit: Option<u8>, padded: bool) -> NameCodec {
    let names = NameParams::Encrypted {
        long_limit,
        dir_iv: true,
    };
    codecs(Params {
        names,
        padded,
        ..DEFAULT
    })
    .names
}

fn standard() -> NameCodec {
    encrypted(Some(255), false)
}

fn plain_codec() -> NameCodec {
    let names = NameParams::Plain;
    codecs(Params { names, ..DEFAULT }).names
}

fn plain(name: &str) -> PlainName {
    PlainName::new(OsStr::new(name)).unwrap()
}

fn encode(codec: &NameCodec, iv: &DirIv, name: &str) -> StoredName {
    codec.encode(iv, &plain(name)).unwrap()
}

fn decode(codec: &NameCodec, text: &str) -> Result<PlainName, NameDefect> {
    codec.decode(&IV, OsStr::new(text))
}

/// Encodes to the disk name, and what decides about the entry decodes to the name.
fn check(codec: &NameCodec, iv: &DirIv, name: &str, disk: &str) {
    let stored = encode(codec, iv, name);
    assert_eq!(stored.disk(), disk, "{name}");
    let decoded = match &stored {
        StoredName::Short(text) => codec.decode(iv, text.as_os_str()),
        StoredName::Long { full, .. } => codec.decode_long(iv, full.as_os_str().as_bytes()),
    };
    assert_eq!(decoded, Ok(plain(name)), "{disk}");
    let is_long = matches!(
        codec.classify(disk.as_ref(), false, true),
        DiskName::Long(_)
    );
    assert_eq!(is_long, stored.long().is_some(), "{disk}");
}

#[test]
fn names_have_the_texts_of_the_vectors() {
    let vectors = [
        ("n", 1, "_-j0bW4kvGMKUJPr8Ayc_g"),
        ("n", 15, "Oe1H2tK1hQ8bZU8Jdc2ZgA"),
        ("n", 16, "AwQLFZSEOJkWCVxz5gkSndbCvR2GCEX7O5k59we7zRo"),
        ("n", 17, "FW-1T5gdrrXZcgPQb65UleaZOhqRHoaOxIL1Vjw9npA"),
        (
            "n",
            32,
            "G2ikKc_1yYAHprDnGkOEDAJW5LdpSvzW3hoOk8dSevjwVYXHCNZ7a1olpKofkbo5",
        ),
        (
            "n",
            176,
            "gocryptfs.longname.ZMCEZiPV2U7w21AA0DBdQRIqOQmltSJhgWZFv6YMBMc",
        ),
        (
            "n",
            255,
            "gocryptfs.longname.yHVJa84kx5CoY57zutgXX0P7_PY0iiZpZBsamDqqF0w",
        ),
        (
            "x",
            255,
            "gocryptfs.longname.lhMhcSxZNfrb3U4opif25wstFVPMdKVxdMWdHJftZjg",
        ),
        ("a", 1, "qk6iHr29RBPDTHATR5v1BQ"),
        ("empty", 1, "4_trO20utjev11dhNv0CRg"),
        ("f5000", 1, "9TIloyniTlecOnhDHFF3Vw"),
        ("lnk", 1, "4CjY-GfJ4GaNpd6AT8JIXg"),
        ("vec1", 1, "FlyHw1q53DTe8RxqzAS8Yw"),
        ("foo", 1, "kdpzVzBeShB3GNrDO-7_wQ"),
        ("sub", 1, "exTRMLv0c7yiI70MSxvQwg"),
        ("<&>", 1, "c1JW0hRnHjYIr6vsi-UqHg"),
    ];
    for (part, times, disk) in vectors {
        check(&standard(), &IV, &part.repeat(times), disk);
    }
}

#[test]
fn deterministic_names_have_the_texts_of_the_vectors() {
    let vectors = [
        ("a", "1sKOJa08QdEbbzmV8V5Lug"),
        ("hello.txt", "jL2AGWCsH3KL2YR2S3kqNg"),
        ("sub", "NpwQVH07TCzMriBuf-wGBg"),
    ];
    for (name, disk) in vectors {
        check(&standard(), &DirIv::ZERO, name, disk);
    }
}

#[test]
fn names_of_old_volumes_have_the_texts_of_the_vectors() {
    let params = Params {
        hkdf: false,
        padded: true,
        ..DEFAULT
    };
    let codec = codecs(params).names;
    check(&codec, &IV, "a", "VwSkRhICTx8P_AyUfnhiIw==");
    let vectors = [
        ("x", 1, "UrVy0xyfxWsHgwPM0tLx6Q=="),
        ("n", 31, "I81W_8hu78apFpXkMPtuq2uhJdYjeJcKfKJzNmAv2B0="),
        (
            "n",
            176,
            "gocryptfs.longname.Z5O6fP4kpHPsi0PqI9phVNiuHVQ1WBP3JoOxjd0GwKY=",
        ),
        (
            "n",
            255,
            "gocryptfs.longname.-tWdqCoAet_bryX3iM3d-1oEs_FWmMiWTd4hzCmgxco=",
        ),
    ];
    for (part, times, disk) in vectors {
        check(&codec, &DirIv::ZERO, &part.repeat(times), disk);
    }
}

#[test]
fn padded_names_hash_the_padded_text() {
    let vectors = [
        (31, "i9yW9NxYgMlZZ-xef4mxcof4i02H4hRTh2OSXq3IFSw="),
        (
            176,
            "gocryptfs.longname.ZMCEZiPV2U7w21AA0DBdQRIqOQmltSJhgWZFv6YMBMc=",
        ),
        (
            255,
            "gocryptfs.longname.7s80eA4Xl82IXZTNZkf-djfce5EIGoobKjE24dvvh0k=",
        ),
    ];
    for (times, disk) in vectors {
        check(&encrypted(Some(255), true), &IV, &"n".repeat(times), disk);
    }
}

#[test]
fn a_lower_limit_hashes_shorter_names() {
    let codec = encrypted(Some(62), false);
    let vectors = [
        (31, "i9yW9NxYgMlZZ-xef4mxcof4i02H4hRTh2OSXq3IFSw"),
        (
            32,
            "gocryptfs.longname.Y21GzXKcGHIef1cmFvH__h_7EcfgPaY4FGJLNufy_io",
        ),
        (
            176,
            "gocryptfs.longname.ZMCEZiPV2U7w21AA0DBdQRIqOQmltSJhgWZFv6YMBMc",
        ),
    ];
    for (times, disk) in vectors {
        check(&codec, &IV, &"n".repeat(times), disk);
    }
    let padded = encrypted(Some(62), true);
    let disk = "gocryptfs.longname.Y21GzXKcGHIef1cmFvH__h_7EcfgPaY4FGJLNufy_io=";
    check(&padded, &IV, &"n".repeat(32), disk);
}

#[test]
fn the_length_of_the_text_follows_from_the_length_of_the_name() {
    let raw = [
        22, 43, 64, 86, 107, 128, 150, 171, 192, 214, 235, 256, 278, 299, 320, 342,
    ];
    let padded = [
        24, 44, 64, 88, 108, 128, 152, 172, 192, 216, 236, 256, 280, 300, 320, 344,
    ];
    for length in 1..=255 {
        for (lengths, pad) in [(raw, false), (padded, true)] {
            let codec = encrypted(None, pad);
            let stored = encode(&codec, &IV, &"n".repeat(length));
            assert_eq!(stored.disk().len(), lengths[length / 16], "{length} {pad}");
            assert_eq!(
                codec.decode(&IV, stored.disk()),
                Ok(plain(&"n".repeat(length)))
            );
            let limited = encrypted(Some(200), pad);
            let stored = encode(&limited, &IV, &"n".repeat(length));
            assert_eq!(limited.is_hashed(length), stored.long().is_some());
        }
    }
}

#[test]
fn without_long_names_nothing_is_hashed() {
    let codec = encrypted(None, false);
    assert_eq!(encode(&codec, &IV, &"n".repeat(255)).long(), None);
    let helper = OsStr::new("gocryptfs.longname.x.name");
    assert_eq!(codec.classify(helper, false, true), DiskName::Short(helper));
}

#[test]
fn a_long_name_knows_its_helper_file() {
    let stored = encode(&standard(), &IV, &"n".repeat(255));
    let (hash, full) = stored.long().unwrap();
    let file = "gocryptfs.longname.yHVJa84kx5CoY57zutgXX0P7_PY0iiZpZBsamDqqF0w.name";
    assert_eq!(hash.name_file(), file);
    assert_eq!(name_file(stored.disk()), file);
    assert_eq!(full.as_os_str().len(), 342);
}

#[test]
fn the_content_of_a_name_file_has_limits() {
    let codec = encrypted(Some(255), true);
    let full = encode(&encrypted(None, true), &IV, &"n".repeat(255));
    let longest = codec.decode_long(&IV, full.disk().as_bytes());
    assert_eq!(longest, Ok(plain(&"n".repeat(255))));
    for length in [0, 345, 4096] {
        let decoded = codec.decode_long(&IV, &vec![b'A'; length]);
        assert_eq!(decoded, Err(NameDefect::NameFileLength(length)));
    }
    let lined = codec.decode_long(&IV, b"VwSkRhICTx8P_AyUfnhiIw==\n");
    assert!(matches!(lined, Err(NameDefect::Base64 { .. })), "{lined:?}");
}

#[test]
fn base64_is_strict_and_says_where_it_is_not() {
    let raw = [
        ("qk6iHr29RBPDTHATR5v1BR", 20),
        ("AwQLFZSEOJkWCVxz5gkSndbCvR2GCEX7O5k59we7zRp", 42),
        ("qk6iHr29RBPDTHATR5v1BQ==", 22),
        ("qk6iHr29RBPDTHATR5v1B", 20),
        ("qk6iHr29R+PDTHATR5v1BQ", 9),
        ("qk6iHr29R\nBPDTHATR5v1BQ", 9),
        ("qk6iHr29RBPDTHATR5v1BQ\r\n", 22),
        ("A", 0),
        (".x", 0),
        ("gocryptfs.diriv.rmdir.123", 9),
    ];
    let padded = [
        ("VwSkRhICTx8P_AyUfnhiIw", 20),
        ("VwSkRhICTx8P_AyUfnhiIw=", 22),
        ("VwSkRhICTx8P_AyUfnhi\nIw==", 20),
        ("AA=A", 2),
        ("=", 0),
    ];
    let raw = raw.map(|(text, at)| (standard(), text, at));
    let padded = padded.map(|(text, at)| (encrypted(Some(255), true), text, at));
    for (codec, text, at) in raw.into_iter().chain(padded) {
        let defect = decode(&codec, text).unwrap_err();
        assert_eq!(defect, NameDefect::Base64 { at }, "{text:?}");
        assert_eq!(
            defect.to_string(),
            format!("illegal base64 data at input byte {at}")
        );
    }
}

#[test]
fn texts_that_are_no_sealed_name_are_a_bad_message() {
    let empty = "";
    let four_bytes = "AAAAAA";
    let noise = "AAAAAAAAAAAAAAAAAAAAAA";
    for text in [empty, four_bytes, noise] {
        let defect = decode(&standard(), text).unwrap_err();
        assert_eq!(defect, NameDefect::Invalid, "{text:?}");
        assert_eq!(defect.to_string(), "bad message");
    }
}

#[test]
fn a_sealed_text_that_is_no_name_is_a_bad_message() {
    let codec = standard();
    let names = unchecked_text();
    for bad in [&b"."[..], b"..", b"a/b", b"a\0"] {
        let text = names.seal(&IV.0, bad).unwrap();
        assert_eq!(decode(&codec, &text), Err(NameDefect::Invalid), "{bad:?}");
    }
    let block_of_padding = names.seal(&IV.0, b"").unwrap();
    assert_eq!(decode(&codec, &block_of_padding), Err(NameDefect::Invalid));
}

#[test]
fn the_directory_decides_what_a_text_means() {
    let codec = standard();
    let here = encode(&codec, &IV, "a");
    let there = encode(&codec, &DirIv([1; 16]), "a");
    assert_ne!(here, there);
    let moved = codec.decode(&DirIv([1; 16]), here.disk());
    assert_ne!(moved, Ok(plain("a")));
}

#[test]
fn entries_of_an_encrypted_directory_are_told_apart_by_name() {
    let codec = standard();
    let classify =
        |disk, is_root, has_dir_iv| codec.classify(OsStr::new(disk), is_root, has_dir_iv);
    let short = |disk| DiskName::Short(OsStr::new(disk));
    let long = |disk| DiskName::Long(OsStr::new(disk));

    assert_eq!(classify("gocryptfs.conf", true, true), DiskName::Config);
    assert_eq!(
        classify("gocryptfs.conf", false, true),
        short("gocryptfs.conf")
    );
    assert_eq!(classify("gocryptfs.diriv", true, true), DiskName::DirIv);
    assert_eq!(classify("gocryptfs.diriv", false, true), DiskName::DirIv);
    assert_eq!(
        classify("gocryptfs.diriv", false, false),
        short("gocryptfs.diriv")
    );
    let leftover = "gocryptfs.diriv.rmdir.18446744073709551615";
    assert_eq!(classify(leftover, false, true), short(leftover));

    let hash = "gocryptfs.longname.yHVJa84kx5CoY57zutgXX0P7_PY0iiZpZBsamDqqF0w";
    assert_eq!(classify(hash, false, true), long(hash));
    let helper = name_file(OsStr::new(hash));
    assert_eq!(codec.classify(&helper, false, true), DiskName::NameFile);
    assert_eq!(
        classify("gocryptfs.longname.", false, true),
        long("gocryptfs.longname.")
    );
    assert_eq!(
        classify("gocryptfs.longname.name", false, true),
        DiskName::NameFile
    );
    assert_eq!(
        classify("gocryptfs.longname", false, true),
        short("gocryptfs.longname")
    );
    assert_eq!(classify("x.name", false, true), short("x.name"));
}

#[test]
fn plain_names_stay_and_only_the_configuration_is_special() {
    let codec = plain_codec();
    for name in [
        "a",
        "gocryptfs.diriv",
        "gocryptfs.longname.x.name",
        "gocryptfs.conf",
    ] {
        check_plain(&codec, name);
    }
    let conf = OsStr::new("gocryptfs.conf");
    assert_eq!(codec.classify(conf, true, false), DiskName::Config);
    assert!(codec.hides(&plain("gocryptfs.conf"), true));
    assert!(!codec.hides(&plain("gocryptfs.conf"), false));
    assert!(!codec.hides(&plain("gocryptfs.diriv"), true));
    assert!(!standard().hides(&plain("gocryptfs.conf"), true));
}

fn check_plain(codec: &NameCodec, name: &str) {
    let stored = encode(codec, &DirIv::ZERO, name);
    assert_eq!(stored.disk(), name);
    assert_eq!(stored.long(), None);
    assert_eq!(decode(codec, name), Ok(plain(name)));
    let disk = OsString::from(name);
    assert_eq!(codec.classify(&disk, false, false), DiskName::Short(&disk));
}

#[test]
fn plain_names_of_255_bytes_are_stored_whole() {
    check_plain(&plain_codec(), &"n".repeat(255));
}
