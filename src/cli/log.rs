//! What the file system reports while it is mounted, as plain lines on the way of all messages.

use super::args::MessageArgs;
use super::output::{Kind, Output};
use std::io::Write;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What the messages of the FUSE library are marked with.
const FUSE: &str = "fuser";
/// What they become on their way from the facade `log`, which nothing else uses.
const FROM_LOG: &str = "log";

/// Shows events from now on: warnings and errors always, the others as the options say.
pub(crate) fn install(messages: &MessageArgs, out: &Output) {
    let debug_if = |wanted, otherwise| {
        if wanted {
            LevelFilter::DEBUG
        } else {
            otherwise
        }
    };
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(
            env!("CARGO_CRATE_NAME"),
            debug_if(messages.debug, LevelFilter::INFO),
        )
        .with_target(FUSE, debug_if(messages.fusedebug, LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(out.clone());
    // It fails if there is one already, which then does the same.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}

/// One event on its way to the user.
pub(crate) struct EventLine {
    out: Output,
    kind: Kind,
    text: Vec<u8>,
}

impl EventLine {
    fn new(out: &Output, kind: Kind) -> Self {
        Self {
            out: out.clone(),
            kind,
            text: Vec::new(),
        }
    }
}

impl Write for EventLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for EventLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        self.out.write(self.kind, text.trim_end());
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = EventLine;

    fn make_writer(&'a self) -> EventLine {
        EventLine::new(self, Kind::Info)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> EventLine {
        let kind = match *metadata.level() {
            Level::ERROR | Level::WARN => Kind::Warning,
            Level::INFO => Kind::Info,
            Level::DEBUG | Level::TRACE if metadata.target() == FROM_LOG => Kind::Trace,
            Level::DEBUG | Level::TRACE => Kind::Debug,
        };
        EventLine::new(self, kind)
    }
}
