//! From regular expressions as Go writes them to the way that the `regex` crate does.
//!
//! The two agree on most. Invariant: what Go refuses is refused here, and what would be refused by
//! the crate or mean something else to it is written in another way.

use std::fmt::Write;

/// The highest count that Go takes.
const REPEAT_MAX: u32 = 1000;
/// The classes of POSIX, which mean ASCII characters to both.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Go would not understand the expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

type Result<T> = core::result::Result<T, Refused>;

/// The same expression for the `regex` crate.
pub(super) fn translate(expression: &str) -> Result<String> {
    let mut translator = Translator {
        rest: expression,
        out: String::new(),
    };
    let mut depth = 0_usize;
    let mut last = Last::Nothing;
    while let Some(c) = translator.next() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or(Refused)?,
            _ => {}
        }
        last = translator.element(c, last)?;
    }
    if depth > 0 {
        return Err(Refused);
    }
    Ok(translator.out)
}

/// What stands before a repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Something,
    Repetition,
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

impl<'a> Translator<'a> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// Skips `text` if it comes next.
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The text before `end`, if that comes at all; skips both.
    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(before)
    }

    fn element(&mut self, c: char, last: Last) -> Result<Last> {
        match c {
            '(' | '|' => {
                self.out.push(c);
                return Ok(Last::Nothing);
            }
            '*' | '+' | '?' => return self.repeat(c.encode_utf8(&mut [0; 4]), last),
            '{' => match self.bounds()? {
                Some(bounds) => return self.repeat(&bounds, last),
                None => self.literal(c),
            },
            ')' | '^' | '$' => self.out.push(c),
            '.' => self.out.push_str(r"[^\n]"),
            '[' => self.class()?,
            '\\' => self.escape()?,
            _ => self.literal(c),
        }
        Ok(Last::Something)
    }

    fn literal(&mut self, c: char) {
        let _ = write!(self.out, r"\x{{{:x}}}", u32::from(c));
    }

    /// Go does not repeat repetitions.
    fn repeat(&mut self, operator: &str, last: Last) -> Result<Last> {
        if last != Last::Something {
            return Err(Refused);
        }
        self.out.push_str(operator);
        if self.skip("?") {
            self.out.push('?');
        }
        Ok(Last::Repetition)
    }

    /// The bounds of a repetition, whose brace was skipped; `None` if the brace is just a brace.
    fn bounds(&mut self) -> Result<Option<String>> {
        let Some((inner, rest)) = self.rest.split_once('}') else {
            return Ok(None);
        };
        let (min, max) = match inner.split_once(',') {
            None => (inner, inner),
            Some((min, "")) => (min, min),
            Some(both) => both,
        };
        if !is_number(min) || !is_number(max) {
            return Ok(None);
        }
        let [min, max] = [min, max].map(|text| text.parse().unwrap_or(u32::MAX));
        if min > max || max > REPEAT_MAX {
            return Err(Refused);
        }
        self.rest = rest;
        Ok(Some(format!("{{{inner}}}")))
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) -> Result<()> {
        if self.shared_class()? {
            return Ok(());
        }
        for (go, here) in [("A", r"\A"), ("z", r"\z"), ("b", r"(?-u:\b)"), ("B", r"\B")] {
            if self.skip(go) {
                self.out.push_str(here);
                return Ok(());
            }
        }
        if self.skip("Q") {
            let quoted = self.until(r"\E").unwrap_or(std::mem::take(&mut self.rest));
            quoted.chars().for_each(|c| self.literal(c));
            return Ok(());
        }
        let c = self.escaped_char()?;
        self.literal(c);
        Ok(())
    }

    /// What follows a backslash and is a class, in or out of another; `false` if it is none.
    fn shared_class(&mut self) -> Result<bool> {
        let shorthands = [
            ("d", "[0-9]"),
            ("D", "[^0-9]"),
            ("s", r"[\t\n\f\r ]"),
            ("S", r"[^\t\n\f\r ]"),
            ("w", "[0-9A-Za-z_]"),
            ("W", "[^0-9A-Za-z_]"),
        ];
        for (go, here) in shorthands {
            if self.skip(go) {
                self.out.push_str(here);
                return Ok(true);
            }
        }
        let mut positive = self.skip("p");
        if !positive && !self.skip("P") {
            return Ok(false);
        }
        let name = if self.skip("{") {
            self.until("}").ok_or(Refused)?.to_owned()
        } else {
            self.next().ok_or(Refused)?.to_string()
        };
        positive ^= name.starts_with('^');
        let letter = if positive { 'p' } else { 'P' };
        let name = name.trim_start_matches('^');
        let _ = write!(self.out, r"\{letter}{{{name}}}");
        Ok(true)
    }

    /// A class, whose bracket was skipped.
    fn class(&mut self) -> Result<()> {
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        while is_first || !self.skip("]") {
            is_first = false;
            self.class_item()?;
        }
        self.out.push(']');
        Ok(())
    }

    fn class_item(&mut self) -> Result<()> {
        if self.rest.starts_with("[:") && self.rest[2..].contains(":]") {
            self.skip("[:");
            let name = self.until(":]").ok_or(Refused)?;
            if !POSIX.contains(&name.trim_start_matches('^')) {
                return Err(Refused);
            }
            let _ = write!(self.out, "[:{name}:]");
            return Ok(());
        }
        let is_escaped = self.skip(r"\");
        if is_escaped && self.shared_class()? {
            return Ok(());
        }
        let low = self.class_char(is_escaped)?;
        self.literal(low);
        let is_range = self.rest.len() > 1 && !self.rest.starts_with("-]") && self.skip("-");
        if is_range {
            let is_escaped = self.skip(r"\");
            let high = self.class_char(is_escaped)?;
            if high < low {
                return Err(Refused);
            }
            self.out.push('-');
            self.literal(high);
        }
        Ok(())
    }

    fn class_char(&mut self, is_escaped: bool) -> Result<char> {
        if is_escaped {
            self.escaped_char()
        } else {
            self.next().ok_or(Refused)
        }
    }

    /// The character that follows a backslash or is described there.
    fn escaped_char(&mut self) -> Result<char> {
        let c = self.next().ok_or(Refused)?;
        let code = match c {
            '0' => self.digits(8, 2, 0),
            '1'..='7' => {
                // One digit alone refers back to a group, which Go cannot do.
                let first = c.to_digit(8).ok_or(Refused)?;
                let is_octal = self.rest.starts_with(|c: char| c.is_digit(8));
                is_octal.then(|| self.digits(8, 2, first)).ok_or(Refused)?
            }
            'x' if self.skip("{") => {
                let digits = self.until("}").ok_or(Refused)?;
                let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).map_err(|_| Refused)?;
                is_hex.then_some(code).ok_or(Refused)?
            }
            'x' => {
                let before = self.rest.len();
                let code = self.digits(16, 2, 0);
                (before - self.rest.len() == 2)
                    .then_some(code)
                    .ok_or(Refused)?
            }
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c.into(),
            _ => return Err(Refused),
        };
        char::from_u32(code).ok_or(Refused)
    }

    /// Reads at most `most` digits that continue the number `value`.
    fn digits(&mut self, radix: u32, most: usize, mut value: u32) -> u32 {
        for _ in 0..most {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(radix)) else {
                break;
            };
            value = value * radix + digit;
            self.next();
        }
        value
    }
}

/// A number as Go accepts it in bounds.
fn is_number(text: &str) -> bool {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && (text == "0" || !text.starts_with('0'))
}
