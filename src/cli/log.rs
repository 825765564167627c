//! What the client does, for `-vv` and `RUST_LOG`: requests, waits, retries. Never a header or a body.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::console::Screen;

/// Begins to log to the screen, where it was asked for. What `filter` cannot mean is left out of it.
pub(crate) fn begin(verbose: u8, filter: Option<&str>, screen: &Arc<Screen>, colour: bool) -> Result<(), TryInitError> {
    let directives = match filter {
        Some(filter) => filter,
        None if verbose >= 2 => "quell=debug",
        None => return Ok(()),
    };
    // Other libraries do not know what is secret: whatever is asked for, they are not heard.
    let own = filter_fn(|metadata: &Metadata<'_>| {
        metadata.target().split("::").next().is_some_and(|crate_name| crate_name == env!("CARGO_CRATE_NAME"))
    });
    let chosen = EnvFilter::builder().parse_lossy(directives).and(own);
    let screen = Arc::clone(screen);
    let lines = tracing_subscriber::fmt::layer().with_ansi(colour).with_writer(move || Lines(Arc::clone(&screen)));
    tracing_subscriber::registry().with(lines.with_filter(chosen)).try_init()
}

/// Passes whole lines to the one writer to stderr.
struct Lines(Arc<Screen>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.say(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
