//! Durations between marks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::marks::Instants;
use super::words::{UNKNOWN, between, duration};
use crate::journal::{Event, SkipCause};
use crate::model::{RunId, StepPath};

/// A measured quantity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value: `4 m 12 s`, a count, or `unknown`.
    pub value: String,
    /// Between which marks it is measured, or what it counts.
    pub definition: String,
    /// Why it is unknown.
    pub note: Option<String>,
}

pub(super) fn metrics(book: &Book<'_>, instants: &Instants) -> Vec<Metric> {
    let contained = ("contained", instants.contained.as_ref().ok().copied());
    let (first_act, exposed) = (("first_hostile_act", instants.first_act), ("exposed_since", instants.exposed));
    let (detected, opened) = (("detected_at", instants.detected), ("opened", instants.opened));
    let first_evidence = ("first_evidence", instants.first_evidence);
    let span = |name: &str, (first, from): (&str, Option<Timestamp>), (second, to): (&str, Option<Timestamp>)| {
        let (value, note) = match (from, to) {
            (Some(from), Some(to)) => match between(from, to) {
                Some(value) => (value, None),
                None => (UNKNOWN.to_owned(), Some(format!("{second} lies before {first}"))),
            },
            (None, _) => (UNKNOWN.to_owned(), Some(format!("{first} is missing"))),
            (_, None) => (UNKNOWN.to_owned(), Some(format!("{second} is missing"))),
        };
        Metric { name: name.to_owned(), value, definition: format!("{first} → {second}"), note }
    };
    let counted = |name: &str, definition: &str, value: String| Metric {
        name: name.to_owned(),
        value,
        definition: definition.to_owned(),
        note: None,
    };
    let waits = Waits::of(book);
    let intents = book.source.entries.iter().filter(|entry| matches!(entry.event, Event::Intended { .. })).count();
    let targets = book.source.state.runs.iter().rev().find_map(|run| run.opened.target_seconds);
    vec![
        span("Dwell", first_act, contained),
        span("Exposure", exposed, contained),
        span("Time to detect", first_act, detected),
        span("Time to act", detected, opened),
        span("Time to first evidence", opened, first_evidence),
        span("Time to contain", opened, contained),
        counted(
            "Time to contain, target",
            "as the runbook sets it",
            targets.map_or_else(|| UNKNOWN.to_owned(), duration),
        ),
        counted("Time waiting for people", "every question put → answered, pauses left out", duration(waits.asked)),
        counted("Time paused", "paused → resumed", duration(waits.paused)),
        counted("Requests that change something", "intents in the journal", intents.to_string()),
    ]
}

/// Seconds that passed without quell doing anything.
#[derive(Debug, Default)]
struct Waits {
    asked: i64,
    paused: i64,
    open: BTreeMap<(RunId, StepPath), Timestamp>,
    paused_since: BTreeMap<RunId, (Timestamp, Vec<StepPath>)>,
}

impl Waits {
    fn of(book: &Book<'_>) -> Self {
        let mut waits = Self::default();
        for entry in book.source.entries {
            let Some(run) = &entry.run else { continue };
            waits.pass(entry.at, run, entry.path.as_ref(), &entry.event);
        }
        waits
    }

    fn pass(&mut self, at: Timestamp, run: &RunId, path: Option<&StepPath>, event: &Event) {
        match (event, path) {
            (Event::Proposed(proposed), Some(path)) if !proposed.effects.is_empty() || proposed.ask.is_some() => {
                self.open.entry((run.clone(), path.clone())).or_insert(at);
            }
            (
                Event::Consented { .. }
                | Event::Answered { .. }
                | Event::RowsLeft { .. }
                | Event::StepSkipped { cause: SkipCause::Person, .. },
                Some(path),
            ) => {
                if let Some(since) = self.open.remove(&(run.clone(), path.clone())) {
                    self.asked += seconds(since, at);
                }
            }
            (Event::Paused { .. }, _) => {
                let asked: Vec<StepPath> =
                    self.open.keys().filter(|(of, _)| of == run).map(|(_, path)| path.clone()).collect();
                for path in &asked {
                    if let Some(since) = self.open.remove(&(run.clone(), path.clone())) {
                        self.asked += seconds(since, at);
                    }
                }
                self.paused_since.insert(run.clone(), (at, asked));
            }
            (Event::RunResumed { .. }, _) => {
                if let Some((since, asked)) = self.paused_since.remove(run) {
                    self.paused += seconds(since, at);
                    self.open.extend(asked.into_iter().map(|path| ((run.clone(), path), at)));
                }
            }
            _ => {}
        }
    }
}

/// Whole seconds, none where the clock was set back in between.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}
