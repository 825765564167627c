use std::sync::{Arc, Mutex, PoisonError};

use super::{Style, Symbol, Tone, count};
use crate::journal::{EffectState, EffectStatus, IncidentState, RunState, StepStatus};

/// What is left of a run and in which state, as the journal told it last. Kept by [`super::Watch`], shown by prompts
/// before a run is ended early.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<Vec<Left>>>);

#[derive(Debug)]
struct Left {
    id: String,
    state: String,
    effects: Vec<(&'static str, String)>,
}

impl Standing {
    /// Takes over what the journal tells.
    pub(super) fn update(&self, state: &IncidentState) {
        let left = state.latest_run().map(left).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// Every step that has not ended, and every effect that is in doubt, refused or left undone, one line each.
    pub fn text(&self, style: &Style) -> String {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_empty() {
            return "nothing is left to do\n".to_owned();
        }
        let mut out = String::new();
        for step in left.iter() {
            out.push_str(&super::line::ended_line(Symbol::Skipped, Tone::Faint, &step.id, &step.state, style));
            out.push('\n');
            for (word, summary) in &step.effects {
                out.push_str(&super::line::labelled(word, Tone::Care, summary, style));
                out.push('\n');
            }
        }
        out
    }
}

fn left(run: &RunState) -> Vec<Left> {
    let steps = run.plan.iter().flat_map(|plan| &plan.steps);
    let mut out = Vec::new();
    for planned in steps {
        let step = run.step(&planned.path);
        let status = step.map_or(&StepStatus::Pending, |step| &step.status);
        let effects = step.map_or(&[][..], |step| &step.effects);
        let shown: Vec<_> =
            effects.iter().filter_map(|state| Some((unfinished(state)?, state.effect.summary.clone()))).collect();
        if status.is_final() && shown.is_empty() {
            continue;
        }
        let done = effects.iter().filter(|state| state.is_applied()).count();
        let state = match status {
            StepStatus::Pending => format!("not begun: {}", planned.title),
            _ if done > 0 => format!("{}; {} of {} done", status.as_str(), done, count(effects.len(), "change")),
            _ => status.as_str().to_owned(),
        };
        out.push(Left { id: planned.path.as_str().to_owned(), state, effects: shown });
    }
    out
}

/// The word for an effect that somebody may still have to see to.
fn unfinished(state: &EffectState) -> Option<&'static str> {
    Some(match state.status {
        EffectStatus::Proposed => "not sent",
        EffectStatus::Consented(_) => "not sent",
        EffectStatus::Open | EffectStatus::Unknown => "in doubt",
        EffectStatus::Refused => "refused",
        EffectStatus::Applied => "unproven",
        EffectStatus::VerifyFailed => "not seen",
        EffectStatus::Finished | EffectStatus::Left(_) | EffectStatus::Abandoned => return None,
    })
}
