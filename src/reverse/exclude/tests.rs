//! The patterns against what the original program does with them.

use super::*;

fn hidden(lines: &[&str], path: &str) -> bool {
    let lines = lines.iter().map(|line| line.as_bytes());
    Exclusions::new(lines).unwrap().hide(path.as_bytes())
}

#[test]
fn a_pattern_hides_at_any_depth_and_all_that_is_below() {
    for path in ["a.mp3", "d/b.mp3", "x.mp3/y"] {
        assert!(hidden(&["*.mp3"], path), "{path}");
    }
    assert!(!hidden(&["*.mp3"], "amp3"));
    assert!(!hidden(&["*.mp3"], "a.mp3x"));
}

#[test]
fn a_leading_slash_means_the_top() {
    assert!(hidden(&["/a"], "a"));
    assert!(hidden(&["/a"], "a/b"));
    assert!(!hidden(&["/a"], "b/a"));
}

#[test]
fn a_question_mark_stands_for_itself() {
    assert!(hidden(&["q?"], "q?"));
    assert!(!hidden(&["q?"], "q1"));
}

#[test]
fn a_trailing_slash_leaves_the_empty_directory() {
    assert!(!hidden(&["bak/"], "bak"));
    assert!(hidden(&["bak/"], "bak/x"));
}

#[test]
fn the_last_pattern_that_fits_decides() {
    assert!(hidden(&["*", "!/keep"], "other"));
    assert!(!hidden(&["*", "!/keep"], "keep"));
    assert!(hidden(&["*", "!/keep", "keep"], "keep"));
}

#[test]
fn comments_empty_lines_and_nonsense_are_skipped() {
    let lines = ["#a", "", "  ", "[a", "a{2}{3}", "(", "\\"];
    assert!(
        Exclusions::new(lines.map(str::as_bytes))
            .unwrap()
            .is_empty()
    );
    assert!(Exclusions::new([&b"\xff"[..]]).unwrap().is_empty());
}

#[test]
fn a_byte_that_is_no_text_counts_as_one_character() {
    let exclusions = Exclusions::new([&b"/x[^/]"[..]]).unwrap();
    assert!(exclusions.hide(b"x\xff"));
    assert!(!exclusions.hide(b"x\xff\xfe"));
}
