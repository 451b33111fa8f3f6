//! The collection of damaged volumes, one kind of damage each, and the healthy ones.

use super::{broken_volumes, check, lines, objects};
use crate::golden;
use crate::support::digest::digest;
use crate::support::program::{Program, said};
use crate::support::vault::Vault;
use std::fs;
use std::path::Path;

/// Damages that the Go program does not see.
const UNKNOWN_TO_GO: [&str; 7] = [
    "conf",
    "header-cut",
    "header-only",
    "longname-mismatch",
    "longname-stale",
    "name-noise",
    "name-twice",
];

#[test]
fn each_damaged_volume_has_exactly_its_findings() {
    for folder in broken_volumes() {
        let vault = Vault::unpack(&folder);
        let before = digest(&vault.dir).unwrap();
        let output = check(&vault, &["--json"], &[]);
        let wanted = fs::read_to_string(folder.join("findings")).unwrap();
        let mut wanted: Vec<_> = wanted.lines().filter(|line| !line.is_empty()).collect();
        wanted.sort_unstable();
        let name = folder.display();
        assert_eq!(lines(&output), wanted, "{name}: {}", said(&output));
        let is_clean = wanted.iter().all(|line| line.starts_with("name-noise "));
        let code = if is_clean { 0 } else { 26 };
        assert_eq!(output.status.code(), Some(code), "{name}");
        assert_eq!(digest(&vault.dir).unwrap(), before, "{name} was changed");
    }
}

/// What a line says is damaged and how it was noticed, without what the operating system or the
/// check says about it.
fn topic(line: &str) -> &str {
    if !line.starts_with("fsck: error ") {
        return line;
    }
    let end = ["): ", "\": "].iter().find_map(|end| line.find(end));
    end.map_or(line, |end| &line[..end])
}

#[test]
fn verdict_and_words_are_those_of_the_go_program_where_it_knows_the_damage() {
    let Some(go) = Program::go("fsck: verdicts of the Go program") else {
        return;
    };
    for folder in broken_volumes() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        if UNKNOWN_TO_GO.contains(&name) {
            continue;
        }
        let vault = Vault::unpack(&folder);
        let mut args = vec!["-q", "-nosyslog", "-fsck"];
        args.extend(vault.options.iter().map(String::as_str));
        args.push(vault.dir.to_str().unwrap());
        let theirs = go.run(&args);
        let ours = Program::ours().run(&args);
        assert_eq!(ours.status.code(), theirs.status.code(), "{name}");
        // of a damaged `.name` file, the Go program shows the content
        if name == "longname-content" {
            continue;
        }
        let lines = String::from_utf8(theirs.stdout).unwrap();
        let lines = lines.lines().filter(|line| line.starts_with("fsck: "));
        for line in lines {
            let wanted = format!("\n{}", topic(line));
            let text = format!("\n{}", said(&ours));
            assert!(text.contains(&wanted), "{name}: {line}\n{text}");
        }
    }
}

#[test]
fn the_document_knows_what_is_found() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fsck.md");
    let document = fs::read_to_string(document).unwrap();
    for folder in broken_volumes() {
        let output = check(&Vault::unpack(&folder), &["--json", "--verbose"], &[]);
        for finding in objects(&output) {
            let words = ["class", "severity", "repair", "result"];
            let words = words.iter().filter_map(|key| finding[key].as_str());
            for word in words.chain(finding.as_object().unwrap().keys().map(String::as_str)) {
                let word = word.trim_end_matches("_hex");
                let quoted = [format!("`{word}`"), format!("\"{word}\"")];
                assert!(quoted.iter().any(|word| document.contains(word)), "{word}");
            }
        }
    }
}

#[test]
fn every_healthy_volume_is_clean() {
    for folder in golden::volumes() {
        let vault = Vault::unpack(&folder);
        let output = check(&vault, &["--json", "--verbose"], &[]);
        assert!(output.status.success(), "{}", said(&output));
        let [summary] = &objects(&output)[..] else {
            panic!("{}: {}", folder.display(), said(&output));
        };
        assert_eq!(summary["result"], "clean");
        assert!(summary["files"].as_u64() > Some(10), "{summary}");
    }
}
