//! Writes the man pages and the completions for shells, from the parsers of the programs.
//!
//! There is one statement of the options, which the programs themselves use. What generators for
//! clap write has two dashes in front of every option and lacks aliases; people type `-allow_other`
//! and `-q`, so the pages and scripts are written here. Prose that belongs to a page is in the file
//! `PAGE.man` beside this one.
//!
//! usage: `cargo run --example generate -- DIR`

#![allow(
    clippy::disallowed_methods,
    reason = "the user says where, and may have links there"
)]

mod bash;
mod fish;
mod line;
mod man;
#[cfg(test)]
mod tests;
mod zsh;

use line::Line;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(dir) = env::args_os().nth(1) else {
        return Err(io::Error::other("usage: generate DIR"));
    };
    let dir = Path::new(&dir);
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(path, text)
    };
    let parsers = gocryptfs_rs::cli::parsers().into_iter();
    let lines: Vec<Line> = parsers.map(Line::new).collect();
    for line in &lines {
        write(&format!("man/{}.1", line.page()), &man::page(line, &lines))?;
    }
    for (program, lines) in line::programs(&lines) {
        write(&format!("bash/{program}"), &bash::script(program, lines))?;
        write(&format!("zsh/_{program}"), &zsh::script(program, lines))?;
        write(
            &format!("fish/{program}.fish"),
            &fish::script(program, lines),
        )?;
    }
    Ok(())
}
