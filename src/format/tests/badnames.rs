//! Names that do not decrypt.

use std::ffi::{OsStr, OsString};

use super::{DEFAULT, codecs};
use crate::format::{BadNames, DirIv, NameCodec, Params, PlainName, StoredName};

const IV: DirIv = DirIv([7; 16]);

fn padded() -> Params {
    Params {
        padded: true,
        ..DEFAULT
    }
}

fn encrypted(names: &NameCodec, plain: &str) -> String {
    let plain = PlainName::new(OsStr::new(plain)).unwrap();
    let stored = names.encode(&IV, &plain).unwrap();
    let (StoredName::Short(text) | StoredName::Long { full: text, .. }) = stored;
    text.as_os_str().to_str().unwrap().to_owned()
}

fn shown(names: &NameCodec, pattern: &str, text: &str) -> Option<OsString> {
    let bad_names = BadNames::new(&[pattern]).unwrap();
    let shown = bad_names.show(names, &IV, OsStr::new(text))?;
    Some(shown.as_os_str().to_owned())
}

#[test]
fn the_longest_part_that_decrypts_is_shown_decrypted() {
    for params in [DEFAULT, padded()] {
        let names = codecs(params).names;
        let two_blocks = "two blocks of text";
        for plain in ["a", "fifteen letters", two_blocks, &"l".repeat(200)] {
            let text = encrypted(&names, plain) + "A!";
            let wanted = format!("{plain}A! GOCRYPTFS_BAD_NAME");
            assert_eq!(shown(&names, "*", &text), Some(wanted.into()));
        }
        let nested = encrypted(&names, "a") + &encrypted(&names, two_blocks);
        let wanted = format!("a{} GOCRYPTFS_BAD_NAME", encrypted(&names, two_blocks));
        assert_eq!(shown(&names, "*", &nested), Some(wanted.into()));
    }
}

#[test]
fn what_does_not_decrypt_at_all_is_shown_as_it_is() {
    let names = codecs(DEFAULT).names;
    let cut = &encrypted(&names, "two blocks of text")[..42];
    for text in ["junk", cut, "\n", "gocryptfs.longname.x"] {
        let wanted = format!("{text} GOCRYPTFS_BAD_NAME");
        assert_eq!(shown(&names, "*", text), Some(wanted.into()));
    }
}

#[test]
fn what_matches_no_pattern_or_makes_no_name_is_not_shown() {
    let names = codecs(DEFAULT).names;
    assert_eq!(shown(&names, "j*x", "junk"), None);
    assert_eq!(shown(&names, "*", ""), None);
    assert_eq!(shown(&names, "*", "a/b"), None);
    assert!(shown(&names, "*", &"!".repeat(236)).is_some());
    assert_eq!(shown(&names, "*", &"!".repeat(237)), None);
    let nothing = BadNames::default();
    assert_eq!(nothing.show(&names, &IV, OsStr::new("junk")), None);
    assert!(!nothing.may_be(OsStr::new("junk GOCRYPTFS_BAD_NAME")));
}

#[test]
fn a_bad_name_ends_like_its_entry() {
    let all = BadNames::new(&["*"]).unwrap();
    let name = OsStr::new("junk GOCRYPTFS_BAD_NAME");
    assert!(all.may_be(name));
    assert!(!all.may_be(OsStr::new("junk")));
    assert!(BadNames::ends_alike(name, OsStr::new("AAk")));
    assert!(!BadNames::ends_alike(name, OsStr::new("AAj")));
}

#[test]
fn the_first_bad_pattern_is_named() {
    let pattern = BadNames::new(&["*", "[a", "\\"]).unwrap_err();
    assert_eq!(pattern, "[a");
}
