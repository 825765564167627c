//! How far the logs reach: that one tells nothing of a time proves nothing of that time.

use jiff::Timestamp;

use super::{Collecting, DAY, KEPT, earlier, whole_day, wire};
use crate::cloudflare::api::segment;
use crate::hunt::{AuditEvent, LogReach};
use crate::provider::ReadRequest;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    First,
    Second,
}

impl Log {
    /// Requests at most that ask how far the logs reach: one for each.
    pub(super) const LOOKS: u32 = 2;

    const fn family(self) -> &'static str {
        match self {
            Self::First => "audit_v1",
            Self::Second => "audit_v2",
        }
    }

    /// What is not known without it.
    const fn lost(self) -> &'static str {
        match self {
            Self::First => "what log v2 leaves out, and what things were before, is not told of that time",
            Self::Second => "log v1 tells of writes alone, and names no request, no token and no program",
        }
    }
}

impl Collecting<'_> {
    /// Notes a gap where nothing shows that the account's log reaches back to the start of the window: it has no entry of
    /// that moment or of any time before. `events` are what was read of it.
    pub(super) async fn reaches(&mut self, log: Log, events: Option<&[AuditEvent]>, since: Timestamp) {
        // What could not be read is a gap already.
        let Some(events) = events else { return };
        let begins = events.iter().map(|event| event.at).min();
        if begins.is_some_and(|begins| begins <= since) {
            return;
        }
        match self.has_older(log, since).await {
            Some(true) => {}
            Some(false) => {
                let reason = match begins {
                    Some(begins) => format!(
                        "it begins at {}, after the window does, and nothing in it is older: {}",
                        begins.strftime("%F %H:%MZ"),
                        log.lost()
                    ),
                    None => "it has no entry at all, which proves nothing".to_owned(),
                };
                self.miss(log.family(), "the account", &reason);
            }
            None => {}
        }
    }

    /// Whether the log has any entry from before the window; `None` where that could not be read, which is noted.
    async fn has_older(&mut self, log: Log, since: Timestamp) -> Option<bool> {
        if self.is_over() {
            self.miss(
                log.family(),
                "the account",
                "the time for this step was over before it was known how far it reaches",
            );
            return None;
        }
        let oldest = earlier(self.look.now(), KEPT);
        let request = match log {
            Log::Second => self.second_of(oldest, since).with("limit", "1"),
            // It takes whole days, and whether the last one is among them is not documented.
            Log::First => ReadRequest::new(format!("/accounts/{}/audit_logs", segment(self.look.account())))
                .with("since", whole_day(oldest))
                .with("before", whole_day(earlier(since, DAY)))
                .with("per_page", "1"),
        };
        let read = match log {
            Log::First => wire::first,
            Log::Second => wire::second,
        };
        match self.look.get(&request.with("direction", "desc")).await {
            Ok(reading) => {
                let entries = reading.result.as_array().map(Vec::as_slice).unwrap_or_default();
                Some(entries.iter().filter_map(read).any(|event| event.at <= since))
            }
            Err(error) => {
                self.look.gap(error.gap(log.family(), "the account", Some("Account Settings Read")));
                self.complete = false;
                None
            }
        }
    }
}

/// How far what was read reaches.
pub(super) fn reach(events: &[AuditEvent], asked_from: Timestamp) -> LogReach {
    LogReach {
        asked_from,
        named_from: events.iter().filter(|event| event.log == "v2").map(|event| event.at).min(),
        oldest: events.first().map(|event| event.at),
        newest: events.last().map(|event| event.at),
        ..LogReach::default()
    }
}
