use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::Notify;

use super::budget::{Budget, Leave};
use super::meter::Meter;
use super::ratelimit::Word;
use super::spendings::Spendings;
use crate::clock::Clock;
use crate::provider::{BudgetLeft, Lane};

/// The one gate that every request passes: who goes first, and when.
///
/// Those who wait stand in one line, the most urgent lane first and inside a lane by arrival. Only the first of the line
/// asks the budget and minds the clock: whoever stands behind could not go either, since a lane is never held back where
/// a less urgent one would not be.
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
    state: Mutex<State>,
    /// The line or the budget has changed.
    changed: Notify,
}

struct State {
    budget: Budget,
    /// What other processes spend, and what this one does for them to know; `None` where that is not to be told.
    spendings: Option<Spendings>,
    line: BTreeSet<Place>,
    next: u64,
}

/// A place in the line.
type Place = (Lane, u64);

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>, meter: Arc<Meter>) -> Self {
        let state = State { budget: Budget::new(), spendings: None, line: BTreeSet::new(), next: 0 };
        Self { clock, meter, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Waits until a request may go, and counts it as gone. The error says how long it would take where nobody should
    /// wait for it.
    pub(super) async fn pass(self: &Arc<Self>, lane: Lane) -> Result<Pass, String> {
        let waiting = Waiting::take(self, lane);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed, though nobody has waited for it yet.
            changed.as_mut().enable();
            let now = self.clock.now();
            match waiting.ask(now) {
                Leave::Go => return Ok(Pass { gate: Arc::clone(self), sent: now, ended: false }),
                Leave::TooLong(wait) => {
                    return Err(format!("the rate limit asks to wait for {} s; nothing was sent", wait.as_secs()));
                }
                Leave::Wait(None) => changed.await,
                Leave::Wait(Some(until)) => {
                    let wait = until.duration_since(now);
                    tracing::info!(seconds = wait.as_secs(), ?lane, "waiting for the rate limit");
                    self.meter.show_waiting(Some(until));
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = self.clock.sleep(wait.unsigned_abs()) => {}
                    }
                }
            }
        }
    }

    /// Counts what other processes have spent and spend, and lets them know of this one.
    pub(super) fn remember(&self, mut spendings: Spendings) {
        let recalled = spendings.recall(self.clock.now());
        let mut state = self.state();
        state.budget.own().iter().for_each(|at| spendings.went(*at));
        state.budget.recall(recalled);
        state.spendings = Some(spendings);
    }

    /// What is left to a lane, as far as is known.
    pub(super) fn left(&self, lane: Lane) -> Option<BudgetLeft> {
        self.state().budget.left(lane, self.clock.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits. Leaves the line when dropped.
struct Waiting<'g> {
    gate: &'g Gate,
    place: Place,
}

impl<'g> Waiting<'g> {
    fn take(gate: &'g Gate, lane: Lane) -> Self {
        let mut state = gate.state();
        let place = (lane, state.next);
        state.next += 1;
        state.line.insert(place);
        drop(state);
        Self { gate, place }
    }

    fn ask(&self, now: Timestamp) -> Leave {
        let mut state = self.gate.state();
        if state.line.first() != Some(&self.place) {
            return Leave::Wait(None);
        }
        if let Some(spendings) = &mut state.spendings {
            let others = spendings.of_others(now);
            state.budget.recall(others);
        }
        let leave = state.budget.may_go(self.place.0, now);
        if leave == Leave::Go {
            state.budget.sent();
            if let Some(spendings) = &mut state.spendings {
                spendings.went(now);
            }
            self.gate.meter.show_in_flight(state.budget.flying());
            self.gate.meter.show_waiting(None);
        }
        leave
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate.state().line.remove(&self.place);
        self.gate.changed.notify_waiters();
    }
}

/// A request that has gone. Dropped without an answer, it counts as spent.
pub(super) struct Pass {
    gate: Arc<Gate>,
    sent: Timestamp,
    ended: bool,
}

impl Pass {
    /// Takes note of what the answer tells of the rate limit.
    pub(super) fn answered(mut self, status: StatusCode, headers: &HeaderMap) {
        let word = Word::read(headers, self.gate.clock.now());
        if status == StatusCode::TOO_MANY_REQUESTS {
            tracing::warn!(?word.retry_after, "turned away by the rate limit: everything waits");
            self.gate.meter.count_throttled();
        }
        if let Some(least) = word.standings.iter().map(|standing| standing.remaining).min() {
            self.gate.meter.show_remaining(least);
        }
        self.end(Some((status, &word)));
    }

    fn end(&mut self, answer: Option<(StatusCode, &Word)>) {
        self.ended = true;
        let mut state = self.gate.state();
        state.budget.ended(self.sent, answer, self.gate.clock.now());
        if let (Some(spendings), Some((_, word))) = (&mut state.spendings, answer) {
            spendings.heard(!word.standings.is_empty());
        }
        self.gate.meter.show_in_flight(state.budget.flying());
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.ended {
            self.end(None);
        }
    }
}
