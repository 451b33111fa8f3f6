//! A man page.

use crate::line::{Line, Opt};
use roff::{Inline, Roff, bold, italic, roman};

/// The page on `line`, one of `lines`.
pub(crate) fn page(line: &Line, lines: &[Line]) -> String {
    let title = format!(
        ".TH {} 1 \"\" \"gocryptfs-rs {}\" \"User Commands\"\n",
        line.page().to_uppercase(),
        env!("CARGO_PKG_VERSION"),
    );
    let (description, end) = prose(&line.page());
    let verbs = match line.verb() {
        Some(_) => notes(line),
        None => verbs(lines, line),
    };
    [
        &title,
        &*head(line),
        description,
        &options(line),
        &verbs,
        end,
        &see_also(line, lines),
    ]
    .concat()
}

fn head(line: &Line) -> String {
    let mut page = Roff::new();
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{} - {}", line.page(), line.about))]);
    page.control("SH", ["SYNOPSIS"]);
    for (at, form) in line.usage.iter().enumerate() {
        let (name, rest) = form.split_at(line.name.len().min(form.len()));
        if at > 0 {
            page.control("br", []);
        }
        page.text([bold(name), roman(rest)]);
    }
    page.to_roff()
}

/// What is written by hand: what stands in front of the options, and behind them.
fn prose(page: &str) -> (&'static str, &'static str) {
    let text = match page {
        "gocryptfs" => include_str!("gocryptfs.man"),
        "gocryptfs-xray" => include_str!("gocryptfs-xray.man"),
        _ => "",
    };
    text.split_once(".\\\" options\n").unwrap_or((text, ""))
}

fn options(line: &Line) -> String {
    let mut page = Roff::new();
    page.control("SH", ["OPTIONS"]);
    if line.name == "gocryptfs" {
        page.text([roman(
            "Options can have one dash or two, and stand anywhere; a value follows after a blank \
             or \"=\". \"--\" ends them. Those that can be switched off take \"=false\".",
        )]);
    }
    let mut heading = None;
    for option in &line.options {
        if option.heading != heading {
            heading.clone_from(&option.heading);
            page.control("SS", [heading.as_deref().unwrap_or("Others")]);
        }
        page.control("TP", []);
        page.text(title(option));
        page.text(sentences(option.long_help.as_ref().unwrap_or(&option.help)));
    }
    page.to_roff()
}

fn title(option: &Opt) -> Vec<Inline> {
    let mut title = Vec::new();
    for name in &option.names {
        if !title.is_empty() {
            title.push(roman(", "));
        }
        title.push(bold(name));
    }
    if let Some(value) = &option.value {
        title.extend([roman(" "), italic(&value.name)]);
    }
    title
}

/// Paragraphs of help as one; the first has no dot at its end.
fn sentences(text: &str) -> Vec<Inline> {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ").trim_end_matches('.').to_owned() + "."
    });
    let text = paragraphs.collect::<Vec<_>>().join(" ");
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(at, piece)| {
            if at % 2 == 0 {
                roman(piece)
            } else {
                bold(piece)
            }
        })
        .collect()
}

/// What help says at its end.
fn notes(line: &Line) -> String {
    let mut page = Roff::new();
    for (at, paragraph) in line
        .notes
        .iter()
        .flat_map(|notes| notes.split("\n\n"))
        .enumerate()
    {
        match at {
            0 => page.control("SH", ["NOTES"]),
            _ => page.control("PP", []),
        };
        page.text(sentences(paragraph));
    }
    page.to_roff()
}

/// The verbs of a program.
fn verbs(lines: &[Line], program: &Line) -> String {
    let mut page = Roff::new();
    let is_verb = |line: &&Line| line.name.starts_with(&format!("{} ", program.name));
    for (at, line) in lines.iter().filter(is_verb).enumerate() {
        if at == 0 {
            page.control("SH", ["VERBS"]);
            page.text([roman(
                "Some of it is shorter with a verb, and some has no other way. A directory that \
                 is called like a verb is not one but CIPHERDIR.",
            )]);
        }
        page.control("TP", []);
        page.text([bold(&line.name)]);
        page.text([roman(format!("{}. See {}(1).", line.about, line.page()))]);
    }
    page.to_roff()
}

fn see_also(line: &Line, lines: &[Line]) -> String {
    let mut page = Roff::new();
    page.control("SH", ["SEE ALSO"]);
    let ours = lines.iter().filter(|other| other.name != line.name);
    let ours = ours.filter(|other| line.name == "gocryptfs" || other.verb().is_none());
    let mut pages: Vec<String> = ours.map(|other| format!("{}(1)", other.page())).collect();
    pages.extend(["mount(8)", "fuse(4)"].map(str::to_owned));
    page.text([roman(pages.join(", "))]);
    page.to_roff()
}
