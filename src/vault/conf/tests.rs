//! Configuration files as other programs wrote them, and every way in which one can be wrong.

use super::*;
use crate::crypto::{ContentSuite, Secret};
use crate::format::InitChoices;

/// Made by gocryptfs 2.3 with `-init -scryptn 10` and the password `test`.
pub(super) const REAL: &str = r#"{
	"Creator": "gocryptfs 2.3",
	"EncryptedKey": "GrGMSmRBlUzjs6H4baNAUpgd55EopaZo2XGttX+YOfvDfGuYkYlFBBOUsLJaRPLIjjMPXkidAcxzm6mDP4yDGQ==",
	"ScryptObject": {
		"Salt": "+eY/N1LeR7xDXPPiTSooNWBABB8MHaH+lK040HV9CeM=",
		"N": 1024,
		"R": 8,
		"P": 1,
		"KeyLen": 32
	},
	"Version": 2,
	"FeatureFlags": [
		"GCMIV128",
		"HKDF",
		"DirIV",
		"EMENames",
		"LongNames",
		"Raw64"
	]
}
"#;

const REAL_KEY: &str = "70737bce9bde517d204ce9bd5e7ad483f279781c522d21a3ad7586245cce4a23";

fn password(text: &str) -> Password {
    Password::new(text.into())
}

pub(super) fn hex(key: &MasterKey) -> String {
    let digits = key
        .0
        .expose()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.map(|digit| char::from_digit(digit.into(), 16).unwrap());
    digits.collect()
}

/// The real file with one text in place of another.
fn changed(from: &str, to: &str) -> String {
    assert!(REAL.contains(from), "{from}");
    REAL.replace(from, to)
}

fn defect(text: &str) -> String {
    match Conf::parse(text.as_bytes()) {
        Err(ReadError::Defect(defect)) => defect.to_string(),
        Err(other) => format!("read error: {other}"),
        Ok(_) => "none".to_owned(),
    }
}

pub(super) fn made(log_n: u8, flags: FeatureFlags) -> Result<Conf, MakeError> {
    let key = MasterKey(Secret::new([7; 32]));
    Conf::new("tester 1", flags, &key, &password("pw"), log_n, None)
}

const CHOICES: InitChoices = InitChoices {
    content: ContentSuite::AesGcm,
    plaintext_names: false,
    deterministic_names: false,
    long_name_max: 0,
    fido2: false,
};

pub(super) fn init_flags() -> FeatureFlags {
    FeatureFlags::for_init(CHOICES)
}

#[test]
fn the_master_key_of_a_real_file_opens() {
    let conf = Conf::parse(REAL.as_bytes()).unwrap();
    assert_eq!(hex(&conf.unlock(&password("test")).unwrap()), REAL_KEY);
}

#[test]
fn a_wrong_password_or_a_changed_key_does_not_open() {
    let error = |text: &str| {
        let unlocked = Conf::parse(text.as_bytes())
            .unwrap()
            .unlock(&password("test"));
        let error = unlocked.unwrap_err();
        assert!(error.is_wrong_password());
        error
    };
    let conf = Conf::parse(REAL.as_bytes()).unwrap();
    assert_eq!(
        conf.unlock(&password("Test")).unwrap_err(),
        UnlockError::Forged
    );
    assert_eq!(error(&changed("GrGM", "GrGN")), UnlockError::Forged);
    assert_eq!(error(&changed("\"HKDF\",", "")), UnlockError::Forged);
    assert_eq!(
        error(&changed("EncryptedKey", "Other")),
        UnlockError::TooShort
    );
    let zeros = "GrGMSmRBlUzjs6H4baNAUpgd55EopaZo";
    let zeroed = changed(zeros, &"A".repeat(32));
    assert_eq!(error(&zeroed), UnlockError::ZeroNonce);
}

#[test]
fn broken_rules_are_named_in_their_order() {
    let cases = [
        (changed(": 2,", ": 3,"), "unsupported on-disk format 3"),
        (
            changed(": 1024", ": 1023"),
            "fatal: scryptn below 10 is too low to make sense",
        ),
        (
            changed(": 1024", ": -1024"),
            "fatal: scryptn below 10 is too low to make sense",
        ),
        (
            changed(": 8", ": 7"),
            "fatal: scrypt parameter R below minimum: value=7, min=8",
        ),
        (
            changed("\"P\": 1", "\"P\": 0"),
            "fatal: scrypt parameter P below minimum: value=0, min=1",
        ),
        (
            changed("+eY/", ""),
            "fatal: scrypt salt length below minimum: value=29, min=32",
        ),
        (
            changed(": 32", ": 31"),
            "fatal: scrypt parameter KeyLen below minimum: value=31, min=32",
        ),
        (changed("HKDF", "hkdf"), "unknown feature flag \"hkdf\""),
        (
            changed("\"GCMIV128\",", ""),
            "AES-GCM requires GCMIV128 feature flag",
        ),
        (
            changed("EMENames", "PlaintextNames"),
            "PlaintextNames conflicts with DirIV feature flag",
        ),
        (
            changed(": 2,", ": 2, \"LongNameMax\": 100,"),
            "LongNameMax=100 but the LongNameMax feature flag is NOT set",
        ),
        ("{}".to_owned(), "unsupported on-disk format 0"),
        ("null".to_owned(), "unsupported on-disk format 0"),
    ];
    for (text, wanted) in cases {
        assert_eq!(defect(&text), wanted);
    }
}

#[test]
fn text_of_the_wrong_shape_is_a_syntax_error() {
    let texts = [
        " ".to_owned(),
        format!("[{REAL}]"),
        format!("{REAL}x"),
        format!("\u{feff}{REAL}"),
        REAL[..REAL.len() / 2].to_owned(),
        changed(": 2,", ": \"2\","),
        changed(": 2,", ": 65536,"),
        changed(": 2,", ": -2,"),
        changed(": 2,", ": 2, \"LongNameMax\": 300,"),
        changed(": 1024", ": 1e3"),
        changed(": 8", ": 8.0"),
        changed("GrGM", "Gr*M"),
        changed("GQ==", "GQ="),
        changed("\"gocryptfs 2.3\"", "3"),
        changed("\"HKDF\"", "5"),
        changed(": 2,", ": 2, \"FIDO2\": 1,"),
        changed(": 2,", ": 2, \"FIDO2\": {\"CredentialID\": \"*\"},"),
        changed(": 2,", ": 2, \"FIDO2\": {\"HMACSalt\": 1},"),
        changed(": 2,", ": 2, \"FIDO2\": {\"AssertOptions\": \"x\"},"),
        changed(": 1024", ": 1024, \"r\": \"8\""),
    ];
    for text in texts {
        let error = Conf::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadError::Syntax(_)), "{text}: {error:?}");
    }
    assert_eq!(Conf::parse(b"").unwrap_err(), ReadError::Empty);
}

#[test]
fn keys_are_read_as_go_reads_them() {
    let same = [
        changed("EncryptedKey", "encryptedKEY"),
        changed("\"KeyLen\"", "\"keylen\""),
        changed("GrGM", "Gr\\r\\nGM"),
        changed(": 2,", ": 7, \"version\": 3, \"Version\": 2,"),
        changed(
            ": 2,",
            ": 2, \"Version\": null, \"\u{fc}nknown\": {\"a\": 1e999},",
        ),
        changed("\"Creator\": \"gocryptfs 2.3\",", ""),
        changed("\"Raw64\"", "\"Raw64\", \"Raw64\""),
    ];
    for text in same {
        let conf = Conf::parse(text.as_bytes()).unwrap();
        assert_eq!(
            hex(&conf.unlock(&password("test")).unwrap()),
            REAL_KEY,
            "{text}"
        );
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    for end in 0..REAL.len() {
        let _ = Conf::parse(&REAL.as_bytes()[..end]);
        let mut text = REAL.as_bytes().to_vec();
        text[end] ^= 0x11;
        if let Ok(conf) = Conf::parse(&text) {
            let _ = conf.scrypt().cost();
        }
    }
}

#[test]
fn parameters_beyond_any_machine_are_refused_without_a_try() {
    let error = |from: &str, to: &str| {
        let conf = Conf::parse(changed(from, to).as_bytes()).unwrap();
        let error = conf.unlock(&password("test")).unwrap_err();
        assert!(!error.is_wrong_password());
        error.to_string()
    };
    let huge = format!(": {}", 1_i64 << 40);
    assert!(error(": 1024", &huge).contains("N=2^40"));
    // within the bound, but more than this machine has left
    let needed = crate::sys::process::available_memory().unwrap() / 1024;
    let large = format!(": {}", needed.next_power_of_two() << 1);
    assert!(error(": 1024", &large).contains("need more memory than there is"));
    assert_eq!(
        error(": 1024", ": 1025"),
        "scrypt parameter N=1025 is not a power of two"
    );
    assert_eq!(
        error(": 32", ": 64"),
        "scrypt parameter KeyLen is too large: 64"
    );
    assert_eq!(
        error(": 8", ": 4294967296"),
        "scrypt parameter R is too large: 4294967296"
    );
    assert!(error("\"P\": 1", "\"P\": 2147483647").contains("P=2147483647"));
}

#[test]
fn a_real_file_is_written_as_it_was_read() {
    let conf = Conf::parse(REAL.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(conf.to_json()).unwrap(), REAL);
}

#[test]
fn a_new_file_opens_with_its_password() {
    let conf = made(10, init_flags()).unwrap();
    let conf = Conf::parse(&conf.to_json()).unwrap();
    assert_eq!(conf.unlock(&password("pw")).unwrap().0.expose(), &[7; 32]);
    assert_eq!((conf.creator(), conf.encrypted_key_len()), ("tester 1", 64));
    assert_eq!(conf.flags(), init_flags());
}

#[test]
fn a_new_file_must_be_costly_enough_and_possible() {
    let low = ConfDefect::Scrypt(ScryptDefect::LowCost);
    assert_eq!(made(9, init_flags()).unwrap_err(), MakeError::Defect(low));
    for log_n in [40, 62] {
        let error = made(log_n, init_flags()).unwrap_err();
        assert!(matches!(error, MakeError::Kdf(_)), "{error}");
    }
    for log_n in [63, 64, 255] {
        made(log_n, init_flags()).unwrap_err();
    }
}

#[test]
fn a_new_password_keeps_key_cost_and_foreign_keys() {
    let foreign = "\"Mine\": {\"x\": 1.50,  \"y\": [ ]}";
    let token = "\"FIDO2\": {\"CredentialID\": \"AAAA\", \"Mine2\": 1}";
    let text = changed(": 2,", &format!(": 2, {foreign}, {token},"));
    let text = text.replace("1024", "2048, \"Mine3\": 3");
    let mut conf = Conf::parse(text.replace("\"HKDF\",", "").as_bytes()).unwrap();
    let key = MasterKey(Secret::new([9; 32]));
    conf.set_password(&key, &password("new"), None).unwrap();
    let (salt, wrapped) = (conf.scrypt().salt.clone(), conf.encrypted_key_len());
    assert_eq!((salt.len(), wrapped, conf.scrypt().n), (32, 60, 2048));

    conf.set_password(&key, &password("newer"), Some(10))
        .unwrap();
    assert_ne!(conf.scrypt().salt, salt);
    assert_eq!(conf.scrypt().n, 1024);
    let written = String::from_utf8(conf.to_json()).unwrap();
    for kept in [
        foreign,
        "\"CredentialID\": \"AAAA\"",
        "\"Mine2\": 1",
        "\"Mine3\": 3",
    ] {
        assert!(written.contains(kept), "{written}");
    }
    let conf = Conf::parse(written.as_bytes()).unwrap();
    assert_eq!(
        conf.unlock(&password("newer")).unwrap().0.expose(),
        &[9; 32]
    );
    conf.unlock(&password("new")).unwrap_err();
}

#[test]
fn the_values_for_a_token_are_written_and_read() {
    let fido2 = Fido2Object::new(vec![1; 5], vec![2; 32], vec!["pin=true".into()]);
    let flags = FeatureFlags::for_init(InitChoices {
        fido2: true,
        ..CHOICES
    });
    let key = MasterKey(Secret::new([7; 32]));
    let conf = Conf::new("tester 1", flags, &key, &password("pw"), 10, Some(fido2)).unwrap();
    let text = String::from_utf8(conf.to_json()).unwrap();
    let flags = text.find("FeatureFlags").unwrap();
    assert!(text.find("\"FIDO2\": {").unwrap() > flags, "{text}");
    let conf = Conf::parse(text.as_bytes()).unwrap();
    let fido2 = conf.fido2().unwrap();
    assert_eq!(fido2.credential_id, [1; 5]);
    assert_eq!(fido2.hmac_salt, [2; 32]);
    assert_eq!(fido2.assert_options, ["pin=true"]);
    for (value, is_there) in [
        ("null", false),
        ("{}", true),
        ("{\"AssertOptions\": null}", true),
    ] {
        let conf = Conf::parse(changed(": 2,", &format!(": 2, \"FIDO2\": {value},")).as_bytes());
        assert_eq!(conf.unwrap().fido2().is_some(), is_there, "{value}");
    }
}
