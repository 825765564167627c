use std::collections::BTreeMap;

use super::runbook;
use crate::cli::errors::CliError;
use crate::cli::shelves::GENERATED;
use crate::journal::{EffectState, IncidentState, RunState};
use crate::model::{Call, Effect, Outcome, StepPath, UndoCall};
use crate::runbook::RUNBOOK;

/// An effect of the incident, and whether it can be undone.
pub(super) struct Candidate<'a> {
    /// Its run.
    run: &'a RunState,
    /// Its step.
    path: &'a StepPath,
    /// Whether the step is one of a runbook that a step calls.
    is_called: bool,
    /// The effect.
    pub(super) state: &'a EffectState,
    /// Id of the step that would undo it.
    pub(super) step: String,
    /// Whether it can be undone.
    pub(super) standing: Standing<'a>,
}

/// Whether an effect can be undone.
pub(super) enum Standing<'a> {
    /// It can, by this action.
    Able(&'a UndoCall),
    /// A run did it already: which step, and the proof.
    Undone(String),
    /// It cannot, and why.
    Unable(String),
}

const NO_WAY: &str = "no action puts it back";

/// A step's id may be 64 characters long; `undo-` and a number are to fit in.
const LONGEST: usize = 52;

/// The effects of all runs, newest first: those that may have reached the provider, or those that `only` names.
pub(super) fn candidates<'a>(state: &'a IncidentState, only: Option<&str>) -> Result<Vec<Candidate<'a>>, CliError> {
    let mut all = Vec::new();
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    // An undo is not undone: the effect that it put back can be done again.
    let is_undo = |run: &RunState| run.opened.source == GENERATED && run.opened.runbook == runbook::NAME;
    for run in state.runs.iter().filter(|run| !is_undo(run)) {
        for planned in run.plan.iter().flat_map(|plan| &plan.steps) {
            for effect in run.step(&planned.path).iter().flat_map(|step| &step.effects) {
                let id: String = planned.path.id().chars().take(LONGEST).collect();
                let id = id.trim_end_matches('-');
                let number = numbers.entry(id.to_owned()).or_default();
                *number += 1;
                all.push(Candidate {
                    run,
                    path: &planned.path,
                    is_called: run.ancestors(planned).any(|outer| outer.action == RUNBOOK),
                    state: effect,
                    step: format!("undo-{id}-{number}"),
                    standing: standing(state, run, effect),
                });
            }
        }
    }
    all.reverse();
    let Some(only) = only else {
        all.retain(|row| !row.state.attempts.is_empty());
        return Ok(all);
    };
    all.retain(|row| row.is_named(only));
    if all.is_empty() {
        return Err(CliError::usage(format!("no step and no effect of the incident is called `{only}`"))
            .hint("a step by its id, an effect by its key; `quell undo --dry-run` lists what can be undone"));
    }
    Ok(all)
}

fn standing<'a>(all: &'a IncidentState, run: &RunState, state: &'a EffectState) -> Standing<'a> {
    let effect = &state.effect;
    if let Some(undone) = all.undone_by(&run.opened.run, effect) {
        return Standing::Undone(format!("{}:{}: {}", undone.run.opened.run, undone.path, undone.proof));
    }
    Standing::Unable(if state.is_in_doubt() && run.closed.is_none() {
        "it is in doubt: settle it first with `quell resume`".to_owned()
    } else if !state.was_sent() {
        "it never took place".to_owned()
    } else if let Some(Outcome::Refused(why)) = state.outcome() {
        format!("it never took place: {why}")
    } else if !state.is_applied() {
        "it is in doubt whether it took place, and its run goes no further: look in the dashboard".to_owned()
    } else if matches!(effect.call, Call::Hand(_)) {
        "it was done by hand, and is put back by hand".to_owned()
    } else if let Some(undo) = &effect.undo {
        match deleted_by(all, effect) {
            Some(by) => format!("the {} was deleted at {by}, and cannot be brought back", effect.target.kind),
            None => return Standing::Able(undo),
        }
    } else {
        let known = effect.radius.put_back.as_ref();
        known.map_or_else(|| NO_WAY.to_owned(), |known| format!("{NO_WAY}: {known}"))
    })
}

/// Where another effect deleted the target of `effect`.
fn deleted_by(all: &IncidentState, effect: &Effect) -> Option<String> {
    let steps = all.runs.iter().flat_map(|run| run.steps.iter().map(move |(path, step)| (run, path, step)));
    let deletes = |state: &EffectState| {
        state.is_applied() && state.effect.after.is_null() && state.effect.target.id == effect.target.id
    };
    steps
        .filter(|(_, _, step)| step.effects.iter().any(deletes))
        .map(|(run, path, _)| format!("{}:{path}", run.opened.run))
        .next()
}

impl Candidate<'_> {
    /// `r1:cut`.
    pub(super) fn origin(&self) -> String {
        format!("{}:{}", self.run.opened.run, self.path)
    }

    /// Whether it can be undone, in words.
    pub(super) fn why(&self) -> String {
        match &self.standing {
            Standing::Able(undo) => format!("can be undone by `{}`", undo.action),
            Standing::Undone(by) => format!("undone already by {by}"),
            Standing::Unable(why) => why.clone(),
        }
    }

    /// What it was, and whether it can be undone.
    pub(super) fn in_words(&self) -> String {
        format!("{} ({}, {}): {}", self.state.effect.summary, self.origin(), self.state.effect.key, self.why())
    }

    /// A plain id names a step of the run's own runbook, not of one that it calls.
    fn is_named(&self, name: &str) -> bool {
        self.path.as_str() == name
            || self.path.address() == name
            || (self.path.id() == name && !self.is_called)
            || self.origin() == name
            || (name.len() >= 4 && self.state.effect.key.as_str().starts_with(name))
    }
}
