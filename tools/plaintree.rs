//! Makes and describes the plain tree of the golden volumes, for `tools/golden`.
//!
//! `plaintree make DIR LONGEST_NAME` fills an empty directory; `plaintree digest DIR` prints what
//! the tests compare.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's tool goes by paths, as a user does"
)]

use std::io::{self, Write as _};
use std::path::Path;

#[path = "../compat/support/digest.rs"]
mod digest;
#[path = "../compat/support/tree.rs"]
mod tree;

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["make", dir, name] => {
            let name = name.parse().map_err(io::Error::other)?;
            let limits = tree::Limits {
                name,
                ..tree::Limits::NONE
            };
            tree::make(Path::new(dir), limits)
        }
        ["digest", dir] => {
            let text = digest::digest(Path::new(dir))?;
            io::stdout().write_all(text.as_bytes())
        }
        _ => Err(io::Error::other(
            "usage: plaintree make|digest DIR [LONGEST_NAME]",
        )),
    }
}
