//! Reads families at all their seats, many at a time, and hands every page on as it comes.
//!
//! What is urgent comes first: families of the user and of the account in the order in which they are given, then zone by
//! zone, in the order in which these are given. No list is ever held whole. What fails is told as a gap of its place and
//! stops nothing else; a sweep that is stopped has handed on what it read, and says what it did not.

mod ledger;
mod list;
mod order;
mod place;
mod sink;

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, Semaphore};

use super::family::Family;
use super::item::Seat;
use crate::clock::Clock;
use crate::provider::{Progress, ReadSide};
use ledger::Ledger;
use list::List;

pub use order::by_interest;
pub use place::{Ending, Place, Stopped, Swept};
pub use sink::{Sink, SweptPage};

/// Requests in flight where nobody says otherwise: what keeps a connection of HTTP/2 busy. How many are sent in a second is
/// a matter of the budget.
pub const IN_FLIGHT: usize = 64;

/// A sweep: what is read, and how.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// Where it is read.
    pub read: &'a dyn ReadSide,
    /// Percent-encodes a part of a path.
    pub encode: fn(&str) -> String,
    /// What is read, the most interesting first.
    pub families: &'a [&'a Family],
    /// The zones, the most interesting first; see [`by_interest`].
    pub zones: &'a [Seat],
    /// What an earlier sweep has read to its end: not read again.
    pub done: &'a BTreeSet<Place>,
    /// At most so many requests at a time; see [`IN_FLIGHT`].
    pub in_flight: usize,
    /// The time, for the estimate of how long it takes.
    pub clock: &'a dyn Clock,
    /// Shows how far it is.
    pub progress: &'a dyn Progress,
}

impl std::fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.families.iter().map(|family| family.name).collect();
        f.debug_struct("Sweep").field("families", &names).field("zones", &self.zones.len()).finish_non_exhaustive()
    }
}

impl Sweep<'_> {
    /// Reads until all is read, until `stop` ends, or until the way to the provider is cut.
    ///
    /// # Errors
    /// The sink cannot take what was read.
    pub async fn run(&self, sink: &mut dyn Sink, stop: impl Future<Output = ()>) -> io::Result<Swept> {
        let ledger = Mutex::new(Ledger::new(self, sink));
        let (permits, more) = (Semaphore::new(self.in_flight.max(1)), Notify::new());
        let locked = || ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reading = FuturesUnordered::new();
        let mut stop = std::pin::pin!(stop);
        let stopped = loop {
            while reading.len() < self.in_flight.max(1) {
                let Some(due) = locked().next() else { break };
                let list = List::new(self, &ledger, &permits, &more, due);
                reading.push(list.read());
            }
            if reading.is_empty() {
                break None;
            }
            tokio::select! {
                biased;
                () = &mut stop => break Some(Stopped::Interrupted),
                _ = reading.next() => {}
                // Items of a list that others belong to have come.
                () = more.notified() => {}
            }
            if let Some(halt) = locked().halt() {
                break Some(halt?);
            }
        };
        drop(reading);
        ledger.into_inner().unwrap_or_else(PoisonError::into_inner).close(stopped)
    }
}
