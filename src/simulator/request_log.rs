//! What arrived at the server.

use serde::Serialize;

/// One request as it was logged.
#[derive(Debug, Clone, Serialize)]
pub struct LoggedRequest {
    /// Position in the order of arrival, from 1.
    pub seq: u64,
    /// Time of the simulated world.
    pub at: jiff::Timestamp,
    /// In capitals.
    pub method: String,
    /// Without the base prefix, with the query.
    pub path: String,
    /// The query alone, still encoded.
    pub query: String,
    /// The body if it was JSON.
    pub body: Option<serde_json::Value>,
    /// The status decided on, even if the client never saw it; 0 if there was no answer at all.
    pub status: u16,
    /// The request changed the world.
    pub applied: bool,
    /// Identifier of the credential, or `unknown`; never the secret.
    pub credential: String,
}

/// The log, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct RequestLog(Vec<LoggedRequest>);

impl RequestLog {
    pub(super) fn next_seq(&self) -> u64 {
        self.0.len() as u64 + 1
    }

    pub(super) fn push(&mut self, entry: LoggedRequest) {
        self.0.push(entry);
    }

    pub(super) fn entries(&self) -> Vec<LoggedRequest> {
        self.0.clone()
    }
}
