//! What is in doubt or unverified, and what people decided about it.

use serde::{Deserialize, Serialize};

use super::actions::attempts_in_words;
use super::book::{Book, Fate, Numbered};
use crate::journal::{EffectDecision, StepStatus};

/// Something whose state is not known for sure, or that was not carried through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsettledRow {
    /// Its step.
    pub step: String,
    /// The effect, `E4`; `None` where it is about the step as a whole.
    pub effect: Option<String>,
    /// `in doubt`, `on somebody's word`, `done, not verified` or `not carried through`.
    pub kind: String,
    /// What it was to do.
    pub what: String,
    /// What is not settled.
    pub standing: String,
    /// The attempt that it hangs on.
    pub attempt: Option<String>,
    /// How people decided, with their words.
    pub decided: Vec<String>,
}

pub(super) fn unsettled(book: &Book<'_>) -> Vec<UnsettledRow> {
    let steps = book.steps().filter_map(|(run, planned, step)| match step.map(|step| &step.status) {
        Some(StepStatus::Failed { error, .. }) => Some(UnsettledRow {
            step: book.step_name(run, &planned.path),
            kind: Fate::NotCarriedThrough.as_str().to_owned(),
            what: planned.title.clone(),
            standing: format!("the step failed: {error}"),
            ..UnsettledRow::default()
        }),
        _ => None,
    });
    let is_settled = |effect: &Numbered<'_>| matches!(effect.fate(), Fate::Proven | Fate::AlreadySo | Fate::Left);
    book.effects().filter(|effect| !is_settled(effect)).map(|effect| row(book, &effect)).chain(steps).collect()
}

fn row(book: &Book<'_>, effect: &Numbered<'_>) -> UnsettledRow {
    let trail = book.trail(effect);
    let decided = trail.map(|trail| trail.decisions.as_slice()).unwrap_or_default();
    UnsettledRow {
        step: book.step_name(effect.run, &effect.planned.path),
        effect: Some(effect.label()),
        kind: effect.fate().as_str().to_owned(),
        what: effect.state.effect.summary.clone(),
        standing: effect.standing(),
        attempt: attempts_in_words(effect, trail).pop(),
        decided: decided
            .iter()
            .map(|(decision, act)| {
                format!("{}: {} (#{})", act.by, decision_in_words(*decision, act.words.as_deref()), act.seq)
            })
            .collect(),
    }
}

/// `try again: the network was down`.
pub(super) fn decision_in_words(decision: EffectDecision, words: Option<&str>) -> String {
    let verb = match decision {
        EffectDecision::Retry => "try again",
        EffectDecision::Applied => "take it as applied",
        EffectDecision::Abandon => "give it up",
    };
    match words.filter(|words| !words.is_empty()) {
        Some(words) => format!("{verb}: {words}"),
        None => verb.to_owned(),
    }
}
