//! The source checked by a test: the layer table in the head of `src/lib.rs`, and what no lint
//! knows. That table is read here, so there is one statement of the layers.

mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tokens::{Token, tokens};

const MAX_LINES: usize = 400;
/// Longer by nature: one `impl` block of a trait with a method for each request of the protocol.
const LONG_BY_NATURE: [&str; 1] = ["src/mount/adapter.rs"];

/// What each module may name, as the table says: modules of ours, and `fuser`.
struct Layers(BTreeMap<String, BTreeSet<String>>);

impl Layers {
    fn parse(lib: &str) -> Self {
        let rows: Vec<(String, &str)> = lib
            .lines()
            .filter_map(|line| line.strip_prefix("//! | [`")?.split_once("`] | "))
            .filter_map(|(name, tail)| Some((name.to_owned(), tail.split_once('|')?.0)))
            .collect();
        let names: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
        let allowed = |name: &str, imports: &str| -> BTreeSet<String> {
            if imports.trim() == "all" {
                return names.clone();
            }
            let words = imports.split(|c: char| !c.is_alphanumeric());
            words
                .filter(|word| names.contains(*word) || *word == "fuser")
                .chain([name])
                .map(str::to_owned)
                .collect()
        };
        Self(
            rows.iter()
                .map(|(name, imports)| (name.clone(), allowed(name, imports)))
                .collect(),
        )
    }
}

/// Everything wrong with one file, each finding as `path:line: what`.
fn findings(layers: &Layers, path: &Path, source: &str) -> Vec<String> {
    let found = tokens(source);
    let mut wrong = text_findings(path, source);
    wrong.extend(attribute_findings(&found));
    if let Ok(inside) = path.strip_prefix("src") {
        wrong.extend(import_findings(layers, inside, &found));
        wrong.extend(unsafe_findings(inside, &found));
    }
    wrong.sort();
    wrong
        .iter()
        .map(|(line, what)| format!("{}:{line}: {what}", path.display()))
        .collect()
}

fn text_findings(path: &Path, source: &str) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    if !source.starts_with("//!") {
        wrong.push((1, "does not open with //!".to_owned()));
    }
    let lines = source.lines().count();
    let may_be_long = LONG_BY_NATURE.iter().any(|long| path.ends_with(long));
    if lines > MAX_LINES && !may_be_long {
        wrong.push((lines, format!("longer than {MAX_LINES} lines")));
    }
    for (at, line) in source.lines().enumerate() {
        for word in [concat!("TO", "DO"), concat!("FIX", "ME")] {
            if line.contains(word) {
                wrong.push((at + 1, format!("leaves a {word}")));
            }
        }
    }
    wrong
}

fn attribute_findings(found: &[Token<'_>]) -> Vec<(usize, String)> {
    let attributes = found
        .windows(3)
        .filter(|w| w[0].text == "#" && w[1].text == "[");
    attributes
        .filter(|w| ["ignore", "should_panic"].contains(&w[2].text))
        .map(|w| (w[2].line, format!("uses #[{}]", w[2].text)))
        .collect()
}

fn unsafe_findings(inside: &Path, found: &[Token<'_>]) -> Vec<(usize, String)> {
    if inside.starts_with("sys") || inside.starts_with("crypto/backends") {
        return Vec::new();
    }
    let blocks = found.iter().filter(|token| token.text == "unsafe");
    blocks
        .map(|token| (token.line, "unsafe outside sys".to_owned()))
        .collect()
}

fn import_findings(layers: &Layers, inside: &Path, found: &[Token<'_>]) -> Vec<(usize, String)> {
    let module = module_path(inside);
    let Some(home) = module.first().filter(|home| *home != "bin") else {
        return Vec::new();
    };
    let Some(allowed) = layers.0.get(home) else {
        return vec![(1, format!("`{home}` is not in the layer table"))];
    };
    let mut wrong = Vec::new();
    for (at, token) in found.iter().enumerate() {
        let named = match token.text {
            "crate" => path_heads(&found[at + 1..]),
            "super" if leaves_the_module(found, at, module.len()) => {
                wrong.push((token.line, "reaches the crate root by super".to_owned()));
                continue;
            }
            "fuser" => vec![*token],
            _ => continue,
        };
        for target in named.iter().filter(|name| !allowed.contains(name.text)) {
            let what = format!("`{home}` may not import `{}`", target.text);
            wrong.push((target.line, what));
        }
    }
    wrong
}

/// The names right behind `crate`: one, or those of a group `{a, b::c}`.
fn path_heads<'a>(after: &[Token<'a>]) -> Vec<Token<'a>> {
    let [a, b, first, ..] = after else {
        return Vec::new();
    };
    if a.text != ":" || b.text != ":" {
        return Vec::new();
    }
    if first.text != "{" {
        return vec![*first];
    }
    let mut heads = Vec::new();
    let (mut depth, mut fresh) = (0_usize, true);
    for token in &after[2..] {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => fresh = depth == 1,
            _ if fresh && depth == 1 => {
                heads.push(*token);
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Whether the chain of `super` that begins at `at` climbs out of the top module; `depth` is that
/// of the file's module, to which open `mod x {` blocks add.
fn leaves_the_module(found: &[Token<'_>], at: usize, depth: usize) -> bool {
    if at >= 3 && found[at - 3].text == "super" {
        return false;
    }
    let chain = found[at..].iter().step_by(3);
    let climbs = chain.take_while(|token| token.text == "super").count();
    let mut open = Vec::new();
    for (i, token) in found[..at].iter().enumerate() {
        match token.text {
            "{" => open.push(i >= 2 && found[i - 2].text == "mod"),
            "}" => drop(open.pop()),
            _ => {}
        }
    }
    climbs >= depth + open.iter().filter(|is_mod| **is_mod).count()
}

/// `vault/file.rs` is `[vault, file]`, `vault/mod.rs` is `[vault]`, `lib.rs` is the root, `[]`.
fn module_path(inside: &Path) -> Vec<String> {
    let path = inside.with_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    parts
        .filter(|part| part != "mod" && part != "lib")
        .collect()
}

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_source_keeps_the_layers_and_the_habits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let layers = Layers::parse(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    assert!(layers.0.len() >= 9, "the layer table was not understood");
    let mut files = Vec::new();
    for part in ["src", "compat"] {
        rust_files(&root.join(part), &mut files);
    }
    files.sort();
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let source = fs::read_to_string(path).unwrap();
            findings(&layers, path.strip_prefix(root).unwrap(), &source)
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const SAMPLE_TABLE: &str = "
//! | module | may import | never |
//! | [`sys`] | - | anything of ours |
//! | [`vfs`] | sys (node ids only) | fuser |
//! | [`mount`] | vfs, and fuser: the only place | vault |
//! | [`cli`] | all | exit |
";

fn sample(path: &str, source: &str) -> Vec<String> {
    let source = format!("//! Sample.\n{source}");
    findings(&Layers::parse(SAMPLE_TABLE), Path::new(path), &source)
}

#[test]
fn what_the_table_lists_may_be_imported() {
    assert!(sample("src/vfs/mod.rs", "use crate::{sys::Dir, vfs::Attr};").is_empty());
    assert!(sample("src/mount/a.rs", "use crate::vfs;\nuse fuser::Session;").is_empty());
    assert!(sample("src/cli/a.rs", "use crate::mount::{run, sys};").is_empty());
    assert!(sample("src/sys/a.rs", "unsafe {}\n// crate::cli, fuser").is_empty());
    assert!(sample("src/sys/a.rs", "mod tests {\n use super::super::b;\n}").is_empty());
}

#[test]
fn an_upward_import_is_found_with_its_line() {
    let grouped = "use crate::{\n  sys::Dir,\n  mount::{run, sys},\n};";
    let wanted = ["src/vfs/mod.rs:4: `vfs` may not import `mount`"];
    assert_eq!(sample("src/vfs/mod.rs", grouped), wanted);
    let inline = "fn f() {\n  crate::vfs::g();\n}";
    let wanted = ["src/sys/dir.rs:3: `sys` may not import `vfs`"];
    assert_eq!(sample("src/sys/dir.rs", inline), wanted);
    let wanted = ["src/vfs/a.rs:2: `vfs` may not import `fuser`"];
    assert_eq!(sample("src/vfs/a.rs", "use fuser::Request;"), wanted);
    let wanted = ["src/sys/a.rs:2: reaches the crate root by super"];
    assert_eq!(sample("src/sys/a.rs", "use super::super::cli;"), wanted);
    let wanted = ["src/other.rs:1: `other` is not in the layer table"];
    assert_eq!(sample("src/other.rs", ""), wanted);
}

#[test]
fn bad_habits_are_found_with_their_lines() {
    let source = concat!("#[ignore]\nfn f() { unsafe {} }\n// TO", "DO");
    let wanted = [
        "src/vfs/a.rs:2: uses #[ignore]",
        "src/vfs/a.rs:3: unsafe outside sys",
        concat!("src/vfs/a.rs:4: leaves a TO", "DO"),
    ];
    assert_eq!(sample("src/vfs/a.rs", source), wanted);
    assert_eq!(sample("compat/a.rs", &"\n".repeat(400)).len(), 1);
    let headless = findings(&Layers::parse(""), Path::new("compat/a.rs"), "fn f() {}");
    assert_eq!(headless, ["compat/a.rs:1: does not open with //!"]);
}
