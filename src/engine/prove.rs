//! Looking what became of an effect: after an answer, and in doubt.

use std::time::Duration;

use super::drive::{Answered, Engine, PauseCause, Turn};
use super::{DecisionKind, DecisionRequest, EngineError};
use crate::action::Taken;
use crate::journal::{EffectDecision, EffectState, EffectStatus, Event, NoteKind, SettledBy};
use crate::model::{Call, EffectKey, Gap, Outcome, StepPath, Verdict};
use crate::provider::Lane;

/// First pause between two looks; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Looks whether an applied effect shows.
    pub(super) async fn verify(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let state = self.effect(path, key)?;
        if let Some((verdict, taken)) = self.poll(path, &state, state.receipt()).await? {
            self.keep_verdict(path, key, verdict, taken)?;
        }
        Ok(Turn::On)
    }

    /// Settles an effect in doubt by looking: into the vault first, since an answer that lies there did arrive; then at
    /// the provider.
    pub(super) async fn probe(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let state = self.effect(path, key)?;
        let attempt = u32::try_from(state.attempts.len()).unwrap_or(u32::MAX);
        if state.is_open() && matches!(&state.effect.call, Call::Http(call) if call.secret_answer) {
            match self.bench.ports.vault.clone().answer(key, attempt).await {
                Ok(Some(answer)) => {
                    self.settle(path, &state, attempt, &answer, SettledBy::Vault)?;
                    return Ok(Turn::On);
                }
                Ok(None) => {}
                Err(why) => {
                    let what =
                        format!("the vault must be opened to see whether the answer to effect {key} arrived: {why}");
                    return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
                }
            }
        }
        if let Some((verdict, taken)) = self.poll(path, &state, None).await? {
            self.keep_verdict(path, key, verdict, taken)?;
        }
        Ok(Turn::On)
    }

    /// Reads again what a person is to see to. What it shows is written down as seen, and nobody vouches for it.
    pub(super) async fn check_again(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let state = self.effect(path, key)?;
        if state.can_be_checked()
            && let Some((verdict, taken)) = self.poll(path, &state, None).await?
        {
            self.keep_verdict(path, key, verdict, taken)?;
        }
        Ok(Turn::On)
    }

    pub(super) fn settle_by_probe(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let state = self.effect(path, key)?;
        let event = Event::Settled {
            effect: key.clone(),
            attempt: match state.effect.call {
                Call::Hand(_) => 0,
                Call::Http(_) | Call::Outside(_) => u32::try_from(state.attempts.len()).unwrap_or(u32::MAX),
            },
            outcome: Outcome::Applied,
            receipt: serde_json::Value::Null,
            by: SettledBy::Probe,
        };
        self.record(Some(path), event)?;
        Ok(Turn::On)
    }

    /// Says of a message that it did not get through, or that nobody knows, and goes on. Never sends it again.
    pub(super) fn give_up(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let state = self.effect(path, key)?;
        let reason = match state.outcome() {
            Some(Outcome::Refused(why) | Outcome::NotSent(why)) => format!("not delivered: {why}"),
            Some(Outcome::Unknown(why)) => format!("whether it was delivered is not known: {why}"),
            Some(Outcome::Applied) | None => "whether it was delivered is not known: no answer was recorded".to_owned(),
        };
        let words = format!("{reason}; a message stops nothing and is not sent again");
        let scope = format!("{} {}", state.effect.target.kind, state.effect.target.name);
        let gap = Gap { family: "notifications".to_owned(), scope, reason, permission: None };
        self.record(Some(path), Event::GapSeen { gap })?;
        let decision = EffectDecision::Abandon;
        self.record(Some(path), Event::EffectDecided { effect: key.clone(), decision, words })?;
        Ok(Turn::On)
    }

    /// A person says what becomes of an effect.
    pub(super) async fn decide_effect(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let state = self.effect(path, key)?;
        let kind = match state.status {
            EffectStatus::Refused => DecisionKind::Refused,
            EffectStatus::VerifyFailed => DecisionKind::NotSeen,
            _ => DecisionKind::InDoubt,
        };
        let prompter = self.bench.ports.prompter.clone();
        let reply = prompter.decide(DecisionRequest { step: &planned, state: &state, kind }).await;
        let (decision, words) = match self.common(path, reply)? {
            Ok(turn) => return Ok(turn),
            Err(Answered::Skip(reason)) => (EffectDecision::Abandon, reason),
            Err(Answered::Go(decided)) => decided,
        };
        if kind == DecisionKind::InDoubt && decision == EffectDecision::Retry {
            // What took place after all is not sent a second time, and not taken for left undone either.
            if let Turn::Stop(stop) = self.probe(path, key).await? {
                return Ok(Turn::Stop(stop));
            }
            let state = self.effect(path, key)?;
            if !state.is_in_doubt() || self.bench.ports.interrupt.is_raised() {
                return Ok(Turn::On);
            }
            if matches!(state.verdict, Some(Verdict::Holds(_))) {
                let text = format!("looked again at an effect in doubt, which took place: {words}");
                self.record(Some(path), Event::Noted { text, kind: NoteKind::Decision })?;
                return Ok(Turn::On);
            }
        }
        if kind == DecisionKind::NotSeen && decision == EffectDecision::Retry && state.can_be_checked() {
            // It may have been done by now, and is then not asked for once more.
            self.check_again(path, key).await?;
            if self.effect(path, key)?.is_seen_done() || self.bench.ports.interrupt.is_raised() {
                return Ok(Turn::On);
            }
        }
        self.record(Some(path), Event::EffectDecided { effect: key.clone(), decision, words })?;
        Ok(Turn::On)
    }

    /// Looks until the effect shows, or has had its settling time. `None` where the run is to stop.
    pub(super) async fn poll(
        &self,
        path: &StepPath,
        state: &EffectState,
        receipt: Option<&serde_json::Value>,
    ) -> Result<Option<(Verdict, Taken)>, EngineError> {
        let action = self.action(&state.effect.action)?;
        let by_hand = matches!(state.effect.call, Call::Hand(_));
        let settling = if by_hand { Duration::ZERO } else { action.spec().settling };
        let (settling, every) = self.patience(path, settling)?;
        let (mut waited, mut pause) = (Duration::ZERO, every.unwrap_or(FIRST_PAUSE));
        loop {
            let look = self.make_look(path, Lane::Containment);
            let verdict = tokio::select! {
                verdict = action.verify(&state.effect, receipt, &look) => verdict,
                () = self.bench.ports.interrupt.raised() => return Ok(None),
            };
            if !matches!(verdict, Verdict::DoesNotHold(_)) || waited >= settling {
                return Ok(Some((verdict, look.finish())));
            }
            self.bench.ports.progress.tick("waiting for the change to show", waited.as_secs(), settling.as_secs());
            tokio::select! {
                () = self.bench.ports.clock.sleep(pause) => {}
                () = self.bench.ports.interrupt.raised() => return Ok(None),
            }
            waited += pause;
            pause = every.unwrap_or(pause * 2);
        }
    }

    /// How long to look, and how often: an action knows how long its changes take to show, and a runbook may ask for
    /// more looks by `retry`, or for an end of looking by `timeout`.
    fn patience(&self, path: &StepPath, settling: Duration) -> Result<(Duration, Option<Duration>), EngineError> {
        let spec = self.spec(path)?;
        let every = spec.retry.map(|retry| retry.every.unsigned_abs());
        let asked = spec.retry.map(|retry| retry.every.unsigned_abs() * retry.times).unwrap_or_default();
        let limit = spec.timeout.map_or(Duration::MAX, jiff::SignedDuration::unsigned_abs);
        Ok((settling.max(asked).min(limit), every))
    }

    fn keep_verdict(
        &mut self,
        path: &StepPath,
        key: &EffectKey,
        verdict: Verdict,
        taken: Taken,
    ) -> Result<(), EngineError> {
        if let Some(failure) = taken.failure {
            return Err(EngineError::Evidence(failure));
        }
        for gap in taken.gaps {
            self.record(Some(path), Event::GapSeen { gap })?;
        }
        self.record(Some(path), Event::Verified { effect: key.clone(), verdict, evidence: taken.evidence })
    }
}
