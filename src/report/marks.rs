//! The instants that metrics are measured between, and who said so.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::{Book, Numbered, is_unended};
use super::timeline;
use super::words::{UNKNOWN, count, time};
use crate::journal::{EffectStatus, Event, RunOpened, StepStatus};
use crate::model::{Disposition, Phase, Role};
use crate::runbook::INPUTS_OF_THE_REPORT;

/// A fact about the start of the incident, as people put it in, or an instant that was derived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What it is, e.g. `detected_at`.
    pub name: String,
    /// Its value; `unknown` where it is missing.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

/// The instants; each `None` where it is missing.
#[derive(Debug)]
pub(super) struct Instants {
    pub(super) opened: Option<Timestamp>,
    pub(super) detected: Option<Timestamp>,
    pub(super) exposed: Option<Timestamp>,
    pub(super) first_act: Option<Timestamp>,
    pub(super) first_evidence: Option<Timestamp>,
    /// When the last proof of containment was read; else why there is no such instant.
    pub(super) contained: Result<Timestamp, String>,
}

pub(super) fn instants(book: &Book<'_>) -> Instants {
    let parsed = |name| input(book, name).and_then(|text| text.parse::<Timestamp>().ok());
    Instants {
        opened: book.source.state.opened,
        detected: opened(book, |run| run.detected_at).or_else(|| parsed("detected_at")),
        exposed: parsed("exposed_since"),
        first_act: timeline::first_hostile_act(book),
        first_evidence: book.first(|event| matches!(event, Event::EvidenceTaken { .. })).map(|entry| entry.at),
        contained: contained(book),
    }
}

pub(super) fn marks(book: &Book<'_>, instants: &Instants) -> Vec<Mark> {
    let mark = |name: &str, value: Option<String>, source: &str| Mark {
        name: name.to_owned(),
        value: value.unwrap_or_else(|| UNKNOWN.to_owned()),
        source: source.to_owned(),
    };
    let mut marks: Vec<Mark> = INPUTS_OF_THE_REPORT
        .iter()
        .map(|name| {
            let text = input(book, name);
            let at = text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
            match at.map(time).or(text).ok_or_else(|| said_at_the_start(book, name)) {
                Err(Some(said)) => mark(name, Some(said), "said when the run began"),
                asked => mark(name, asked.ok(), "input of the runbook"),
            }
        })
        .collect();
    marks.push(mark(
        "first_hostile_act",
        instants.first_act.map(time),
        "earliest act in the records that is attributed to the intruder",
    ));
    marks.push(mark("opened", instants.opened.map(time), "journal"));
    marks.push(mark("first_evidence", instants.first_evidence.map(time), "journal"));
    let contained = match &instants.contained {
        Ok(at) => time(*at),
        Err(why) => format!("{UNKNOWN}: {why}"),
    };
    marks.push(mark("contained", Some(contained), "last proof in phase `contain`"));
    marks
}

/// What the newest run that says it was opened with.
fn opened<T>(book: &Book<'_>, said: impl Fn(&RunOpened) -> Option<T>) -> Option<T> {
    book.source.state.runs.iter().rev().find_map(|run| said(&run.opened))
}

fn said_at_the_start(book: &Book<'_>, name: &str) -> Option<String> {
    match name {
        "detected_at" => opened(book, |run| run.detected_at).map(time),
        name => opened(book, |run| run.roles.get(&Role::named(name)?).cloned()),
    }
}

/// The newest run's word on an input. `null`, an empty text and "not known" all mean that it is missing.
fn input(book: &Book<'_>, name: &str) -> Option<String> {
    let given = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) if matches!(text.trim().to_lowercase().as_str(), "" | "not known" | "unknown") => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let plans = book.source.state.runs.iter().rev().filter_map(|run| run.plan.as_ref());
    plans.filter_map(|plan| plan.inputs.get(name)).find_map(given)
}

/// Containment has an instant only where all that it hangs on is proven: one open change and the intruder may still
/// be inside.
fn contained(book: &Book<'_>) -> Result<Timestamp, String> {
    let contains = |planned: &crate::journal::PlannedStep| planned.phase == Phase::Contain;
    let unended = book.steps().filter(|(_, planned, step)| {
        contains(planned)
            && (is_unended(*step) || step.is_some_and(|step| matches!(step.status, StepStatus::Failed { .. })))
    });
    let unended = unended.count();
    if unended > 0 {
        return Err(unended_in_words(unended));
    }
    // What was merely offered, and left with its whole step, is decided about like a row that was not chosen.
    let settled = |effect: &Numbered<'_>| {
        matches!(effect.state.status, EffectStatus::Left(Disposition::Keep { .. }))
            || (!effect.state.effect.preselected && effect.skipped().is_some())
    };
    let effects: Vec<_> = book.effects().filter(|effect| contains(effect.planned)).collect();
    let unproven = effects.iter().filter(|effect| !effect.is_proven() && !settled(effect)).count();
    if unproven > 0 {
        return Err(format!("{unproven} of {} in phase `contain` not proven", count(effects.len(), "change")));
    }
    let undone = effects.iter().filter(|effect| book.undone_by(effect).is_some()).count();
    if undone > 0 {
        return Err(format!("{undone} of {} in phase `contain` undone since", count(effects.len(), "change")));
    }
    let proofs = effects.iter().filter_map(|effect| book.trail(effect).and_then(|trail| trail.proven));
    // What was so already was seen when its step was looked at.
    let seen =
        book.steps().filter(|(_, planned, _)| contains(planned)).filter_map(|(.., step)| step).filter_map(|step| {
            let has_proofs = step.proposed.as_ref().is_some_and(|proposed| !proposed.already.is_empty());
            step.proposed_at.filter(|_| has_proofs).map(|(at, _)| at)
        });
    proofs.chain(seen).max().ok_or_else(|| "no change in phase `contain` was made and proven".to_owned())
}

fn unended_in_words(steps: usize) -> String {
    let were = if steps == 1 { "was" } else { "were" };
    format!("{} of phase `contain` did not end well or {were} not reached", count(steps, "step"))
}

#[cfg(test)]
mod tests {
    use super::unended_in_words;

    #[test]
    fn one_step_was_and_three_steps_were() {
        assert_eq!(unended_in_words(1), "1 step of phase `contain` did not end well or was not reached");
        assert_eq!(unended_in_words(3), "3 steps of phase `contain` did not end well or were not reached");
    }
}
