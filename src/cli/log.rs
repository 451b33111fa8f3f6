//! What the file system reports while it is mounted, as plain lines on the way of all messages,
//! and how much of it: the options say so at first, and a signal changes it.

use super::args::MessageArgs;
use super::output::{Kind, Output};
use std::fmt::{self, Debug, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;

/// What the messages of the FUSE library are marked with.
const FUSE: &str = "fuser";
/// What they become on their way from the facade `log`, which nothing else uses, and what its
/// additions to an event begin with.
const FROM_LOG: &str = "log";
const ADDED_BY_LOG: &str = "log.";

/// How much is shown.
pub(crate) struct Verbosity {
    filter: Handle<Targets, Registry>,
    is_debug: AtomicBool,
    fusedebug: bool,
}

/// Shows events from now on: warnings and errors always, the others as the options say.
pub(crate) fn install(messages: &MessageArgs, out: &Output) -> Verbosity {
    let (filter, handle) = reload::Layer::new(filter(messages.debug, messages.fusedebug));
    // It fails if there is one already, which then does the same.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(Lines(out.clone()))
        .try_init();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Verbosity {
        filter: handle,
        is_debug: AtomicBool::new(messages.debug),
        fusedebug: messages.fusedebug,
    }
}

fn filter(debug: bool, fusedebug: bool) -> Targets {
    let debug_if = |wanted, otherwise| {
        if wanted {
            LevelFilter::DEBUG
        } else {
            otherwise
        }
    };
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), debug_if(debug, LevelFilter::INFO))
        .with_target(FUSE, debug_if(fusedebug, LevelFilter::WARN))
}

impl Verbosity {
    /// Shows debug messages from now on, or hides them again; returns whether they are shown.
    pub(crate) fn toggle(&self) -> bool {
        let is_debug = !self.is_debug.fetch_xor(true, Ordering::Relaxed);
        // It fails only when nobody listens any more.
        let _ = self.filter.reload(filter(is_debug, self.fusedebug));
        is_debug
    }
}

/// Writes events as lines.
struct Lines(Output);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let kind = match *metadata.level() {
            Level::ERROR | Level::WARN => Kind::Warning,
            Level::INFO => Kind::Info,
            Level::DEBUG | Level::TRACE if metadata.target() == FROM_LOG => Kind::Trace,
            Level::DEBUG | Level::TRACE => Kind::Debug,
        };
        let mut read = Read::default();
        event.record(&mut read);
        self.0.write_with(kind, read.text.trim_end(), &read.fields);
    }
}

/// What an event holds.
#[derive(Default)]
struct Read {
    text: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Read {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => {
                let _ = write!(self.text, "{value:?}");
            }
            name if name.starts_with(ADDED_BY_LOG) => {}
            name => self
                .fields
                .push((name, fmt::format(format_args!("{value:?}")))),
        }
    }
}
