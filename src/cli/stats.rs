//! `stats`: what a mounted file system has done so far, asked through its control socket.

use super::command::Command;
use super::exit::{ExitCode, Failure};
use super::json;
use super::output::{Kind, Output};
use super::values::quoted;
use crate::ctlsock::{Client, ClientError, Request};
use clap::{ArgAction, ArgMatches, FromArgMatches, Parser};
use serde_json::Value;
use std::path::PathBuf;

/// What the verb takes.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "gocryptfs stats",
    about = "Show what a mount has done so far: requests, bytes, clones, cache hits, errors",
    override_usage = "gocryptfs stats [--json] SOCKET",
    after_help = "SOCKET is what the mount option -ctlsock names. Counting begins with the mount.",
    disable_help_flag = true
)]
pub(crate) struct StatsOptions {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show this help
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
    #[arg(value_parser = super::args::path(), hide = true)]
    paths: Vec<PathBuf>,
}

impl StatsOptions {
    /// Builds the command.
    ///
    /// # Errors
    /// There is not exactly one path.
    pub(crate) fn parsed(matches: &ArgMatches) -> Result<Command, Failure> {
        let options = Self::from_arg_matches(matches);
        let options = options.map_err(|error| Failure::usage(error.to_string()))?;
        if options.paths.len() != 1 {
            return Err(Failure::usage("Usage: gocryptfs stats [--json] SOCKET"));
        }
        Ok(Command::Stats(options))
    }
}

/// Shows the figures.
///
/// # Errors
/// Nobody answers at the socket, or has no figures.
pub(crate) fn run(options: &StatsOptions, out: &Output) -> Result<ExitCode, Failure> {
    for socket in &options.paths {
        let failed = |error: ClientError| Failure::new(ExitCode::Other, error.to_string());
        let request = Request {
            stats: true,
            ..Request::default()
        };
        let answer = Client::connect(socket).map_err(failed)?.ask(&request);
        let Some(figures) = answer.map_err(failed)?.stats else {
            let message = format!("The mount at {} tells no figures", quoted(socket));
            let failure = Failure::new(ExitCode::Other, message);
            return Err(failure.advise("It is one of another program, or of an older version."));
        };
        let text = if options.json {
            json::object("stats", figures).to_string()
        } else {
            lines("", &figures).join("\n")
        };
        out.write(Kind::Answer, &text);
    }
    Ok(ExitCode::Success)
}

/// A line for each figure that is not zero.
fn lines(name: &str, figures: &Value) -> Vec<String> {
    match figures {
        Value::Object(inner) => {
            let inner = inner.iter().map(|(key, value)| {
                let key = key.replace('_', " ");
                match name {
                    "" => lines(&key, value),
                    name => lines(&format!("{name}: {key}"), value),
                }
            });
            inner.flatten().collect()
        }
        Value::Number(number) if number.as_u64() == Some(0) => Vec::new(),
        value => vec![format!(
            "{:<28} {:>14}",
            format!("{name}:"),
            value.to_string()
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_shown_one_a_line_unless_they_are_zero() {
        let figures = json!({"bytes_read": 7, "errors": {"io": 0, "corrupt": 2}});
        let wanted = [
            "bytes read:                               7",
            "errors: corrupt:                          2",
        ];
        assert_eq!(lines("", &figures), wanted);
    }
}
