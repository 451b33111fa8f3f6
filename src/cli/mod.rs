//! The command line: words become one typed command, which is run.
//!
//! Only this module prints and reads the environment. Failures come up as values; the exit code
//! that they carry is returned to the binary, which alone ends the process.

mod args;
mod attributes;
mod clone;
mod command;
mod cpu;
mod daemon;
mod direct;
mod exit;
mod fsck;
mod help;
mod ignored;
mod info;
mod init;
mod interrupt;
mod json;
mod keys;
mod log;
mod mount;
mod mount_words;
mod mountpoint;
mod notify;
mod output;
mod parse;
mod passwd;
mod password;
mod paths;
mod progress;
mod reverse;
mod speed;
mod stats;
mod system_log;
mod unlock;
mod values;
mod verb;
mod words;
pub mod xray;

use crate::sys::{inherited, process};
use args::Words;
use clap::{ArgMatches, CommandFactory};
use command::Command;
use exit::{ExitCode, Failure};
use output::{Kind, Output};
use std::ffi::OsString;
use std::iter;
use verb::Verb;

/// Where programs are looked for if the environment does not tell: mount(8) clears it.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The parsers of both programs, those of the verbs of a program behind its own: what man pages and
/// completions are made from.
pub fn parsers() -> Vec<clap::Command> {
    let verbs = verb::VERBS.iter().map(|verb| (verb.parser)());
    let all = iter::once(help::parser(true)).chain(verbs);
    all.chain(iter::once(xray::parser())).collect()
}

/// Runs the file system program with the words of its command line, the program's name first.
pub fn main(line: impl IntoIterator<Item = OsString>) -> std::process::ExitCode {
    harden();
    inherited::set_path_if_empty(PATH);
    let line: Vec<OsString> = line.into_iter().collect();
    let is_json = json::is_wanted(&line);
    finish(start(&line), is_json)
}

/// Keeps keys in the memory of this process. What the system does not let us forbid we can do
/// without.
fn harden() {
    let _ = process::no_core_dumps().and_then(|()| process::set_not_dumpable());
    process::lock_memory();
}

/// Tells what went wrong, if anything.
fn finish(ended: Result<ExitCode, Failure>, is_json: bool) -> std::process::ExitCode {
    let code = ended.unwrap_or_else(|failure| {
        let out = Output::new(false, false);
        if is_json && !failure.message.is_empty() {
            out.write(Kind::Fatal, &json::failure(&failure).to_string());
            return failure.code;
        }
        if !failure.message.is_empty() {
            out.write(Kind::Fatal, &failure.message);
        }
        if let Some(advice) = &failure.advice {
            out.write(Kind::Advice, advice);
        }
        failure.code
    });
    code.into()
}

/// What a command line asks for.
enum Asked {
    /// Help, since there is nothing else on the line.
    Nothing,
    /// Help on the common options, or on a verb.
    Help(Option<&'static Verb>),
    /// A run: of this command, parsed from the words that matched.
    Run(Box<(Command, ArgMatches)>),
}

/// Whether a command line, the program's name first, can be understood. It is not run.
pub fn understands(line: &[OsString]) -> bool {
    understand(line).is_ok()
}

/// What is asked for, and the line without its verb.
fn understand(original: &[OsString]) -> Result<(Asked, Vec<OsString>), Failure> {
    let (verb, line) = verb::take(original);
    let words = words::normalise(line.get(1..).unwrap_or_default())?;
    if words.is_empty() && verb.is_none() {
        return Ok((Asked::Nothing, line));
    }
    let parser = verb.map_or_else(Words::command, |verb| (verb.parser)());
    let Some(matches) = parse::parse(parser, &words, original)? else {
        return Ok((Asked::Help(verb), line));
    };
    let command = verb.map_or(Command::parsed as _, |verb| verb.build)(&matches)?;
    Ok((Asked::Run(Box::new((command, matches))), line))
}

fn start(original: &[OsString]) -> Result<ExitCode, Failure> {
    let (asked, line) = understand(original)?;
    let plain = Output::new(false, false);
    let (command, matches) = match asked {
        Asked::Nothing => {
            help::help(&plain, false);
            return Ok(ExitCode::Usage);
        }
        Asked::Help(of_verb) => {
            match of_verb {
                Some(verb) => help::show((verb.parser)(), &plain),
                None => help::help(&plain, false),
            }
            return Ok(ExitCode::Success);
        }
        Asked::Run(asked) => *asked,
    };
    let is_set = |switch| parse::is_set(&matches, switch);
    let out = Output::new(is_set("quiet"), is_set("wpanic"));
    if !command.runs_again() {
        ignored::tell(&matches, &out);
    }
    run(command, &line, &out)
}

fn run(command: Command, line: &[OsString], out: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Help { all } => help::help(out, all),
        Command::Speed { json } => speed::run(json, out),
        Command::Version => help::version("gocryptfs", out),
        Command::Init(options) => return init::run(&options, out),
        Command::Passwd(options) => return passwd::run(&options, out),
        Command::Info { volume, json } => return info::run(&volume, json, out),
        Command::Stats(options) => return stats::run(&options, out),
        Command::Fsck(options) => return fsck::run(&options),
        Command::Clone(options) => return clone::run(&options, out),
        Command::Direct(options) => return direct::run(&options),
        Command::Mount(options) => return mount::run(&options, line, out),
    }
    Ok(ExitCode::Success)
}
