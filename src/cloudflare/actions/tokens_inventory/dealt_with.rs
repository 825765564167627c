//! What the incident's journal tells of the tokens: an inventory of a later round must not forget what an earlier one chose.

use std::collections::BTreeSet;

use super::findings::is_of_tampering;
use crate::action::{Action, Look};
use crate::cloudflare::actions::token_disable::TokenDisable;
use crate::cloudflare::actions::token_revoke::TokenRevoke;
use crate::cloudflare::tokens::{TokenRef, include};
use crate::journal::{EffectState, EffectStatus, SkipCause, StepState, StepStatus};
use crate::model::Disposition;

/// How the tokens of this incident were dealt with.
#[derive(Debug, Default)]
pub(super) struct DealtWith {
    /// Those that somebody chose in this run as the intruder's, whatever came of it.
    pub(super) chosen: Vec<TokenRef>,
    /// Those of them that are disabled or deleted.
    pub(super) cut: Vec<TokenRef>,
    /// Tokens of others that this run has disabled.
    pub(super) resting: Vec<TokenRef>,
    /// Ids of tokens that were cut in the incident beside this run, as by `quell do`.
    pub(super) beside: BTreeSet<String>,
    /// Tokens that were shown in this run and that nobody chose: their ids, each with what spoke against it then.
    pub(super) passed_over: BTreeSet<(String, String)>,
}

impl DealtWith {
    pub(super) fn of(look: &Look<'_>) -> Self {
        let mut dealt = Self::default();
        let actions = [TokenDisable::SPEC.id, TokenRevoke::SPEC.id];
        for (is_this_run, step, state) in actions.into_iter().flat_map(|action| look.proposed(action)) {
            dealt.take(is_this_run, step, state);
        }
        dealt
    }

    fn take(&mut self, is_this_run: bool, step: &StepState, state: &EffectState) {
        let token = TokenRef::of(&state.effect);
        let is_dead = state.is_applied() || state.is_met();
        let is_of_other = token.finding.as_deref().is_some_and(is_of_tampering);
        if !is_this_run {
            self.beside.extend(Some(token.id).filter(|_| is_dead && !is_of_other));
        } else if was_passed_over(step, state) {
            let why = state.effect.facts.iter().find(|(name, _)| name == "why");
            self.passed_over.extend(why.map(|(_, why)| (token.id, why.clone())));
        } else if !state.was_consented() {
            // Nobody has said anything of it yet.
        } else if is_of_other {
            if is_dead {
                include(&mut self.resting, token);
            }
        } else {
            if is_dead {
                include(&mut self.cut, token.clone());
            }
            include(&mut self.chosen, token);
        }
    }
}

/// Whether a person saw the row and let it be.
fn was_passed_over(step: &StepState, state: &EffectState) -> bool {
    match &state.status {
        EffectStatus::Left(Disposition::Keep { .. } | Disposition::Later { .. }) => true,
        EffectStatus::Proposed => matches!(step.status, StepStatus::Skipped { cause: SkipCause::Person, .. }),
        _ => false,
    }
}
