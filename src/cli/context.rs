use std::sync::Arc;

use jiff::Timestamp;

use super::console::Screen;
use super::environment::Environment;
use super::layout::StateDir;
use crate::clock::Clock;

/// What every command works with; made once, in `main`.
pub struct Context {
    /// Where incidents lie.
    pub state: StateDir,
    /// Credential and target.
    pub environment: Environment,
    /// The one writer to stderr.
    pub screen: Screen,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who the operator is.
    pub operator: String,
    /// One JSON document on stdout at the end.
    pub json: bool,
    /// Entries on stdout as they become durable.
    pub jsonl: bool,
    /// Whether a person can be asked: stdin and stderr are terminals.
    pub can_ask: bool,
}

impl Context {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
