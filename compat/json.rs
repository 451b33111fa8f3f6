//! `--json`: every object can be parsed and has the keys that `docs/json.md` lists, and no others.

use crate::cli::desk::Desk;
use crate::support::mount::Mount;
use crate::support::program::{Program, said};
use crate::support::skip::is_root;
use crate::support::vault::{ALL_FEATURES, Vault};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The one object in a text.
fn object(text: &str) -> Value {
    let [line] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("not one line: {text}");
    };
    serde_json::from_str(line).unwrap()
}

/// Fails unless the object has this type, and the manual all of its keys.
fn check(object: &Value, kind: &str) {
    assert_eq!(object["type"], kind, "{object}");
    assert_eq!(object["version"], 1, "{object}");
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let manual = fs::read_to_string(manual).unwrap();
    let mut unknown = BTreeSet::new();
    keys(object, &mut unknown);
    unknown.retain(|key| !manual.contains(&format!("`{key}`")));
    assert!(unknown.is_empty(), "not in the manual: {unknown:?}");
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(inner) => inner.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            if key != "operations" {
                keys(value, into);
            }
        }),
        Value::Array(inner) => inner.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn info_tells_what_the_lines_tell() {
    let (desk, ours) = (Desk::new(), Program::ours());
    for line in [
        "info --json C",
        "-info -json C",
        "info -json -config C/gocryptfs.conf C",
    ] {
        let answer = desk.run(&ours, line, b"");
        assert_eq!(answer.code, Some(0), "{answer:?}");
        let info = object(&answer.stdout);
        check(&info, "info");
        assert_eq!(info["scrypt"]["n"], 1024);
        assert_eq!(info["encrypted_key_bytes"], 64);
        assert_eq!(info["content_encryption"], "AES-GCM-256");
        let flags = info["feature_flags"].as_array().unwrap();
        assert!(flags.contains(&"HKDF".into()), "{info}");
    }
}

#[test]
fn speed_has_an_object_for_every_cipher() {
    let answer = Desk::new().run(&Program::ours(), "speed --json", b"");
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let speed = object(&answer.stdout);
    check(&speed, "speed");
    let ciphers = speed["ciphers"].as_array().unwrap();
    let selected = ciphers.iter().filter(|cipher| cipher["selected"] == true);
    let names: BTreeSet<_> = selected.map(|cipher| cipher["cipher"].as_str()).collect();
    assert_eq!(names.len(), 3, "{speed}");
    for cipher in ciphers {
        let speed = &cipher["megabytes_per_second"];
        assert!(speed.is_null() || speed.as_f64() > Some(0.0), "{cipher}");
    }
}

#[test]
fn a_failure_is_an_object_on_stderr() {
    let (desk, ours) = (Desk::new(), Program::ours());
    for (line, code) in [
        ("info --json E", 8),
        ("fsck --json nothing", 6),
        ("fsck --json -passfile wrong C", 12),
        ("stats --json nothing", 11),
        ("info --json --nonsense C", 1),
    ] {
        let answer = desk.run(&ours, line, b"");
        assert_eq!(answer.code, Some(code), "{line}: {answer:?}");
        assert_eq!(answer.stdout, "", "{line}");
        let last = answer.stderr.lines().last().unwrap_or_default();
        let error = object(last);
        check(&error, "error");
        assert_eq!(error["code"], code);
        assert!(!error["message"].as_str().unwrap().is_empty(), "{line}");
    }
}

#[test]
fn stats_tell_what_a_mount_has_done() {
    if !is_root("figures of a mount") {
        return;
    }
    let (ours, scratch) = (Program::ours(), TempDir::new().unwrap());
    let vault = Vault::new(&ours, &ALL_FEATURES[0]);
    let socket = scratch.path().join("socket");
    let socket = socket.to_str().unwrap();
    let mount = Mount::new(&ours, &vault, &["-ctlsock", socket]);
    let stats = || {
        let output = ours.run(&["stats", "--json", socket]);
        assert!(output.status.success(), "{}", said(&output));
        let stats = object(std::str::from_utf8(&output.stdout).unwrap());
        check(&stats, "stats");
        stats
    };
    let before = stats();
    assert_eq!(before["bytes_written"], 0);
    let dir = mount.path().join("dir");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("file"), vec![7; 50_000]).unwrap();
    fs::copy(dir.join("file"), dir.join("copy")).unwrap();
    fs::read(dir.join("copy")).unwrap();
    fs::read(dir.join("nothing")).unwrap_err();
    let after = stats();
    assert_eq!(after["operations"]["mkdir"], 1);
    assert_eq!(after["operations"]["create"], 2);
    assert_eq!(after["bytes_written"], 50_000, "{after}");
    assert!(after["bytes_read"].as_u64() >= Some(50_000), "{after}");
    let more = |key: &str, inner: &str| after[key][inner].as_u64() > before[key][inner].as_u64();
    assert!(
        more("errors", "other") && more("operations", "lookup"),
        "{after}"
    );
    assert_eq!(after["errors"]["corrupt"], 0);
    assert!(
        after["cache"]["directories"]["hits"].as_u64() > Some(0),
        "{after}"
    );
    assert!(
        after["cache"]["open_files"]["hits"].as_u64() > Some(0),
        "{after}"
    );

    let output = ours.run(&["stats", socket]);
    let text = said(&output);
    assert!(text.contains("\nbytes written:  "), "{text}");
    assert!(text.contains("\noperations: mkdir:  "), "{text}");
    mount.unmount();
}
