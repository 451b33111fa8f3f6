//! From the words of the command line to words for the option parser.
//!
//! Go programs take options with one dash or two, and mount(8) hands over a comma-separated list
//! behind `-o`. Here both become plain `--name` options. What stands behind `--` is left alone.

use super::exit::Failure;
use super::mount_words::{Addressee, addressee};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Brings `words` (without the program's name) into the form `--name`, the pieces of every `-o`
/// in front, so that an option of its own on the line wins over them.
///
/// # Errors
/// An `-o` without its list, or with `-o` inside.
pub(crate) fn normalise(words: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let end = words.iter().position(|word| word == "--");
    let (options, literal) = words.split_at(end.unwrap_or(words.len()));
    let (mut pieces, mut others) = (Vec::new(), Vec::new());
    let mut rest = options.iter();
    while let Some(word) = rest.next() {
        match mount_list(word) {
            MountList::Inline(list) => split_list(list, &mut pieces)?,
            MountList::Next => {
                let list = rest.next().ok_or_else(missing_list)?;
                split_list(list.as_bytes(), &mut pieces)?;
            }
            MountList::No => others.push(with_two_dashes(word)),
        }
    }
    pieces.append(&mut others);
    pieces.extend_from_slice(literal);
    Ok(pieces)
}

/// Whether a word is `-o`, and where its list stands.
enum MountList<'a> {
    No,
    Inline(&'a [u8]),
    Next,
}

fn mount_list(word: &OsStr) -> MountList<'_> {
    let bytes = word.as_bytes();
    let name = bytes.strip_prefix(b"--").or(bytes.strip_prefix(b"-"));
    match name {
        Some(b"o") => MountList::Next,
        Some([b'o', b'=', list @ ..]) => MountList::Inline(list),
        _ => MountList::No,
    }
}

fn missing_list() -> Failure {
    Failure::usage("The \"-o\" option requires an argument")
}

fn split_list(list: &[u8], into: &mut Vec<OsString>) -> Result<(), Failure> {
    for piece in list.split(|byte| *byte == b',') {
        match piece {
            b"" => {}
            b"o" | b"-o" => return Err(Failure::usage("You can't pass \"-o\" to \"-o\"")),
            _ => match addressee(&String::from_utf8_lossy(piece)) {
                Addressee::Us => into.push(with_two_dashes(&joined(b"-", piece))),
                Addressee::Kernel => into.push(joined(b"--ko=", piece)),
                Addressee::Others => {}
            },
        }
    }
    Ok(())
}

/// Brings words into the form `--name` that are no options of mount(8).
pub(crate) fn two_dashes(words: &[OsString]) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--");
    let (options, literal) = words.split_at(end.unwrap_or(words.len()));
    let options = options.iter().map(|word| with_two_dashes(word));
    options.chain(literal.iter().cloned()).collect()
}

fn joined(first: &[u8], second: &[u8]) -> OsString {
    OsString::from_vec([first, second].concat())
}

/// `-name` as `--name`. A lone dash is a path, and `-h` is known in this form.
fn with_two_dashes(word: &OsStr) -> OsString {
    match word.as_bytes() {
        [b'-', second, ..] if *second != b'-' && word != "-h" => joined(b"-", word.as_bytes()),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match normalise(&words) {
            Ok(words) => {
                let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
                words.join(" ")
            }
            Err(failure) => format!("{}: {failure}", failure.code.number()),
        }
    }

    #[test]
    fn one_dash_becomes_two() {
        assert_eq!(
            normalised("-q --fg -config=-x C M"),
            "--q --fg --config=-x C M"
        );
        assert_eq!(normalised("-h - -hh"), "-h - --hh");
        assert_eq!(normalised("-extpass -X"), "--extpass --X");
    }

    #[test]
    fn words_behind_two_dashes_stay() {
        assert_eq!(normalised("-q -- -C -o ro"), "--q -- -C -o ro");
        assert_eq!(normalised("-o ro -- C M"), "--ro -- C M");
    }

    #[test]
    fn pieces_of_a_mount_list_become_options_in_front() {
        assert_eq!(normalised("C M -o ro,fsname=a"), "--ro --fsname=a C M");
        assert_eq!(normalised("-q C -o=ro,,-q M"), "--ro --q --q C M");
        assert_eq!(normalised("-o , C"), "C");
    }

    #[test]
    fn words_for_others_are_left_out_and_those_for_the_kernel_passed_on() {
        let line = "C M -o noauto,noatime,user=x,ro,x-systemd.automount,max_read=65536";
        assert_eq!(
            normalised(line),
            "--ko=noatime --ro --ko=max_read=65536 C M"
        );
        assert_eq!(normalised("-noauto C M"), "--noauto C M");
    }

    #[test]
    fn every_mount_list_counts() {
        assert_eq!(normalised("-o ro C M -o noexec"), "--ro --noexec C M");
    }

    #[test]
    fn a_mount_list_inside_a_mount_list_is_refused() {
        let wanted = "1: You can't pass \"-o\" to \"-o\"";
        assert_eq!(normalised("-o ro,o C"), wanted);
        assert_eq!(normalised("-o -o C"), wanted);
    }

    #[test]
    fn a_mount_list_needs_a_value() {
        let wanted = "1: The \"-o\" option requires an argument";
        assert_eq!(normalised("C M -o"), wanted);
        assert_eq!(normalised("-o"), wanted);
    }

    #[test]
    fn names_that_are_no_text_pass_unchanged() {
        let path = OsString::from_vec(vec![0xff, b'/', 0xfe]);
        assert_eq!(normalise(std::slice::from_ref(&path)), Ok(vec![path]));
    }
}
