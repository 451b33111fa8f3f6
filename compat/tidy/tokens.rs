//! Just enough of Rust's lexical grammar to find identifiers and paths: comments, string and
//! character literals disappear, and every token knows its line.

/// An identifier, or one character of punctuation, with its line (from 1).
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// Splits a source text; numbers count as identifiers, which harms nobody here.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_len(rest).or_else(|| comment_len(rest));
        let len = skipped.unwrap_or_else(|| word_len(rest).max(first.len_utf8()));
        let (text, tail) = rest.split_at(len);
        if skipped.is_none() && !first.is_whitespace() {
            found.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_len(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn comment_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| {
        let (mut depth, mut at) = (1_usize, 2);
        while depth > 0 && at < text.len() {
            let tail = &text.as_bytes()[at..];
            if tail.starts_with(b"/*") {
                (depth, at) = (depth + 1, at + 2);
            } else if tail.starts_with(b"*/") {
                (depth, at) = (depth - 1, at + 2);
            } else {
                at += 1;
            }
        }
        at
    })
}

/// The length of a string, byte string, raw string, character or lifetime at the start of `text`.
fn literal_len(text: &str) -> Option<usize> {
    let word = word_len(text);
    let prefix = match &text[..word] {
        "" | "b" | "c" | "r" | "br" | "cr" => &text[..word],
        _ => return None,
    };
    let body = &text[word..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inner = body[hashes..].strip_prefix('"')?;
        let len = inner.find(&end).map_or(inner.len(), |at| at + end.len());
        return Some(word + hashes + 1 + len);
    }
    match body.chars().next()? {
        '"' => Some(word + quoted_len(body, '"')),
        '\'' if is_lifetime(body) => Some(word + 1 + word_len(&body[1..])),
        '\'' => Some(word + quoted_len(body, '\'')),
        _ => None,
    }
}

fn is_lifetime(text: &str) -> bool {
    let name = word_len(&text[1..]);
    name > 0 && !text[1 + name..].starts_with('\'')
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

#[test]
fn literals_and_comments_are_no_tokens() {
    let source = "a /* b /* c */ */ \"d\\\"\" 'e' '\\'' b\"f\" r#\"g\"h\"# // i\n'static j";
    let found: Vec<_> = tokens(source).iter().map(|t| (t.text, t.line)).collect();
    assert_eq!(found, [("a", 1), ("j", 2)]);
}
