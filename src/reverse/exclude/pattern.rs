//! From a line to a regular expression, step by step as the original program rewrites it.
//!
//! The order of the steps is what decides about odd patterns: a step sees what the ones before it
//! have made of the line.

use super::syntax;

/// A star that has been dealt with. Three characters that nobody writes, and which are a star in
/// the end if somebody does.
const STAR: &str = "#$~";

/// One understood line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// A regular expression for the whole of a path.
    pub(super) expression: String,
    /// Whether what fits is taken back in.
    pub(super) negated: bool,
}

impl Pattern {
    /// Understands a line; `None` if there is no pattern in it.
    pub(super) fn parse(line: &str) -> Option<Pattern> {
        let line = line.trim_end_matches('\r');
        if line.starts_with('#') {
            return None;
        }
        let line = line.trim_matches(' ');
        let (line, negated) = match line.strip_prefix('!') {
            Some(rest) => (rest, true),
            None if line.is_empty() => return None,
            None => (line, false),
        };
        let line = line.strip_prefix(['#', '!']).unwrap_or(line);
        let expression = syntax::translate(&rewritten(line)).ok()?;
        // What is refused only here would have been skipped all the same.
        regex::Regex::new(&expression).ok()?;
        Some(Pattern {
            expression,
            negated,
        })
    }
}

fn rewritten(line: &str) -> String {
    let is_from_the_top = has_glob_below_a_folder(line) && !line.starts_with('/');
    let line = if is_from_the_top {
        format!("/{line}")
    } else {
        line.to_owned()
    };
    let line = line.replace('.', r"\.");
    let line = line
        .strip_prefix('/')
        .filter(|rest| rest.starts_with("**/"))
        .unwrap_or(&line);
    let line = line
        .replace("/**/", "(/|/.+/)")
        .replace("**/", &format!("(|.{STAR}/)"))
        .replace("/**", &format!("(|/.{STAR})"))
        .replace(r"\*", &format!(r"\{STAR}"))
        .replace('*', "([^/]*)")
        .replace('?', r"\?")
        .replace(STAR, "*");
    let tail = if line.ends_with('/') {
        "(|.*)$"
    } else {
        "(|/.*)$"
    };
    match line.strip_prefix('/') {
        Some(rest) => format!("^(|/){rest}{tail}"),
        None => format!("^(|.*/){line}{tail}"),
    }
}

/// Whether there is something like `folder/*.suffix` in the line, which counts from the top only.
fn has_glob_below_a_folder(line: &str) -> bool {
    let slashes = line.match_indices('/');
    let behind = slashes.filter(|(at, _)| {
        let before = line[..*at].chars().next_back();
        before.is_some_and(|before| before != '/' && before != '+')
    });
    let mut rests = behind.map(|(at, _)| line[at..].split('\n').next().unwrap_or_default());
    rests.any(|rest| rest.contains("*."))
}
