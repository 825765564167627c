//! What lies in the vault, as the journal tells it.

use crate::journal::{Attempt, EffectState, Event, Inspection};
use crate::model::{Call, Outcome, SealedId};

/// An attempt whose answer was sealed.
#[derive(Debug, Clone)]
pub(super) struct Sealed<'a> {
    /// Which answer it is.
    pub(super) id: SealedId,
    /// The effect.
    pub(super) state: &'a EffectState,
    /// The attempt.
    pub(super) attempt: &'a Attempt,
    /// What was done to the same target later.
    pub(super) later: Later,
}

/// Whether the secret is still the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    /// Nobody has replaced it.
    Nothing,
    /// A later attempt may have replaced it, and its answer is lost.
    MayBeReplaced,
    /// A later attempt has replaced it.
    Replaced,
}

/// Every attempt whose answer was sealed, in the order in which they were made.
pub(super) fn sealed(found: &Inspection) -> Vec<Sealed<'_>> {
    let mut all: Vec<Sealed<'_>> = Vec::new();
    for entry in &found.entries {
        let (Event::Intended { effect, attempt, .. }, Some(run)) = (&entry.event, &entry.run) else { continue };
        let Some(state) = found.state.run(run).and_then(|run| run.effect(effect)) else { continue };
        let at = usize::try_from(*attempt).ok().and_then(|attempt| attempt.checked_sub(1));
        let Some(made) = at.and_then(|at| state.attempts.get(at)) else { continue };
        if !matches!(&state.effect.call, Call::Http(call) if call.secret_answer) {
            continue;
        }
        let later = match &made.outcome {
            Some(Outcome::Refused(_) | Outcome::NotSent(_)) => Later::Nothing,
            Some(Outcome::Applied) => Later::Replaced,
            Some(Outcome::Unknown(_)) | None => Later::MayBeReplaced,
        };
        let target = (&state.effect.target.kind, &state.effect.target.id);
        for earlier in &mut all {
            let same = (&earlier.state.effect.target.kind, &earlier.state.effect.target.id) == target;
            if same && later != Later::Nothing && earlier.later != Later::Replaced {
                earlier.later = later;
            }
        }
        if made.sealed {
            let id = SealedId { run: run.clone(), effect: effect.clone(), attempt: *attempt };
            all.push(Sealed { id, state, attempt: made, later: Later::Nothing });
        }
    }
    all
}

impl Sealed<'_> {
    /// Whether `wanted` names it: by the target's id, or by the effect's key. Names do not count: anybody may choose one.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        self.state.effect.target.id == wanted || self.id.effect.as_str() == wanted
    }
}
