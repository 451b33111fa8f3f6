//! The values of options in the notation that Go programs take.

use std::ffi::OsStr;
use std::num::IntErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// `1`, `t`, `true` and `0`, `f`, `false`, also with capitals.
///
/// # Errors
/// Any other word.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

/// A whole number: decimal, `0x` hexadecimal, `0b` binary, `0` or `0o` octal.
///
/// # Errors
/// No number, or one that does not fit the type.
pub(crate) fn integer<T: TryFrom<i64>>(text: &str) -> Result<T, String> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) if text.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", text),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some(two) if two.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    let not_whole = || "not a whole number".to_owned();
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(not_whole());
    }
    let out_of_range = || "value out of range".to_owned();
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix);
    let number = number.map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => out_of_range(),
        _ => not_whole(),
    })?;
    T::try_from(number).map_err(|_| out_of_range())
}

/// The owner that all files get, from `UID:GID`.
///
/// # Errors
/// The text for the user.
pub(crate) fn owner(text: &str) -> Result<(u32, u32), String> {
    let form = || "force_owner must be in form UID:GID".to_owned();
    let (uid, gid) = text.split_once(':').ok_or_else(form)?;
    if gid.contains(':') {
        return Err(form());
    }
    let id = |what: &str, text: &str| {
        integer(text)
            .map_err(|_| format!("force_owner: Unable to parse {what} {text} as positive integer"))
    };
    Ok((id("UID", uid)?, id("GID", gid)?))
}

/// A span of time like `1h30m`, `500s` or `-1.5h`, in nanoseconds; negative ones parse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoDuration(pub(crate) i64);

impl GoDuration {
    /// The span if it is longer than nothing.
    pub(crate) fn positive(self) -> Option<Duration> {
        let nanos = u64::try_from(self.0).ok().filter(|nanos| *nanos > 0);
        nanos.map(Duration::from_nanos)
    }
}

impl FromStr for GoDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "not a duration like \"500s\" or \"2h45m\"".to_owned();
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Self(0));
        }
        let mut rest = unsigned;
        let mut total = 0_i128;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            let (number, tail) = rest.split_at(end.ok_or("missing unit in duration")?);
            let end = tail.find(|c: char| c.is_ascii_digit() || c == '.');
            let (unit, tail) = tail.split_at(end.unwrap_or(tail.len()));
            let unit = nanoseconds(unit).ok_or("unknown unit in duration")?;
            total += scaled(number, unit).ok_or_else(invalid)?;
            rest = tail;
        }
        if unsigned.is_empty() {
            return Err(invalid());
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let nanos = i64::try_from(sign * total).map_err(|_| invalid())?;
        Ok(Self(nanos))
    }
}

fn nanoseconds(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `number` (digits with at most one point) times `unit`; what is below a nanosecond is dropped.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = format!("0{whole}").parse::<u64>().ok()?.into();
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let parts: i128 = format!("0{fraction}").parse::<u64>().ok()?.into();
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some(whole * unit + parts * unit / scale)
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    // Made in one piece: a key leaves no copies behind when the text grows.
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        push_hexadecimal(&mut digits, *byte);
    }
    digits
}

/// Appends the two digits of a byte.
pub(crate) fn push_hexadecimal(digits: &mut String, byte: u8) {
    let pair = [byte >> 4, byte & 15];
    digits.extend(pair.map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()));
}

/// A name or path as a double-quoted string, as messages show it.
#[expect(
    clippy::unnecessary_debug_formatting,
    reason = "it quotes, and shows bytes that are no text"
)]
pub(crate) fn quoted(text: impl AsRef<OsStr>) -> String {
    format!("{:?}", Path::new(text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_written_as_in_go() {
        assert_eq!(boolean("T"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert!(boolean("yes").is_err());
        assert!(boolean("").is_err());
    }

    #[test]
    fn integers_have_the_prefixes_of_go() {
        assert_eq!(integer("16"), Ok(16_i64));
        assert_eq!(integer("-0x10"), Ok(-16_i64));
        assert_eq!(integer("010"), Ok(8_u32));
        assert_eq!(integer("0"), Ok(0_u8));
        for text in ["", "-", "--1", "0x", "1 ", "256", "-1", "1e2", "\u{e9}"] {
            assert!(integer::<u8>(text).is_err(), "{text}");
        }
        for text in ["99999999999999999999", "-1", "0x100"] {
            assert_eq!(integer::<u8>(text), Err("value out of range".to_owned()));
        }
    }

    #[test]
    fn owners_are_two_numbers() {
        assert_eq!(owner("1000:0x10"), Ok((1000, 16)));
        for text in ["1", "1:2:3", "a:1", "1:-1", ":", "1:4294967296"] {
            assert!(owner(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        let nanos = |text: &str| text.parse::<GoDuration>().map(|duration| duration.0);
        assert_eq!(nanos("500s"), Ok(500_000_000_000));
        assert_eq!(nanos("2h45m"), Ok(9_900_000_000_000));
        assert_eq!(nanos("1.5ms"), Ok(1_500_000));
        assert_eq!(nanos("-.5s"), Ok(-500_000_000));
        assert_eq!(nanos("0"), Ok(0));
        for text in ["", "5", "5x", "s", ".s", "1..2s", "3000000h", "-", "1s2"] {
            assert!(nanos(text).is_err(), "{text}");
        }
    }
}
