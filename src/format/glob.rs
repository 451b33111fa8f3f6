//! Patterns for names: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` in front of what stands for itself.
//!
//! The language is that of Go's `path/filepath.Match`: `?` and a class stand for one character of
//! UTF-8 (or one byte that is none), a class is negated by `^`, and `]` or `-` in a class need a
//! `\`. Names hold no slash, so no rule for it is needed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A pattern for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// Any number of bytes.
    Star,
    /// One character.
    Any,
    /// This byte.
    Byte(u8),
    /// One character that is in any of the ranges, or in none of them.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Pattern {
    /// Understands a pattern; `None` if a class or an escape does not end.
    pub fn parse(text: &OsStr) -> Option<Pattern> {
        let mut items = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&first, tail)) = rest.split_first() {
            rest = tail;
            items.push(match first {
                b'*' => Item::Star,
                b'?' => Item::Any,
                b'[' => class(&mut rest)?,
                b'\\' => Item::Byte(*rest.split_off_first()?),
                byte => Item::Byte(byte),
            });
        }
        Some(Pattern(items))
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &OsStr) -> bool {
        let name = name.as_bytes();
        let (mut item, mut at) = (0, 0);
        // Where to go on if what follows the last star does not match: one byte further.
        let mut retry = None;
        loop {
            match self.0.get(item) {
                None if at == name.len() => return true,
                Some(Item::Star) => {
                    item += 1;
                    retry = Some((item, at));
                    continue;
                }
                Some(other) => {
                    if let Some(len) = other.matched(&name[at..]) {
                        item += 1;
                        at += len;
                        continue;
                    }
                }
                None => {}
            }
            match retry {
                Some((behind, from)) if from < name.len() => {
                    (item, at) = (behind, from + 1);
                    retry = Some((item, at));
                }
                _ => return false,
            }
        }
    }
}

impl Item {
    /// How many bytes at the start of `name` match, if any.
    fn matched(&self, name: &[u8]) -> Option<usize> {
        let (char, len) = first_char(name)?;
        match self {
            Item::Star => Some(0),
            Item::Any => Some(len),
            Item::Byte(byte) => (name[0] == *byte).then_some(1),
            Item::Class { negated, ranges } => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&char));
                (inside != *negated).then_some(len)
            }
        }
    }
}

/// Reads what follows a `[`, to the `]`.
fn class(rest: &mut &[u8]) -> Option<Item> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        *rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || rest.first() != Some(&b']') {
        let low = class_char(rest)?;
        let mut high = low;
        if rest.first() == Some(&b'-') {
            *rest = &rest[1..];
            high = class_char(rest)?;
        }
        ranges.push((low, high));
    }
    *rest = &rest[1..];
    Some(Item::Class { negated, ranges })
}

/// Reads one character of a class, behind which there must be something.
fn class_char(rest: &mut &[u8]) -> Option<char> {
    match rest.first() {
        Some(b'-' | b']') => return None,
        Some(b'\\') => *rest = &rest[1..],
        _ => {}
    }
    let (char, len) = first_char(rest)?;
    if char == char::REPLACEMENT_CHARACTER && len == 1 {
        return None;
    }
    *rest = &rest[len..];
    (!rest.is_empty()).then_some(char)
}

/// The first character and its length in bytes; a byte that is no UTF-8 is U+FFFD.
fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let longest = &bytes[..bytes.len().min(4)];
    let valid = longest.utf8_chunks().next()?.valid();
    let first = valid.chars().next();
    Some(first.map_or((char::REPLACEMENT_CHARACTER, 1), |char| {
        (char, char.len_utf8())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &[u8]) -> Option<Pattern> {
        Pattern::parse(OsStr::from_bytes(text))
    }

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let parsed = parsed(pattern.as_bytes()).unwrap();
        for name in matching {
            assert!(parsed.matches(OsStr::new(name)), "{pattern} {name}");
        }
        for name in others {
            assert!(!parsed.matches(OsStr::new(name)), "{pattern} {name}");
        }
    }

    #[test]
    fn a_star_stands_for_any_number_of_bytes() {
        check("", &[""], &["a"]);
        check("*", &["", "a", "abc"], &[]);
        check(
            "a*b**c",
            &["abc", "axbxc", "abbcbc"],
            &["", "ab", "abcd", "xabc"],
        );
        check("*aab", &["aab", "aaab", "aabaab"], &["aa", "aabb"]);
    }

    #[test]
    fn a_question_mark_stands_for_one_character() {
        check("?", &["a", "\u{e9}", "\u{20ac}", "\u{1f600}"], &["", "ab"]);
        check("a?*", &["ab", "abc"], &["a", "b"]);
        assert!(parsed(b"?b").unwrap().matches(OsStr::from_bytes(b"\xffb")));
        assert!(
            !parsed(b"?")
                .unwrap()
                .matches(OsStr::from_bytes(b"\xe2\x82"))
        );
    }

    #[test]
    fn a_class_stands_for_one_of_its_characters() {
        check("[a-cx]", &["a", "b", "c", "x"], &["", "d", "-", "ab"]);
        check("[^a-c]", &["d", "\u{e9}", "^"], &["", "a"]);
    }

    #[test]
    fn a_backslash_takes_the_meaning_away() {
        check("\\*\\?\\[\\\\\\a", &["*?[\\a"], &["xx[\\a"]);
        check("[\\]\\-\\\\]", &["]", "-", "\\"], &["a"]);
        check("a]", &["a]"], &["a"]);
        check("[z-a]", &[], &["a", "z", "m"]);
    }

    #[test]
    fn what_does_not_end_is_no_pattern() {
        let patterns: [&[u8]; 15] = [
            b"[", b"a[", b"[]", b"[]a]", b"[a-]", b"\\", b"a\\", b"[^]", b"[-a]", b"*[", b"[a",
            b"[a-b-c]", b"[a]b[", b"[\\", b"[\xff]",
        ];
        for pattern in patterns {
            assert_eq!(parsed(pattern), None, "{pattern:?}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = parsed(("a*".repeat(100) + "b").as_bytes()).unwrap();
        assert!(!pattern.matches(OsStr::new(&"a".repeat(344))));
    }
}
