use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use sfv::{BareItem, List, ListEntry, Parser};
use tokio::sync::watch;

use crate::clock::Clock;

/// Nobody waits longer than this for the rate limit. Documented: past the limit every call is refused for 5 minutes.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// How long to hold back after a 429 that does not say. No value is published.
const UNTOLD_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// What was asked of the API so far. Every try counts, since every try is taken from the shared budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that read.
    pub reads: u64,
    /// Requests that write.
    pub writes: u64,
    /// Requests turned away by the rate limit.
    pub throttled: u64,
    /// Requests left in the current window, as the last answer that told said.
    pub remaining: Option<u32>,
}

/// Counts requests and shows when the client waits for the rate limit.
#[derive(Debug)]
pub struct Meter {
    reads: AtomicU64,
    writes: AtomicU64,
    throttled: AtomicU64,
    remaining: Mutex<Option<u32>>,
    waiting: watch::Sender<Option<Timestamp>>,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            remaining: Mutex::new(None),
            waiting: watch::Sender::new(None),
        }
    }

    /// The counts now.
    pub fn snapshot(&self) -> RequestCounts {
        RequestCounts {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            remaining: *self.remaining.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Until when requests are held back for the rate limit; `None`, or a time that has passed, where they are not.
    pub fn waiting(&self) -> watch::Receiver<Option<Timestamp>> {
        self.waiting.subscribe()
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// The one gate that every request passes; an answer that tells of the rate limit closes it for all.
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
    closed_until: Mutex<Option<Timestamp>>,
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>, meter: Arc<Meter>) -> Self {
        Self { clock, meter, closed_until: Mutex::new(None) }
    }

    /// Waits until requests may go. The error says how long it would take where nobody should wait for it.
    pub(super) async fn pass(&self) -> Result<(), String> {
        let mut waited = false;
        while let Some(wait) = self.closed_for() {
            if wait > LONGEST_WAIT {
                return Err(format!("the rate limit asks to wait for {} s; nothing was sent", wait.as_secs()));
            }
            tracing::warn!(seconds = wait.as_secs(), "waiting for the rate limit");
            waited = true;
            self.meter.waiting.send_replace(Some(self.clock.now() + wait));
            self.clock.sleep(wait.unsigned_abs()).await;
        }
        if waited {
            self.meter.waiting.send_replace(None);
        }
        Ok(())
    }

    fn closed_for(&self) -> Option<SignedDuration> {
        let until = (*self.closed_until.lock().unwrap_or_else(PoisonError::into_inner))?;
        let wait = until.duration_since(self.clock.now());
        wait.is_positive().then_some(wait)
    }

    /// Takes note of what an answer tells of the rate limit, and closes the gate where it says so.
    pub(super) fn observe(&self, status: StatusCode, headers: &HeaderMap) {
        let now = self.clock.now();
        let limit = limit(headers);
        if let Some(Limit { remaining, .. }) = limit {
            *self.meter.remaining.lock().unwrap_or_else(PoisonError::into_inner) = Some(remaining);
        }
        let spent = limit.filter(|limit| limit.remaining == 0).map(|limit| limit.reset);
        let told = retry_after(headers, now);
        let wait = if status == StatusCode::TOO_MANY_REQUESTS {
            self.meter.throttled.fetch_add(1, Ordering::Relaxed);
            Some(told.or(spent).unwrap_or(UNTOLD_WAIT))
        } else {
            told.filter(|_| status.is_server_error()).max(spent)
        };
        if let Some(until) = wait.and_then(|wait| now.checked_add(wait).ok()) {
            let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
            *closed = (*closed).max(Some(until));
        }
    }
}

/// The tightest limit that an answer tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    remaining: u32,
    reset: SignedDuration,
}

/// Documented (2025-09-03): `Ratelimit: "default";r=50;t=30`, `r` requests left, `t` seconds to the reset.
fn limit(headers: &HeaderMap) -> Option<Limit> {
    let lines: Vec<&str> = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok()).collect();
    let list: List = Parser::new(&lines.join(", ")).parse().ok()?;
    let whole = |value: Option<&BareItem>| value?.as_integer().and_then(|number| u32::try_from(i64::from(number)).ok());
    list.iter()
        .filter_map(|entry| match entry {
            ListEntry::Item(item) => Some(Limit {
                remaining: whole(item.params.get("r"))?,
                reset: SignedDuration::from_secs(i64::from(whole(item.params.get("t"))?)),
            }),
            ListEntry::InnerList(_) => None,
        })
        .min_by_key(|limit| (limit.remaining, std::cmp::Reverse(limit.reset)))
}

/// Documented as whole seconds; an HTTP date is what a proxy in between may send.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(SignedDuration::from_secs(i64::from(seconds))),
        Err(_) => Some(http_date(text)?.duration_since(now).max(SignedDuration::ZERO)),
    }
}

/// A time as HTTP writes it.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use reqwest::header::HeaderMap;

    use super::{Limit, limit, retry_after};

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn the_tightest_limit_counts_and_garbage_does_not() {
        let tight = Limit { remaining: 0, reset: SignedDuration::from_secs(30) };
        let two = headers("ratelimit", r#""default";r=50;t=200, "burst";r=0;t=30"#);
        assert_eq!(limit(&two), Some(tight));
        for garbage in ["r=5", r#""default""#, r#""default";r=-1;t=3"#, r#""default";r=x"#, ";;;"] {
            assert_eq!(limit(&headers("ratelimit", garbage)), None, "{garbage}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let of = |value| retry_after(&headers("retry-after", value), now).map(|wait| wait.as_secs());
        assert_eq!(of("17"), Some(17));
        assert_eq!(of("Mon, 23 Nov 2026 12:01:00 GMT"), Some(60));
        assert_eq!(of("Mon, 23 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(of("soon"), None);
    }
}
