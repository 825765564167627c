use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::line::{ended_line, labelled};
use super::{Style, Symbol, Timers, Tone, count};
use crate::journal::{self, EffectState, EffectStatus, IncidentState, RunState, StepStatus};

/// What is left of a run and in which state, as the journal told it last. Kept by [`super::Watch`], shown by prompts
/// before a run is ended early.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// Steps that have ended.
    ended: usize,
    /// Changes that were made.
    made: usize,
    /// Steps that have begun and not ended, or ended and left something open.
    left: Vec<Left>,
    /// Steps that have not begun.
    pending: usize,
    /// The clocks of the run.
    timers: Option<Timers>,
    /// Where the incident lies, for what others write down meanwhile.
    dir: Option<PathBuf>,
}

#[derive(Debug)]
struct Left {
    id: String,
    state: String,
    effects: Vec<(&'static str, String)>,
}

impl Standing {
    /// Takes over what the journal tells.
    pub(super) fn update(&self, state: &IncidentState) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = now.dir.take();
        *now = Told {
            timers: state.latest_run().map(|run| Timers::of(run, &state.notes)),
            dir,
            ..state.latest_run().map(told).unwrap_or_default()
        };
    }

    /// Takes over what the journal in `dir` tells so far; where others write into it, [`Standing::timers`] sees it.
    pub(super) fn follow(&self, dir: &Path, state: &IncidentState) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).dir = Some(dir.to_owned());
        self.update(state);
    }

    /// The clocks of the run, where there are any. Before something is called late, the journal is read again: somebody
    /// else may have seen to it from another terminal.
    pub fn timers(&self, now: Timestamp) -> Option<Timers> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.timers.as_ref().and_then(Timers::update_due).is_some_and(|due| due <= now)
            && let Some(found) = told.dir.as_ref().and_then(|dir| journal::inspect(dir).ok())
            && let Some(run) = found.state.latest_run()
        {
            told.timers = Some(Timers::of(run, &found.state.notes));
        }
        told.timers.clone()
    }

    /// What has happened so far, every step that is under way, every effect that is in doubt, refused or unproven; and
    /// last, in one line, how much has not begun.
    pub fn text(&self, style: &Style) -> String {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        if told.ended > 0 {
            let text = format!("{} ended, {} made", count(told.ended, "step"), count(told.made, "change"));
            lines.push(format!("{} {text}", style.paint(Tone::Good, style.symbol(Symbol::Done))));
        }
        for step in &told.left {
            lines.push(ended_line(Symbol::Skipped, Tone::Faint, &step.id, &step.state, style));
            lines.extend(step.effects.iter().map(|(word, summary)| labelled(word, Tone::Care, summary, style)));
        }
        if told.pending > 0 {
            let text = format!("{} not begun", count(told.pending, "step"));
            lines.push(format!("{} {text}", style.paint(Tone::Faint, style.symbol(Symbol::Skipped))));
        } else if told.left.is_empty() {
            lines.push("nothing is left to do".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

fn told(run: &RunState) -> Told {
    let steps = run.plan.iter().flat_map(|plan| &plan.steps);
    let mut out = Told::default();
    for planned in steps {
        let step = run.step(&planned.path);
        let status = step.map_or(&StepStatus::Pending, |step| &step.status);
        let effects = step.map_or(&[][..], |step| &step.effects);
        let shown: Vec<_> =
            effects.iter().filter_map(|state| Some((unfinished(state)?, state.effect.summary.clone()))).collect();
        let done = effects.iter().filter(|state| state.is_applied()).count();
        out.made += done;
        out.ended += usize::from(status.is_final());
        if matches!(status, StepStatus::Pending) {
            out.pending += 1;
            continue;
        }
        let unsent = effects.iter().filter(|state| is_unsent(state)).count();
        if status.is_final() && shown.is_empty() && unsent == 0 {
            continue;
        }
        let mut state = status.as_str().to_owned();
        if done > 0 {
            state.push_str(&format!("; {done} of {} done", count(effects.len(), "change")));
        }
        if unsent > 0 {
            state.push_str(&format!("; {} not sent", count(unsent, "change")));
        }
        out.left.push(Left { id: planned.path.as_str().to_owned(), state, effects: shown });
    }
    out
}

/// The word for an effect that somebody may still have to see to.
fn unfinished(state: &EffectState) -> Option<&'static str> {
    Some(match state.status {
        EffectStatus::Open | EffectStatus::Unknown => "in doubt",
        EffectStatus::Refused => "refused",
        EffectStatus::Applied => "unproven",
        EffectStatus::VerifyFailed => "not seen",
        EffectStatus::Proposed
        | EffectStatus::Consented(_)
        | EffectStatus::Finished
        | EffectStatus::Left(_)
        | EffectStatus::Abandoned => return None,
    })
}

const fn is_unsent(state: &EffectState) -> bool {
    matches!(state.status, EffectStatus::Proposed | EffectStatus::Consented(_))
}
