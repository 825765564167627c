//! What was done: steps, skips, effects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::book::{Book, Fate, Numbered, is_unended};
use super::trail::{Act, Attested, Trail};
use super::words::{between, not_needed, time};
use crate::journal::{
    Attempt, Basis, Entry, Event, PlannedStep, Proposed, RunState, SettledBy, SkipCause, StepState, StepStatus,
};
use crate::model::{Call, Danger, Outcome, RunId, StepPath, Verdict};

/// One step of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRow {
    /// Its address.
    pub step: String,
    /// Its phase.
    pub phase: String,
    /// Its title.
    pub title: String,
    /// `done`, `left` (it has ended, and something of it is for later), `skipped`, `failed`, `not ended` or `not reached`.
    pub status: String,
    /// Its summary, its error, or the reason of the skip.
    pub result: String,
    /// Who did the last thing to it.
    pub operator: Option<String>,
    /// When it began.
    pub began: Option<String>,
    /// How long it took.
    pub took: Option<String>,
}

/// One step that was not done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkipRow {
    /// Its address.
    pub step: String,
    /// Its title.
    pub title: String,
    /// `a person`, `its condition`, `a jump after a failure`, or `not reached`.
    pub cause: String,
    /// Who, where a person decided it.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

/// A goal of a step that was met before quell did anything for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlreadyRow {
    /// The step.
    pub step: String,
    /// What it is about, by name.
    pub name: String,
    /// How that was seen.
    pub proof: String,
    /// When.
    pub at: String,
    /// Number of the entry.
    pub entry: u64,
}

/// One change to the outside world, proposed or made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRow {
    /// What the report calls it: `E4`.
    pub label: String,
    /// Its step.
    pub step: String,
    /// What it does, in the imperative.
    pub summary: String,
    /// How much harm it would do if it were wrong; `not rated` for work by hand that quell cannot judge.
    pub danger: String,
    /// Which zones it reaches, or what else; `not seen` where no read showed it.
    pub reach: String,
    /// Who is cut off by it; `not seen` where no read showed it.
    pub cut_off: String,
    /// How it is put back, or that it cannot be.
    pub reversal: String,
    /// True where a person does it elsewhere.
    pub by_hand: bool,
    /// The consents, oldest first.
    pub consents: Vec<ConsentRow>,
    /// Who says that work by hand was done.
    pub attested: Option<AttestedRow>,
    /// The attempts with their outcomes, oldest first: `1: unknown (connection lost)`.
    pub attempts: Vec<String>,
    /// What became of it: `done and proven`, `already so`, `in doubt`, `on somebody's word`, `done, not verified`,
    /// `not carried through` or `left`.
    pub fate: String,
    /// Where it stands, in words.
    pub standing: String,
    /// What the latest read showed: `holds`, `does_not_hold` or `cannot_tell`.
    pub verdict: Option<String>,
    /// The proof in words.
    pub proof: Option<String>,
    /// From the first attempt to the last word on it.
    pub took: Option<String>,
    /// Digests of what was read to check it.
    pub evidence: Vec<String>,
    /// Kind of the target.
    pub kind: String,
    /// Name of the target.
    pub name: String,
    /// The provider's id of the target.
    pub id: String,
    /// The journal's key of the effect.
    pub key: String,
}

/// One consent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRow {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// The phrase that was given, where one was asked for.
    pub phrase: Option<String>,
    /// The file with prepared answers that gave it; `None` where a person typed.
    pub by_file: Option<String>,
    /// What it rests on, where nobody was asked for it: an approved plan, or an order.
    pub beforehand: Option<String>,
    /// Number of the entry.
    pub entry: u64,
}

/// A person's word that work by hand was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestedRow {
    /// Who says so.
    pub by: String,
    /// Who wrote it down.
    pub written_by: String,
    /// The file with prepared answers that gave it; `None` where a person typed.
    pub by_file: Option<String>,
    /// When it was written down.
    pub at: String,
    /// In the person's words.
    pub note: Option<String>,
    /// Digest of a file that shows it.
    pub proof: Option<String>,
    /// Number of the entry.
    pub entry: u64,
}

pub(super) fn steps(book: &Book<'_>) -> Vec<StepRow> {
    let row = |(run, planned, step): (&RunState, &PlannedStep, Option<&StepState>)| {
        let (status, result) = match step.map(|step| &step.status) {
            None | Some(StepStatus::Pending) => ("not reached", String::new()),
            Some(StepStatus::Done { summary, .. }) => (run.word(&planned.path), summary.clone()),
            Some(StepStatus::Skipped { reason, cause: SkipCause::When, .. }) => ("skipped", not_needed(reason)),
            Some(StepStatus::Skipped { reason, .. }) => ("skipped", reason.clone()),
            Some(StepStatus::Failed { error, .. }) => ("failed", error.clone()),
            Some(StepStatus::Began | StepStatus::Proposed) => ("not ended", String::new()),
        };
        StepRow {
            step: book.step_name(run, &planned.path),
            phase: planned.phase.to_string(),
            title: planned.title.clone(),
            status: status.to_owned(),
            result,
            operator: step.map(|step| step.by.clone()).filter(|by| !by.is_empty()),
            began: step.and_then(|step| step.began).map(time),
            took: step.and_then(|step| step.began.zip(step.ended)).and_then(|(began, ended)| between(began, ended)),
        }
    };
    book.steps().map(row).collect()
}

pub(super) fn skips(book: &Book<'_>) -> Vec<SkipRow> {
    let mut rows = Vec::new();
    for (run, planned, step) in book.steps() {
        let by = step.map(|step| step.by.clone());
        let (cause, by, reason) = match step.map(|step| &step.status) {
            Some(StepStatus::Skipped { reason, cause, .. }) => match cause {
                SkipCause::Person => ("a person", by, reason.clone()),
                SkipCause::When => ("its condition", None, not_needed(reason)),
                SkipCause::Jump => ("a jump after a failure", None, reason.clone()),
            },
            _ if is_unended(step) && run.closed.is_some() => {
                ("not reached", None, "the run was ended before it".to_owned())
            }
            _ => continue,
        };
        rows.push(SkipRow {
            step: book.step_name(run, &planned.path),
            title: planned.title.clone(),
            cause: cause.to_owned(),
            by,
            reason,
        });
    }
    rows
}

/// By the latest look at each step: what was so then.
pub(super) fn already(book: &Book<'_>) -> Vec<AlreadyRow> {
    let mut latest: BTreeMap<(&RunId, &StepPath), (&Entry, &Proposed)> = BTreeMap::new();
    for entry in book.source.entries {
        if let (Some(run), Some(path), Event::Proposed(proposed)) = (&entry.run, &entry.path, &entry.event) {
            latest.insert((run, path), (entry, proposed));
        }
    }
    let mut looked: Vec<_> = latest.into_iter().collect();
    looked.sort_by_key(|(_, (entry, _))| entry.seq);
    let rows = looked.into_iter().flat_map(|((run, path), (entry, proposed))| {
        let step = book.source.state.run(run).map_or_else(|| path.to_string(), |run| book.step_name(run, path));
        proposed.already.iter().map(move |(name, proof)| AlreadyRow {
            step: step.clone(),
            name: name.clone(),
            proof: proof.clone(),
            at: time(entry.at),
            entry: entry.seq,
        })
    });
    rows.collect()
}

pub(super) fn effects(book: &Book<'_>) -> Vec<EffectRow> {
    let mut rows: Vec<EffectRow> = book.effects().map(|effect| effect_row(book, &effect)).collect();
    for at in 0..rows.len() {
        let row = &rows[at];
        let again = rows[at + 1..].iter().find(|later| later.summary == row.summary && later.id == row.id);
        if let (Some(again), true) = (again, row.fate == Fate::Left.as_str()) {
            rows[at].standing = format!("{}; offered again as {}", row.standing, again.label);
        }
    }
    rows
}

fn effect_row(book: &Book<'_>, effect: &Numbered<'_>) -> EffectRow {
    let trail = book.trail(effect);
    let what = &effect.state.effect;
    let by_hand = matches!(what.call, Call::Hand(_));
    let took = |trail: &Trail| trail.first.zip(trail.last).and_then(|(first, (last, _))| between(first, last));
    EffectRow {
        label: effect.label(),
        step: book.step_name(effect.run, &effect.planned.path),
        summary: what.summary.clone(),
        danger: match what.danger {
            Danger::Observe if by_hand => "not rated".to_owned(),
            danger => danger.to_string(),
        },
        reach: what.radius.reach().to_owned(),
        cut_off: what.radius.cut_off().to_owned(),
        reversal: what.reversal(),
        by_hand,
        consents: trail.map(|trail| consents(book, trail)).unwrap_or_default(),
        attested: trail.and_then(|trail| trail.attested.as_ref()).map(|attested| attested_row(book, attested)),
        attempts: attempts_in_words(effect, trail),
        fate: effect.fate().as_str().to_owned(),
        standing: book.standing(effect),
        verdict: effect.state.verdict.as_ref().map(|verdict| verdict.as_str().to_owned()),
        proof: effect.state.verdict.as_ref().map(Verdict::detail).map(str::to_owned),
        took: trail.and_then(took),
        evidence: trail.map(|trail| trail.evidence.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        kind: what.target.kind.clone(),
        name: what.target.name.clone(),
        id: what.target.id.clone(),
        key: what.key.to_string(),
    }
}

fn consents(book: &Book<'_>, trail: &Trail) -> Vec<ConsentRow> {
    let row = |(basis, act): &(Basis, Act)| ConsentRow {
        by: act.by.clone(),
        at: time(act.at),
        phrase: act.words.clone(),
        by_file: book.trails.file(act.seq),
        beforehand: beforehand(*basis),
        entry: act.seq,
    };
    trail.consents.iter().map(row).collect()
}

/// What a consent rests on for which nobody was asked.
pub(super) fn beforehand(basis: Basis) -> Option<String> {
    match basis {
        Basis::Typed => None,
        Basis::Plan => Some("as the approved plan forecast".to_owned()),
        Basis::UpTo(danger) => Some(format!("by the order to go on by itself up to {danger}")),
    }
}

fn attested_row(book: &Book<'_>, (attested, act): &(Attested, Act)) -> AttestedRow {
    AttestedRow {
        by: attested.by.clone(),
        written_by: act.by.clone(),
        by_file: book.trails.file(act.seq),
        at: time(act.at),
        note: attested.note.clone(),
        proof: attested.proof.as_ref().map(ToString::to_string),
        entry: act.seq,
    }
}

/// `2: applied (in doubt: connection lost; settled by a read)`, each attempt in order.
pub(super) fn attempts_in_words(effect: &Numbered<'_>, trail: Option<&Trail>) -> Vec<String> {
    let by_hand = matches!(effect.state.effect.call, Call::Hand(_));
    let doubt = |number| trail.and_then(|trail| trail.doubts.get(&number));
    let attempts = (1..).zip(&effect.state.attempts);
    attempts
        .map(|(number, attempt)| format!("{number}: {}", attempt_in_words(attempt, doubt(number), by_hand)))
        .collect()
}

fn attempt_in_words(attempt: &Attempt, doubt: Option<&String>, by_hand: bool) -> String {
    let Some(outcome) = &attempt.outcome else { return "no outcome is recorded".to_owned() };
    let word = match outcome {
        Outcome::NotSent(_) => "not sent",
        other => other.as_str(),
    };
    let how = match attempt.by {
        Some(SettledBy::Vault) => Some("by the sealed answer"),
        Some(SettledBy::Probe) => Some("settled by a read"),
        Some(SettledBy::Person) if by_hand => Some("done by hand"),
        Some(SettledBy::Person) => Some("on a person's word"),
        Some(SettledBy::Answer) | None => None,
    };
    let doubt = doubt.filter(|_| *outcome == Outcome::Applied).map(|why| format!("in doubt: {why}"));
    let notes = [doubt.as_deref(), outcome.why(), how];
    let notes: Vec<&str> = notes.into_iter().flatten().filter(|note| !note.is_empty()).collect();
    if notes.is_empty() { word.to_owned() } else { format!("{word} ({})", notes.join("; ")) }
}
