//! Feature flags: which sets make a volume, and what it is.

use crate::crypto::ContentSuite;
use crate::format::{FeatureDefect, FeatureFlags, Flag, InitChoices, NameParams, Params};

const DEFAULT: InitChoices = InitChoices {
    content: ContentSuite::AesGcm,
    plaintext_names: false,
    deterministic_names: false,
    long_name_max: 0,
    fido2: false,
};

fn parse(flags: &str, long_name_max: u8) -> Result<FeatureFlags, FeatureDefect> {
    let flags: Vec<&str> = flags.split_whitespace().collect();
    FeatureFlags::parse(&flags, long_name_max)
}

fn params(flags: &str, long_name_max: u8) -> Params {
    parse(flags, long_name_max).unwrap().params(true)
}

#[test]
fn the_first_broken_rule_is_told() {
    let refused = [
        ("Foo DirIV", 0, "unknown feature flag \"Foo\""),
        ("GCMIV128 hkdf", 0, "unknown feature flag \"hkdf\""),
        (
            "XChaCha20Poly1305 AESSIV",
            0,
            "can't have both XChaCha20Poly1305 and AESSIV feature flags",
        ),
        (
            "AESSIV PlaintextNames DirIV",
            0,
            "AESSIV requires GCMIV128 feature flag",
        ),
        (
            "XChaCha20Poly1305 GCMIV128",
            0,
            "XChaCha20Poly1305 conflicts with GCMIV128 feature flag",
        ),
        (
            "XChaCha20Poly1305",
            0,
            "XChaCha20Poly1305 requires HKDF feature flag",
        ),
        (
            "DirIV EMENames",
            0,
            "AES-GCM requires GCMIV128 feature flag",
        ),
        ("", 0, "AES-GCM requires GCMIV128 feature flag"),
        (
            "GCMIV128 PlaintextNames LongNameMax Raw64 LongNames DirIV EMENames",
            0,
            "PlaintextNames conflicts with EMENames feature flag",
        ),
        (
            "GCMIV128 PlaintextNames LongNameMax Raw64 LongNames DirIV",
            0,
            "PlaintextNames conflicts with DirIV feature flag",
        ),
        (
            "GCMIV128 PlaintextNames LongNameMax Raw64 LongNames",
            0,
            "PlaintextNames conflicts with LongNames feature flag",
        ),
        (
            "GCMIV128 PlaintextNames LongNameMax Raw64",
            0,
            "PlaintextNames conflicts with Raw64 feature flag",
        ),
        (
            "GCMIV128 PlaintextNames LongNameMax",
            100,
            "PlaintextNames conflicts with LongNameMax feature flag",
        ),
        (
            "GCMIV128 PlaintextNames",
            7,
            "LongNameMax=7 but the LongNameMax feature flag is NOT set",
        ),
        (
            "GCMIV128 LongNameMax",
            0,
            "LongNameMax=0 but the LongNameMax feature flag IS set",
        ),
    ];
    for (flags, long_name_max, text) in refused {
        let defect = parse(flags, long_name_max).unwrap_err();
        assert_eq!(defect.to_string(), text, "{flags}");
    }
}

#[test]
fn flags_of_real_volumes_become_their_parameters() {
    let encrypted = |limit, dir_iv| NameParams::Encrypted {
        long_limit: Some(limit),
        dir_iv,
    };
    let volumes = [
        (
            "GCMIV128 DirIV EMENames",
            0,
            ContentSuite::AesGcm,
            encrypted(255, true),
            true,
            false,
        ),
        (
            "GCMIV128 DirIV EMENames LongNames AESSIV",
            0,
            ContentSuite::AesSiv,
            encrypted(255, true),
            true,
            false,
        ),
        (
            "GCMIV128 HKDF DirIV EMENames LongNames Raw64",
            0,
            ContentSuite::AesGcm,
            encrypted(255, true),
            false,
            true,
        ),
        (
            "HKDF XChaCha20Poly1305 DirIV EMENames LongNames Raw64",
            0,
            ContentSuite::XChaCha,
            encrypted(255, true),
            false,
            true,
        ),
        (
            "HKDF GCMIV128 EMENames LongNames Raw64",
            0,
            ContentSuite::AesGcm,
            encrypted(255, false),
            false,
            true,
        ),
        (
            "HKDF GCMIV128 DirIV LongNameMax EMENames LongNames Raw64",
            10,
            ContentSuite::AesGcm,
            encrypted(10, true),
            false,
            true,
        ),
        (
            "HKDF GCMIV128 PlaintextNames AESSIV",
            0,
            ContentSuite::AesSiv,
            NameParams::Plain,
            true,
            true,
        ),
    ];
    for (flags, long_name_max, content, names, padded, hkdf) in volumes {
        let expected = Params {
            content,
            names,
            padded,
            hkdf,
        };
        assert_eq!(params(flags, long_name_max), expected, "{flags}");
    }
}

#[test]
fn the_mount_decides_whether_long_names_are_hashed() {
    let flags = parse("GCMIV128 DirIV EMENames LongNames", 0).unwrap();
    let names = NameParams::Encrypted {
        long_limit: None,
        dir_iv: true,
    };
    assert_eq!(flags.params(false).names, names);
    let without_flag = params("GCMIV128 DirIV", 0);
    assert_eq!(without_flag, flags.params(true));
}

#[test]
fn order_and_repetition_do_not_matter() {
    let sorted = parse("HKDF GCMIV128 DirIV", 0).unwrap();
    assert_eq!(parse("DirIV HKDF GCMIV128 DirIV HKDF", 0), Ok(sorted));
    assert!(sorted.has(Flag::DirIv));
    assert!(!sorted.has(Flag::Raw64));
}

#[test]
fn directory_ivs_are_a_matter_of_the_flag() {
    assert!(params("GCMIV128 DirIV", 0).has_dir_iv());
    assert!(!params("GCMIV128", 0).has_dir_iv());
    assert!(!params("GCMIV128 PlaintextNames", 0).has_dir_iv());
}

#[test]
fn new_volumes_list_their_flags_in_the_known_order() {
    let xchacha = InitChoices {
        content: ContentSuite::XChaCha,
        deterministic_names: true,
        long_name_max: 100,
        ..DEFAULT
    };
    let plain = InitChoices {
        content: ContentSuite::AesSiv,
        plaintext_names: true,
        ..xchacha
    };
    let siv = InitChoices {
        content: ContentSuite::AesSiv,
        fido2: true,
        ..DEFAULT
    };
    let limited = InitChoices {
        long_name_max: 100,
        ..DEFAULT
    };
    let default_limit = InitChoices {
        long_name_max: 255,
        ..DEFAULT
    };
    let volumes = [
        (DEFAULT, "HKDF GCMIV128 DirIV EMENames LongNames Raw64", 0),
        (
            default_limit,
            "HKDF GCMIV128 DirIV EMENames LongNames Raw64",
            0,
        ),
        (
            limited,
            "HKDF GCMIV128 DirIV LongNameMax EMENames LongNames Raw64",
            100,
        ),
        (
            siv,
            "HKDF GCMIV128 DirIV EMENames LongNames Raw64 AESSIV FIDO2",
            0,
        ),
        (
            xchacha,
            "HKDF XChaCha20Poly1305 LongNameMax EMENames LongNames Raw64",
            100,
        ),
        (plain, "HKDF GCMIV128 PlaintextNames AESSIV", 0),
    ];
    for (choices, list, long_name_max) in volumes {
        let flags = FeatureFlags::for_init(choices);
        assert_eq!(flags.names().join(" "), list);
        assert_eq!(flags.long_name_max(), long_name_max);
        assert_eq!(parse(list, long_name_max), Ok(flags));
    }
}
