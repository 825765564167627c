//! Consent: what a person is shown, and what is taken for a yes.

use serde_json::json;

use super::drive::{Answered, Engine, PauseCause, Turn};
use super::{
    Asked, Beforehand, ConsentMode, ConsentRequest, Cover, Drift, EngineError, HandReply, HandRequest, cover, drifted,
};
use crate::journal::{
    Basis, Consent, EffectState, EffectStatus, Event, Left, NoteKind, PlanApproved, SettledBy, StepState,
};
use crate::model::{ByHand, Call, Disposition, Effect, EffectKey, Outcome, StepPath};
use crate::runbook::Confirm;

impl Engine {
    pub(super) async fn confirm(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(step) = self.step(path).cloned() else { return Ok(Turn::On) };
        let covers = self.covers(path, &step)?;
        if self.take_for_consent(path, &covers)? {
            return Ok(Turn::On);
        }
        let undecided: Vec<&Effect> = step
            .effects
            .iter()
            .filter(|state| state.status == EffectStatus::Proposed)
            .map(|state| &state.effect)
            .collect();
        let by_hand = undecided.iter().find_map(|effect| match &effect.call {
            Call::Hand(work) => Some((*effect, work)),
            Call::Http(_) | Call::Outside(_) => None,
        });
        match by_hand {
            Some((effect, work)) => self.confirm_hand(path, &step, effect, work).await,
            None => self.confirm_calls(path, &step, undecided, &covers).await,
        }
    }

    /// What the step still has to decide about, each with whether it is consented to already.
    fn covers<'s>(&self, path: &StepPath, step: &'s StepState) -> Result<Vec<(&'s Effect, Cover)>, EngineError> {
        let planned = self.planned(path)?;
        let made = self.made(step)?;
        let beforehand = Beforehand {
            plan: self.approved()?,
            up_to: self.bench.up_to,
            prepared: self.bench.ports.prompter.prepared(&planned),
            made: &made,
        };
        let at_least = self.spec(path)?.confirm.map(Confirm::at_least);
        let undecided = step.effects.iter().filter(|state| state.status == EffectStatus::Proposed);
        Ok(undecided.map(|state| (&state.effect, cover(state, path, at_least, &beforehand))).collect())
    }

    /// Journals the consent that was given beforehand, each kind by itself. False where there is none.
    fn take_for_consent(&mut self, path: &StepPath, covers: &[(&Effect, Cover)]) -> Result<bool, EngineError> {
        let mut bases: Vec<Basis> = Vec::new();
        for (_, cover) in covers {
            if let Cover::By(basis) = cover
                && !bases.contains(basis)
            {
                bases.push(*basis);
            }
        }
        for basis in &bases {
            let of = covers.iter().filter(|(_, cover)| *cover == Cover::By(*basis));
            let effects = of.map(|(effect, _)| Consent { effect: effect.key.clone(), digest: effect.digest() });
            let event = Event::Consented { effects: effects.collect(), left: Vec::new(), phrase: None, basis: *basis };
            self.record(Some(path), event)?;
        }
        Ok(!bases.is_empty())
    }

    fn approved(&self) -> Result<Option<&PlanApproved>, EngineError> {
        Ok(self.run_state()?.approval().map(|approval| &approval.plan))
    }

    /// How the step's effects differ from what the approved plan forecast; nothing without one.
    fn drifted_from_plan(&self, path: &StepPath, step: &StepState) -> Result<Vec<Drift>, EngineError> {
        let made = self.made(step)?;
        Ok(self.approved()?.map(|plan| drifted(&step.effects, path, plan, &made)).unwrap_or_default())
    }

    /// The step's effects whose targets are as this run has left them.
    fn made<'s>(&self, step: &'s StepState) -> Result<Vec<&'s EffectKey>, EngineError> {
        let run = self.run_state()?;
        let made = step.effects.iter().filter(|state| run.has_made(&state.effect));
        Ok(made.map(|state| &state.effect.key).collect())
    }

    async fn confirm_calls(
        &mut self,
        path: &StepPath,
        step: &StepState,
        effects: Vec<&Effect>,
        covers: &[(&Effect, Cover)],
    ) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let Some(proposed) = &step.proposed else { return Ok(Turn::On) };
        let at_least = self.spec(path)?.confirm.map(Confirm::at_least);
        let mode = ConsentMode::of(path.id(), &proposed.verb, &effects, at_least);
        let one = |key: &EffectKey| {
            let effect: Vec<&Effect> = effects.iter().copied().filter(|effect| effect.key == *key).collect();
            ConsentMode::of(path.id(), &proposed.verb, &effect, at_least)
        };
        let mut drifted = std::mem::take(&mut self.drifted);
        for drift in self.drifted_from_plan(path, step)? {
            // What was shown later than the plan counts.
            if !drifted.iter().any(|known| known.key == drift.key) {
                drifted.push(drift);
            }
        }
        let request = ConsentRequest {
            step: &planned,
            proposed,
            effects: effects.clone(),
            mode: mode.clone(),
            drifted,
            asked: reasons(covers),
            place: self.place()?,
        };
        let prompter = self.bench.ports.prompter.clone();
        let reply = prompter.consent(request).await;
        match self.common(path, reply)? {
            Ok(turn) => Ok(turn),
            Err(Answered::Skip(reason)) => self.decline(path, step, &effects, reason),
            Err(Answered::Go(chosen)) => {
                let accepted = chosen.effects.is_empty()
                    || mode.accepts(&chosen.phrase, chosen.effects.len())
                    || (chosen.effects.len() == 1 && one(&chosen.effects[0]).accepts(&chosen.phrase, 1));
                if !accepted {
                    let what =
                        format!("consent at step `{path}`: `{}` was not typed", mode.phrase(chosen.effects.len()));
                    return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
                }
                let consents = effects.iter().filter(|effect| chosen.effects.contains(&effect.key));
                let event = Event::Consented {
                    effects: consents
                        .map(|effect| Consent { effect: effect.key.clone(), digest: effect.digest() })
                        .collect(),
                    left: chosen.left,
                    phrase: Some(chosen.phrase).filter(|phrase| !phrase.is_empty()),
                    basis: Basis::Typed,
                };
                self.record(Some(path), event)?;
                Ok(Turn::On)
            }
        }
    }

    /// A step that sent nothing yet is skipped; in one that did, the rest is left as it is.
    pub(super) fn decline(
        &mut self,
        path: &StepPath,
        step: &StepState,
        effects: &[&Effect],
        reason: String,
    ) -> Result<Turn, EngineError> {
        if step.effects.iter().any(EffectState::was_sent) {
            let keep = |effect: &&Effect| Left {
                effect: effect.key.clone(),
                disposition: Disposition::Keep { reason: reason.clone() },
            };
            self.record(Some(path), Event::RowsLeft { left: effects.iter().map(keep).collect() })?;
            return Ok(Turn::On);
        }
        self.skip(path, reason)
    }

    async fn confirm_hand(
        &mut self,
        path: &StepPath,
        step: &StepState,
        effect: &Effect,
        work: &ByHand,
    ) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let total = step.effects.len();
        let position = step.effects.iter().position(|state| state.effect.key == effect.key).map_or(1, |at| at + 1);
        let drifted = self.drifted_from_plan(path, step)?.into_iter().find(|drift| drift.key == effect.key);
        let prompter = self.bench.ports.prompter.clone();
        let rows = &step.effects;
        let request = HandRequest { step: &planned, effect, work, position: (position, total), rows, drifted };
        let reply = prompter.hand(request).await;
        let leave = |disposition| Event::RowsLeft { left: vec![Left { effect: effect.key.clone(), disposition }] };
        let event = match self.common(path, reply)? {
            Ok(turn) => return Ok(turn),
            Err(Answered::Skip(reason)) => leave(Disposition::Keep { reason }),
            Err(Answered::Go(HandReply::CheckAgain(key))) => return self.check_again(path, &key).await,
            Err(Answered::Go(HandReply::Keep(reason))) => leave(Disposition::Keep { reason }),
            Err(Answered::Go(HandReply::Later(owner))) => leave(Disposition::Later { owner }),
            Err(Answered::Go(HandReply::Done { attested_by, note, proof })) => {
                let proof = match proof {
                    None => None,
                    Some(file) => match self.bench.evidence.keep_file(&file, self.bench.ports.clock.now()) {
                        Ok(kept) => Some(kept),
                        Err(error) => {
                            let text = format!("the proof file {} could not be kept: {error}", file.display());
                            self.record(Some(path), Event::Noted { text, kind: NoteKind::Note })?;
                            None
                        }
                    },
                };
                if let Some(evidence) = &proof {
                    self.record(Some(path), Event::EvidenceTaken { evidence: evidence.clone() })?;
                }
                Event::Settled {
                    effect: effect.key.clone(),
                    attempt: 0,
                    outcome: Outcome::Applied,
                    receipt: json!({ "attested_by": attested_by, "note": note, "proof": proof.map(|kept| kept.sha256) }),
                    by: SettledBy::Person,
                }
            }
        };
        self.record(Some(path), event)?;
        Ok(Turn::On)
    }

    /// Where writes go, for the prompt.
    fn place(&self) -> Result<String, EngineError> {
        let opened = &self.run_state()?.opened;
        Ok(format!(
            "account {} ({}) at {}",
            crate::escape::terminal(&opened.account.name),
            opened.account.id,
            self.bench.api
        ))
    }
}

/// Why a person is asked, each reason once; nothing where no consent was given beforehand.
fn reasons(covers: &[(&Effect, Cover)]) -> Vec<Asked> {
    let mut reasons = Vec::new();
    for (_, cover) in covers {
        if let Cover::Ask(why) = cover
            && *why != Asked::Plainly
            && !reasons.contains(why)
        {
            reasons.push(*why);
        }
    }
    reasons
}
