//! The time in the simulated world.

use std::time::Instant;

use jiff::Timestamp;

/// A clock that is told the time once and then goes by the monotonic clock.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that shows `now` at this moment.
    pub(crate) fn starting_at(now: Timestamp) -> Self {
        Self { start: now, since: Instant::now() }
    }

    /// The same, but started at `earliest` where that is later.
    #[must_use]
    pub(crate) fn no_earlier_than(self, earliest: Timestamp) -> Self {
        Self { start: self.start.max(earliest), ..self }
    }

    /// The time it shows; never goes back.
    pub(crate) fn now(&self) -> Timestamp {
        self.start.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
