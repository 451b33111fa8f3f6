//! What the user wants left out of the view: a list of patterns, of which the last one that fits a
//! path decides.
//!
//! The patterns are those of the original program, which look like those of git and differ in many
//! ways; backups depend on each of them.

mod pattern;
mod syntax;

use regex::{RegexSet, RegexSetBuilder};

use pattern::Pattern;

/// The most memory that the patterns may take when compiled, bytes.
const SIZE_LIMIT: usize = 256 << 20;

/// The patterns do not fit memory.
#[derive(Debug, thiserror::Error)]
#[error("the exclusion patterns are too big: {0}")]
pub struct TooBig(#[from] regex::Error);

/// What is left out.
#[derive(Debug, Default)]
pub struct Exclusions {
    expressions: RegexSet,
    /// For each expression, whether what fits it is taken back in.
    negated: Vec<bool>,
}

impl Exclusions {
    /// Understands patterns, one a line, in the order of their weight. Comments, empty lines and
    /// what makes no sense are skipped.
    ///
    /// # Errors
    /// All of them together are too big.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Exclusions, TooBig> {
        let texts = lines
            .into_iter()
            .filter_map(|line| str::from_utf8(line).ok());
        let patterns: Vec<Pattern> = texts.filter_map(Pattern::parse).collect();
        let expressions = patterns.iter().map(|pattern| &pattern.expression);
        Ok(Exclusions {
            expressions: RegexSetBuilder::new(expressions)
                .size_limit(SIZE_LIMIT)
                .build()?,
            negated: patterns.iter().map(|pattern| pattern.negated).collect(),
        })
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.negated.is_empty()
    }

    /// Whether the plain path, relative to the top directory, is left out.
    pub fn hide(&self, path: &[u8]) -> bool {
        let last = self.expressions.matches(&text(path)).iter().next_back();
        last.is_some_and(|last| !self.negated[last])
    }
}

/// A path as text: each byte that is no UTF-8 counts as one unknown character.
fn text(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests;
