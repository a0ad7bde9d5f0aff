//! The log: one line an event on stderr, as text or JSON.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Changes the filter of a log that runs.
#[derive(Clone)]
pub struct LogHandle(reload::Handle<EnvFilter, Registry>);

/// Reads a filter as RUST_LOG has it.
///
/// # Errors
/// What is wrong with it.
pub fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(text).map_err(|error| {
        let text = crate::escape::shown(text);
        format!("\"{text}\" is no log filter ({error}); write error, warn, info, debug, trace, or target=level,level")
    })
}

/// Starts the log of this process. A second call changes nothing.
pub fn start(filter: EnvFilter, format: LogFormat) -> LogHandle {
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let color = std::io::stderr().is_terminal();
    let started = match format {
        LogFormat::Text => registry
            .with(fmt::layer().with_writer(std::io::stderr).with_ansi(color).with_target(true))
            .try_init(),
        LogFormat::Json => {
            let layer =
                fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
            registry.with(layer.with_writer(std::io::stderr)).try_init()
        }
    };
    // Only a test that starts two daemons in one process comes here twice.
    let _ = started;
    LogHandle(handle)
}

impl LogHandle {
    /// Puts another filter in force.
    pub fn change(&self, filter: EnvFilter) {
        let _ = self.0.reload(filter);
    }
}
