use jiff::Timestamp;

use super::quoted;
use crate::clock::Clock;

/// One request, told to the log when it has ended: method, path, status, duration, attempt. Never a header, a query or
/// a body, since any of these can hold what nobody may read in a log.
pub(super) struct Trace<'t> {
    pub(super) method: &'t str,
    pub(super) path: &'t str,
    /// From 1.
    pub(super) attempt: u32,
    since: Timestamp,
}

impl<'t> Trace<'t> {
    /// Begins now.
    pub(super) fn begin(method: &'t str, path: &'t str, attempt: u32, clock: &dyn Clock) -> Self {
        Self { method, path, attempt, since: clock.now() }
    }

    /// It was answered with this status; `None` where no answer came.
    pub(super) fn end(&self, status: Option<u16>, clock: &dyn Clock) {
        let ms = clock.now().duration_since(self.since).as_millis();
        let (method, path, attempt) = (self.method, quoted(self.path), self.attempt);
        match status {
            Some(status) => tracing::debug!(%method, %path, status, ms, attempt, "request"),
            None => tracing::debug!(%method, %path, ms, attempt, "request without an answer"),
        }
    }
}
