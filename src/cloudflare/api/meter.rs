use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::provider::Sent;

/// Reads that are remembered. A sweep of a large account has fewer; of more, the oldest are forgotten.
const REMEMBERED: usize = 100_000;

/// What was asked of the API so far. Every try counts, since every try is taken from the shared budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that read.
    pub reads: u64,
    /// Requests that write.
    pub writes: u64,
    /// Requests turned away by the rate limit.
    pub throttled: u64,
    /// Requests that were sent and are not answered yet.
    pub in_flight: u64,
    /// Requests left in the current window, as the last answer that told said.
    pub remaining: Option<u32>,
}

/// Counts requests and shows when the client waits for the rate limit.
#[derive(Debug)]
pub struct Meter {
    reads: AtomicU64,
    writes: AtomicU64,
    throttled: AtomicU64,
    in_flight: AtomicU64,
    remaining: Mutex<Option<u32>>,
    sent: Mutex<VecDeque<Sent>>,
    waiting: watch::Sender<Option<Timestamp>>,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            remaining: Mutex::new(None),
            sent: Mutex::default(),
            waiting: watch::Sender::new(None),
        }
    }

    /// The counts now.
    pub fn snapshot(&self) -> RequestCounts {
        RequestCounts {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            remaining: *self.remaining.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Until when requests are held back for the rate limit; `None`, or a time that has passed, where they are not.
    pub fn waiting(&self) -> watch::Receiver<Option<Timestamp>> {
        self.waiting.subscribe()
    }

    /// The reads so far, oldest first.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(super) fn count_read(&self, read: Sent) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() == REMEMBERED {
            sent.pop_front();
        }
        sent.push_back(read);
    }

    pub(super) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn show_in_flight(&self, flying: u32) {
        self.in_flight.store(flying.into(), Ordering::Relaxed);
    }

    pub(super) fn show_remaining(&self, remaining: u32) {
        *self.remaining.lock().unwrap_or_else(PoisonError::into_inner) = Some(remaining);
    }

    pub(super) fn show_waiting(&self, until: Option<Timestamp>) {
        self.waiting.send_if_modified(|shown| std::mem::replace(shown, until) != until);
    }
}
