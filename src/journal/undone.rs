use super::effect_state::{EffectState, EffectStatus};
use super::state::{IncidentState, RunState};
use crate::model::{Effect, RunId, StepPath, Verdict};

/// The effect that undid another one.
#[derive(Debug, Clone, Copy)]
pub struct Undone<'a> {
    /// Its run.
    pub run: &'a RunState,
    /// Its step.
    pub path: &'a StepPath,
    /// The effect, seen to hold.
    pub state: &'a EffectState,
    /// The proof in words.
    pub proof: &'a str,
}

impl IncidentState {
    /// What undid `effect` of the run `run`: in a later run, by the action that the effect names as its undo, on the same
    /// target, to the same before-image, and seen to hold.
    pub fn undone_by(&self, run: &RunId, effect: &Effect) -> Option<Undone<'_>> {
        let undo = effect.undo.as_ref()?;
        let later = self.runs.iter().skip_while(|other| other.opened.run != *run).skip(1);
        let all = later.flat_map(|run| {
            run.steps.iter().flat_map(move |(path, step)| step.effects.iter().map(move |state| (run, path, state)))
        });
        all.filter_map(|(run, path, state)| match (&state.status, &state.verdict) {
            (EffectStatus::Finished, Some(Verdict::Holds(proof))) => Some(Undone { run, path, state, proof }),
            _ => None,
        })
        .find(|undone| {
            let by = &undone.state.effect;
            by.action == undo.action && by.target.id == effect.target.id && by.after == effect.before
        })
    }
}
