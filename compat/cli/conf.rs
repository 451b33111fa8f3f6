//! Damaged configuration files: each defect has an exit code and a text, and never a panic.

use super::desk::Desk;
use crate::support::program::Program;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

/// What replaces what in the file (or all of it, if that is empty), the exit codes of -info and of what needs the key, and a text
/// that both say, but for the success of -info.
type Defect = (&'static str, &'static str, i32, i32, &'static str);

#[rustfmt::skip]
const DEFECTS: &[Defect] = &[
    ("\"Version\": 2", "\"Version\": 1", 8, 27, "unsupported on-disk format 1"),
    ("\"Version\": 2", "\"Version\": 3", 8, 27, "unsupported on-disk format 3"),
    ("\"Version\": 2,", "", 8, 27, "unsupported on-disk format 0"),
    ("", "{}", 8, 27, "unsupported on-disk format 0"),
    ("", "null", 8, 27, "unsupported on-disk format 0"),
    ("", "{\"Version\": 2}", 8, 27, "fatal: scryptn below 10 is too low to make sense"),
    ("\"ScryptObject\"", "\"X\"", 8, 27, "fatal: scryptn below 10 is too low to make sense"),
    ("\"N\": 1024", "\"N\": 512", 8, 27, "fatal: scryptn below 10 is too low to make sense"),
    ("\"R\": 8", "\"R\": 7", 8, 27, "fatal: scrypt parameter R below minimum: value=7, min=8"),
    ("\"P\": 1", "\"P\": 0", 8, 27, "fatal: scrypt parameter P below minimum: value=0, min=1"),
    ("\"Salt\": \"", "\"Salt\": \"\", \"X\": \"", 8, 27, "fatal: scrypt salt length below minimum: value=0, min=32"),
    ("\"KeyLen\": 32", "\"KeyLen\": 16", 8, 27, "fatal: scrypt parameter KeyLen below minimum: value=16, min=32"),
    ("\"HKDF\"", "\"HKDF2\"", 8, 27, "unknown feature flag \"HKDF2\""),
    ("\"HKDF\",", "\"HKDF\", \"XChaCha20Poly1305\", \"AESSIV\",", 8, 27, "can't have both XChaCha20Poly1305 and AESSIV feature flags"),
    ("\"GCMIV128\"", "\"AESSIV\"", 8, 27, "AESSIV requires GCMIV128 feature flag"),
    ("\"HKDF\"", "\"XChaCha20Poly1305\"", 8, 27, "XChaCha20Poly1305 conflicts with GCMIV128 feature flag"),
    ("\"HKDF\",\n\t\t\"GCMIV128\"", "\"XChaCha20Poly1305\"", 8, 27, "XChaCha20Poly1305 requires HKDF feature flag"),
    ("\"GCMIV128\",", "", 8, 27, "AES-GCM requires GCMIV128 feature flag"),
    ("\"DirIV\"", "\"PlaintextNames\"", 8, 27, "PlaintextNames conflicts with EMENames feature flag"),
    ("\"EMENames\"", "\"PlaintextNames\"", 8, 27, "PlaintextNames conflicts with DirIV feature flag"),
    ("\"DirIV\",\n\t\t\"EMENames\"", "\"PlaintextNames\"", 8, 27, "PlaintextNames conflicts with LongNames feature flag"),
    ("\"DirIV\",\n\t\t\"EMENames\",\n\t\t\"LongNames\"", "\"PlaintextNames\"", 8, 27, "PlaintextNames conflicts with Raw64 feature flag"),
    ("\"DirIV\",\n\t\t\"EMENames\",\n\t\t\"LongNames\",\n\t\t\"Raw64\"", "\"PlaintextNames\", \"LongNameMax\"", 8, 27, "PlaintextNames conflicts with LongNameMax feature flag"),
    ("\"Version\": 2", "\"Version\": 2, \"LongNameMax\": 99", 8, 27, "LongNameMax=99 but the LongNameMax feature flag is NOT set"),
    ("\"Raw64\"", "\"LongNameMax\"", 8, 27, "LongNameMax=0 but the LongNameMax feature flag IS set"),
    ("\"Version\": 2", "\"Version\": \"2\"", 8, 11, "Failed to unmarshal config file"),
    ("\"Version\": 2", "\"Version\": 65536", 8, 11, "Failed to unmarshal config file"),
    ("\"N\": 1024", "\"N\": 1e3", 8, 11, "Failed to unmarshal config file"),
    ("\"EncryptedKey\": \"", "\"EncryptedKey\": \"*", 8, 11, "Failed to unmarshal config file"),
    ("{\n\t\"Creator", "\u{feff}{\n\t\"Creator", 8, 11, "Failed to unmarshal config file"),
    ("\n}\n", "\n}\n}", 8, 11, "Failed to unmarshal config file"),
    ("\n}\n", "\n", 8, 11, "Failed to unmarshal config file"),
    ("\"Version\": 2", "\"Version\": 2, \"LongNameMax\": 300", 8, 11, "Failed to unmarshal config file"),
    ("", "[]", 8, 11, "Failed to unmarshal config file"),
    ("", " \n", 8, 11, "Failed to unmarshal config file"),
    ("", "", 8, 11, "config file is empty"),
    ("\"HKDF\",", "", 0, 12, "Password incorrect."),
    ("\"EncryptedKey\": \"", "\"EncryptedKey\": \"AAAA", 0, 12, "Password incorrect."),
    ("\"EncryptedKey\": \"", "\"EncryptedKey\": \"AAAA\", \"X\": \"", 0, 12, "block is too short"),
    ("\"Creator\"", "\"Maker\"", 0, 0, "Password changed."),
    ("\"EncryptedKey\"", "\"ENCRYPTEDkey\"", 0, 0, "Password changed."),
    ("\"Version\": 2", "\"Version\": 3, \"version\": 2", 0, 0, "Password changed."),
    ("\"Version\": 2", "\"Version\": 2, \"Unknown\": [1, {}]", 0, 0, "Password changed."),
    ("\"Version\": 2", "\"Version\": 2, \"FIDO2\": {\"CredentialID\": \"AAAA\"}", 0, 0, "Password changed."),
    ("\"Raw64\"", "\"Raw64\", \"FIDO2\"", 0, 1, "FIDO2"),
];

/// Defects at which the Go program panics.
#[rustfmt::skip]
const PANICS: &[Defect] = &[
    ("\"N\": 1024", "\"N\": 1025", 0, 13, "scrypt parameter N=1025 is not a power of two"),
    ("\"N\": 1024", "\"N\": 4611686018427387904", 0, 13, "N=2^62"),
    ("\"KeyLen\": 32", "\"KeyLen\": 64", 0, 13, "scrypt parameter KeyLen is too large: 64"),
    ("\"EncryptedKey\": \"", "\"X\": \"", 0, 12, "Password incorrect."),
];

fn damaged(from: &str, to: &str) -> Desk {
    let desk = Desk::new();
    let path = desk.path("C/gocryptfs.conf");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let damaged = match from {
        "" => to.to_owned(),
        from => text.replacen(from, to, 1),
    };
    fs::write(&path, damaged).unwrap();
    desk
}

fn check(program: &Program, defects: &[Defect]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (from, to, of_info, of_others, text) in defects {
        let mut lines = vec![("-info C", of_info), ("-passwd C", of_others)];
        if *of_others != 0 {
            lines.extend([("-fsck C", of_others), ("C M", of_others)]);
        }
        for (line, code) in lines {
            let answer = damaged(from, to).run(program, line, b"test\nnew\n");
            let is_silent = *code == 0 && line == "-info C";
            if answer.code != Some(*code) || !(is_silent || answer.says(text)) {
                wrong.push(format!(
                    "{program} {line}, {to}: wanted {code}, got {answer:#?}"
                ));
            }
        }
    }
    wrong
}

#[test]
fn every_defect_has_its_exit_code_and_text() {
    let ours = Program::ours();
    let mut wrong = check(&ours, DEFECTS);
    wrong.extend(check(&ours, PANICS));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_go_program_has_the_same_exit_codes_and_texts() {
    let Some(go) = Program::go("defects of the configuration file") else {
        return;
    };
    let wrong = check(&go, DEFECTS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_pipe_is_no_configuration_file() {
    let desk = Desk::new();
    let path = desk.path("C/gocryptfs.conf");
    fs::remove_file(&path).unwrap();
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    );
    made.unwrap();
    let answer = desk.run(&Program::ours(), "C M", b"test\n");
    assert_eq!(answer.code, Some(11));
    assert!(answer.says("not a regular file"), "{answer:?}");
}

#[test]
fn a_changed_password_keeps_the_keys_of_other_programs() {
    let desk = damaged(
        "\"Version\": 2",
        "\"Version\": 2, \"Mine\": {\"volume\": 1.50}",
    );
    let answer = desk.run(&Program::ours(), "-passwd C", b"test\nnew\n");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let text = fs::read_to_string(desk.path("C/gocryptfs.conf")).unwrap();
    assert!(text.contains("\"Mine\": {\"volume\": 1.50}"), "{text}");
}

#[test]
fn a_temporary_file_stops_a_change_until_it_is_old() {
    let desk = Desk::new();
    let temporary = fs::File::create(desk.path("C/gocryptfs.conf.tmp")).unwrap();
    let before = fs::read(desk.path("C/gocryptfs.conf")).unwrap();
    let run = || desk.run(&Program::ours(), "-passwd C", b"test\nnew\n");
    let answer = run();
    assert_eq!(answer.code, Some(24));
    assert!(
        answer.says("gocryptfs.conf.tmp\" if none is running"),
        "{answer:?}"
    );
    assert_eq!(fs::read(desk.path("C/gocryptfs.conf")).unwrap(), before);

    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    temporary.set_modified(long_ago).unwrap();
    assert_eq!(run().code, Some(0));
    assert!(!desk.path("C/gocryptfs.conf.tmp").exists());
}

#[test]
fn a_backup_that_exists_stops_a_change_with_a_master_key() {
    let desk = Desk::new();
    fs::write(desk.path("C/gocryptfs.conf.bak"), "").unwrap();
    let before = fs::read(desk.path("C/gocryptfs.conf")).unwrap();
    let line = format!("-passwd -masterkey {} C", "00".repeat(32));
    let answer = desk.run(&Program::ours(), &line, b"new\n");
    assert_eq!(answer.code, Some(7), "{answer:?}");
    assert_eq!(fs::read(desk.path("C/gocryptfs.conf")).unwrap(), before);
}

#[test]
fn a_password_changed_by_one_program_opens_with_the_other() {
    let Some(go) = Program::go("changed passwords") else {
        return;
    };
    let desk = Desk::new();
    let programs = [&go, &Program::ours(), &go];
    let passwords = ["test", "first", "second", "third"];
    for (program, pair) in programs.iter().zip(passwords.windows(2)) {
        let input = pair.join("\n");
        let answer = desk.run(program, "-passwd C", input.as_bytes());
        assert_eq!(answer.code, Some(0), "{program}: {answer:?}");
        let answer = desk.run(program, "-passwd C", input.as_bytes());
        assert_eq!(answer.code, Some(12), "{program}: {answer:?}");
    }
}
