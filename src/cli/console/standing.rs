use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::line::{ended_line, labelled};
use super::{Style, Symbol, Timers, Tone, count};
use crate::journal::{EffectState, EffectStatus, IncidentState, Journal, RunState, StepStatus};

/// What is left of a run and in which state, and its clocks, for prompts to show. It is read from the journal when it is
/// asked for, so that what others write down meanwhile counts as well.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<Option<Reader>>>);

/// The journal of an incident, read as far as it has been needed.
#[derive(Debug)]
struct Reader {
    dir: PathBuf,
    journal: Option<Journal>,
}

impl Standing {
    /// Reads the journal in `dir` from now on.
    pub(super) fn follow(&self, dir: &Path) {
        let reader = Reader { dir: dir.to_owned(), journal: None };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
    }

    /// The clocks of the run, where there are any.
    pub fn timers(&self) -> Option<Timers> {
        self.read(|run, state| Timers::of(run, &state.notes))
    }

    /// What has happened so far, every step that is under way, every effect that is in doubt, refused or unproven; and
    /// last, in one line, how much has not begun.
    pub fn text(&self, style: &Style) -> String {
        self.read(|run, _| text(run, style)).unwrap_or_default()
    }

    /// What the journal says now; `None` where it cannot be read: the run itself ends for that at its next entry.
    fn read<T>(&self, look: impl FnOnce(&RunState, &IncidentState) -> T) -> Option<T> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Reader { dir, journal } = reader.as_mut()?;
        let journal = match journal {
            Some(journal) => {
                journal.refresh().ok()?;
                journal
            }
            None => journal.insert(Journal::open(dir).ok()?.0),
        };
        let state = journal.state();
        Some(look(state.latest_run()?, state))
    }
}

fn text(run: &RunState, style: &Style) -> String {
    let (mut ended, mut made, mut pending) = (0, 0, 0);
    let mut left = Vec::new();
    for planned in run.plan.iter().flat_map(|plan| &plan.steps) {
        let step = run.step(&planned.path);
        let status = step.map_or(&StepStatus::Pending, |step| &step.status);
        let effects = step.map_or(&[][..], |step| &step.effects);
        let done = effects.iter().filter(|state| state.is_applied()).count();
        made += done;
        ended += usize::from(status.is_final());
        if matches!(status, StepStatus::Pending) {
            pending += 1;
            continue;
        }
        let shown: Vec<_> =
            effects.iter().filter_map(|state| Some((unfinished(state)?, &state.effect.summary))).collect();
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
        left.push(ended_line(Symbol::Skipped, Tone::Faint, planned.path.as_str(), &state, style));
        left.extend(shown.iter().map(|(word, summary)| labelled(word, Tone::Care, summary, style)));
    }
    let mut lines = Vec::new();
    if ended > 0 {
        let text = format!("{} ended, {} made", count(ended, "step"), count(made, "change"));
        lines.push(format!("{} {text}", style.paint(Tone::Good, style.symbol(Symbol::Done))));
    }
    let is_all_done = pending == 0 && left.is_empty();
    lines.append(&mut left);
    if pending > 0 {
        let text = format!("{} not begun", count(pending, "step"));
        lines.push(format!("{} {text}", style.paint(Tone::Faint, style.symbol(Symbol::Skipped))));
    } else if is_all_done {
        lines.push("nothing is left to do".to_owned());
    }
    lines.join("\n") + "\n"
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
