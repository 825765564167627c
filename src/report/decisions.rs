//! What people decided, and in which words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::Book;
use super::unsettled::decision_in_words;
use super::words::{count, time};
use crate::journal::{Event, FailureDecision, NoteKind, RunOutcome, SkipCause};

/// One decision or answer of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What it is about: a step, or the whole incident.
    pub about: String,
    /// The decision, with its reason.
    pub decision: String,
    /// Number of the entry.
    pub entry: u64,
}

pub(super) fn decisions(book: &Book<'_>) -> Vec<DecisionRow> {
    let mut rows = Vec::new();
    for entry in book.source.entries {
        let decided: Vec<String> = match &entry.event {
            Event::StepSkipped { reason, cause: SkipCause::Person, .. } => vec![format!("skip the step: {reason}")],
            Event::Seconded { effects, alone: None } => {
                vec![format!("agree, as the second person, to {}", count(effects.len(), "change"))]
            }
            Event::Seconded { alone: Some(reason), .. } => {
                vec![format!("go on without the second person that the step asks for: {reason}")]
            }
            Event::EffectDecided { effect, decision, words } => {
                let label = book.effects().find(|numbered| {
                    numbered.state.effect.key == *effect && Some(&numbered.run.opened.run) == entry.run.as_ref()
                });
                let label = label.map_or_else(|| format!("effect {effect}"), |numbered| numbered.label());
                vec![format!("{label}: {}", decision_in_words(*decision, Some(words)))]
            }
            // What the runbook says is nobody's decision; it stands in the timeline.
            Event::FailureDecided { words, .. } if words == FailureDecision::BY_RUNBOOK => Vec::new(),
            Event::FailureDecided { decision, words } => vec![match decision {
                FailureDecision::Retry => format!("begin the step again: {words}"),
                FailureDecision::Continue => format!("go on without the step: {words}"),
                FailureDecision::Jump(to) => format!("go on at {to}: {words}"),
            }],
            Event::Answered { fields } => {
                fields.iter().map(|(name, value)| asked(&question(book, entry, name), &answer(value))).collect()
            }
            Event::Noted { text, kind: NoteKind::Decision } => vec![text.clone()],
            Event::CredentialSwitched { credential, proof, .. } => {
                let id = credential.id.as_deref().unwrap_or_default();
                vec![format!("go on with {} {id}, which the run made itself: {proof}", credential.kind.as_str())]
            }
            Event::IncidentClosed { accepted } => accepted
                .iter()
                .map(|it| format!("accept that this is left: {}: {}; by {}: {}", it.matter, it.what, it.by, it.reason))
                .collect(),
            Event::RunClosed { outcome: RunOutcome::Aborted, reason } => vec![format!("end the run early: {reason}")],
            Event::PlanApproved(approved) => {
                vec![format!(
                    "approve plan {} of {}: {} consented to beforehand",
                    approved.file.short(),
                    time(approved.made_at),
                    count(approved.covered(), "change")
                )]
            }
            Event::DriverTaken { up_to: Some(danger), .. } => {
                vec![format!("let the run go on by itself up to {danger}")]
            }
            _ => Vec::new(),
        };
        rows.extend(decided.into_iter().map(|decision| DecisionRow {
            at: time(entry.at),
            by: book.writer(entry),
            about: book.about(entry),
            decision,
            entry: entry.seq,
        }));
    }
    rows
}

/// The question as it was put; its field's name where the proposal is not at hand.
fn question(book: &Book<'_>, entry: &crate::journal::Entry, name: &str) -> String {
    let run = entry.run.as_ref().and_then(|run| book.source.state.run(run));
    let step = run.zip(entry.path.as_ref()).and_then(|(run, path)| run.step(path));
    let ask = step.and_then(|step| step.proposed.as_ref()).and_then(|proposed| proposed.ask.as_ref());
    let asked = ask.and_then(|ask| ask.questions.iter().find(|question| question.name == name));
    asked.map_or_else(|| name.to_owned(), |question| question.prompt.clone())
}

fn asked(question: &str, answer: &str) -> String {
    let colon = if question.ends_with(['?', ':']) { "" } else { ":" };
    format!("{question}{colon} {answer}")
}

fn answer(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "no answer".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => "no answer".to_owned(),
        other => other.to_string(),
    }
}
