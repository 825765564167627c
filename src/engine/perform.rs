//! The one place where something is sent.

use std::io;
use std::time::Duration;

use jiff::SignedDuration;

use super::drive::{Engine, PauseCause, Turn};
use super::look::Looked;
use super::{Drift, DriftFrom, EngineError};
use crate::action::StepPlan;
use crate::crash::crash_point;
use crate::evidence::EvidenceSink;
use crate::journal::{EffectState, EffectStatus, Event, Left, SettledBy};
use crate::model::{Call, Disposition, Effect, EffectKey, EvidenceRef, Gap, Outcome, StepPath, Verdict};
use crate::provider::{Answer, Lane};
use crate::secret::SecretBytes;

/// What was shown longer ago is read again before anything is sent.
const SHOWN_STAYS_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Pause before a call that provably did not leave is tried again.
const UNSENT_PAUSE: Duration = Duration::from_secs(2);

impl Engine {
    pub(super) async fn perform(&mut self, path: &StepPath, key: &EffectKey) -> Result<Turn, EngineError> {
        if !self.is_fresh(path)? {
            return self.recheck(path).await;
        }
        let state = self.effect(path, key)?;
        if state.effect.changes_nothing() {
            return self.take_for_met(path, &state).await;
        }
        let call = state.effect.call.clone();
        let secret_answer = match &call {
            Call::Http(call) => call.secret_answer,
            Call::Outside(_) => false,
            Call::Hand(_) => {
                return Err(EngineError::Unknown(format!("a call of effect {key} that is not quell's to make")));
            }
        };
        if secret_answer && let Err(why) = self.bench.ports.vault.clone().ready().await {
            let what = format!("a vault for the new secrets: {why}");
            return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
        }
        if matches!(state.outcome(), Some(Outcome::NotSent(_))) {
            self.bench.ports.clock.sleep(UNSENT_PAUSE).await;
        }
        // Setting up the vault or waiting may have taken long, or somebody wants to stop.
        if self.bench.ports.interrupt.is_raised() || !self.is_fresh(path)? {
            return Ok(Turn::On);
        }
        let attempt = state.next_attempt();
        let stamp = self.stamp(Some(path));
        let world = self.bench.read.world().clone();
        let (entries, warrant) = self.journal.intend(&stamp, &state.effect, attempt, &world)?;
        for entry in entries {
            self.bench.ports.observer.entry(&entry, self.journal.state());
        }
        crash_point("before-send");
        let answer = match call {
            Call::Http(call) => self.bench.send.send(warrant, call).await,
            Call::Outside(call) => self.bench.errands.send(warrant, call).await,
            Call::Hand(_) => Answer::NotSent("a person does it".to_owned()),
        };
        crash_point("after-send");
        if secret_answer && !self.seal(path, &state, attempt, &answer).await? {
            return Ok(Turn::On);
        }
        // Kept before, since evidence must be on disk before it is named; named after, since the outcome comes first.
        let kept = self.keep_answer(&state, attempt, &answer);
        self.settle(path, &state, attempt, &answer, SettledBy::Answer)?;
        for evidence in kept.map_err(EngineError::Evidence)? {
            self.record(Some(path), Event::EvidenceTaken { evidence })?;
        }
        Ok(Turn::On)
    }

    /// Keeps what a command said or a host answered, masked. The provider's own answers are seen by the read-back.
    fn keep_answer(&self, state: &EffectState, attempt: u32, answer: &Answer) -> io::Result<Vec<EvidenceRef>> {
        let Call::Outside(call) = &state.effect.call else { return Ok(Vec::new()) };
        let said: Vec<(String, &SecretBytes)> = match answer {
            Answer::Ended(ended) => {
                vec![("standard output".to_owned(), &ended.stdout), ("standard error".to_owned(), &ended.stderr)]
            }
            Answer::Received { status, body, .. } => vec![(format!("answer, HTTP {status},"), body)],
            Answer::CutOff { status, part, .. } => vec![(format!("part of an answer, HTTP {status},"), part)],
            Answer::NotSent(_) | Answer::Lost(_) | Answer::Simulated(_) => Vec::new(),
        };
        let key = &state.effect.key;
        said.into_iter()
            .filter(|(_, bytes)| !bytes.expose().is_empty())
            .map(|(what, bytes)| {
                let source = format!("{what} of `{call}` (effect {key}, attempt {attempt})");
                self.bench.evidence.keep(&source, bytes.expose(), self.bench.ports.clock.now())
            })
            .collect()
    }

    pub(super) fn settle(
        &mut self,
        path: &StepPath,
        state: &EffectState,
        attempt: u32,
        answer: &Answer,
        by: SettledBy,
    ) -> Result<(), EngineError> {
        let receipt = self.action(&state.effect.action)?.settle(&state.effect, answer);
        let outcome = match (receipt.outcome, held_back(&state.effect, answer)) {
            (Outcome::Unknown(why), Some(_)) if matches!(answer, Answer::CutOff { .. }) => {
                Outcome::Unknown(format!("{why}; what came of the answer lies sealed in the vault"))
            }
            (outcome, _) => outcome,
        };
        let event = Event::Settled { effect: state.effect.key.clone(), attempt, outcome, receipt: receipt.detail, by };
        self.record(Some(path), event)
    }

    /// Seals an answer that holds a secret before anything else is done with it. False where the person gave it up.
    async fn seal(
        &mut self,
        path: &StepPath,
        state: &EffectState,
        attempt: u32,
        answer: &Answer,
    ) -> Result<bool, EngineError> {
        let Some((status, request_id, body)) = held_back(&state.effect, answer) else { return Ok(true) };
        let key = &state.effect.key;
        loop {
            match self.bench.ports.vault.seal(key, attempt, status, request_id, body) {
                Ok(sha256) => {
                    crash_point("after-seal");
                    self.record(Some(path), Event::AnswerSealed { effect: key.clone(), attempt, sha256 })?;
                    return Ok(true);
                }
                Err(error) => {
                    let prompter = self.bench.ports.prompter.clone();
                    if prompter.unsealed(&state.effect, &error).await {
                        continue;
                    }
                    let why = format!("the answer came, but could not be sealed and was given up: {error}");
                    let event = Event::Settled {
                        effect: key.clone(),
                        attempt,
                        outcome: Outcome::Unknown(why),
                        receipt: serde_json::Value::Null,
                        by: SettledBy::Person,
                    };
                    self.record(Some(path), event)?;
                    return Ok(false);
                }
            }
        }
    }

    fn is_fresh(&self, path: &StepPath) -> Result<bool, EngineError> {
        let drivers = self.run_state()?.drivers;
        let shown = self.step(path).and_then(|step| step.proposed_at);
        Ok(shown.is_some_and(|(at, under)| {
            under == drivers && self.bench.ports.clock.now().duration_since(at) <= SHOWN_STAYS_FRESH
        }))
    }

    /// What was so before it was shown is not sent: that it counts is all that was consented to, and a read proves it.
    async fn take_for_met(&mut self, path: &StepPath, state: &EffectState) -> Result<Turn, EngineError> {
        let Some((verdict, taken)) = self.poll(path, state, None).await? else { return Ok(Turn::On) };
        self.keep_taken(path, taken)?;
        let disposition = match verdict {
            Verdict::Holds(proof) => Disposition::AlreadyMet { proof },
            Verdict::DoesNotHold(why) | Verdict::CannotTell(why) => {
                self.record(Some(path), Event::GapSeen { gap: unseen(&state.effect, &why) })?;
                Disposition::Unseen { why }
            }
        };
        let left = vec![Left { effect: state.effect.key.clone(), disposition }];
        self.record(Some(path), Event::RowsLeft { left })?;
        Ok(Turn::On)
    }

    /// Looks again at what was shown. The same: go on. Different: show what changed and ask again.
    async fn recheck(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let (plan, taken) = match self.look(path, Lane::Containment).await? {
            Looked::Seen(plan, taken) => (plan, taken),
            Looked::Failed(error, taken) => {
                self.keep_taken(path, taken)?;
                self.record(Some(path), Event::StepFailed { error: error.message, hint: error.hint })?;
                return Ok(Turn::On);
            }
            Looked::Interrupted => return Ok(Turn::On),
        };
        self.keep_taken(path, taken)?;
        for gap in &plan.gaps {
            self.record(Some(path), Event::GapSeen { gap: gap.clone() })?;
        }
        let consented: Vec<EffectState> = self
            .step(path)
            .map(|step| {
                step.effects
                    .iter()
                    .filter(|state| matches!(state.status, EffectStatus::Consented(_)))
                    .cloned()
                    .collect()
            })
            .unwrap_or_default();
        let mut gone = Vec::new();
        let mut drifted = Vec::new();
        for state in &consented {
            let shown = &state.effect;
            match plan.effects.iter().find(|effect| effect.key == shown.key) {
                None => gone.push(Left { effect: shown.key.clone(), disposition: vanished(shown, &plan) }),
                Some(now) if now.digest() != shown.digest() => {
                    drifted.push(Drift {
                        key: shown.key.clone(),
                        from: DriftFrom::Shown(shown.before.clone()),
                        now: now.before.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        for row in &gone {
            // What is not done for want of sight must show in the exit code, whether or not the action noted a gap.
            if let Disposition::Unseen { why } = &row.disposition
                && let Some(state) = consented.iter().find(|state| state.effect.key == row.effect)
                && !plan.gaps.iter().any(|gap| gap.scope.contains(&state.effect.target.id))
            {
                self.record(Some(path), Event::GapSeen { gap: unseen(&state.effect, why) })?;
            }
        }
        if !gone.is_empty() {
            self.record(Some(path), Event::RowsLeft { left: gone })?;
        }
        if drifted.is_empty() {
            self.record(Some(path), Event::Rechecked)?;
        } else {
            self.drifted = drifted;
            self.propose(path, *plan)?;
        }
        Ok(Turn::On)
    }
}

/// Status, request id and body of an answer that must be sealed before it is read, also of one that was cut off: the part
/// that came may hold the secret.
fn held_back<'a>(effect: &Effect, answer: &'a Answer) -> Option<(u16, Option<&'a str>, &'a SecretBytes)> {
    let (status, request_id, body) = match answer {
        Answer::Received { status, body, request_id } => (*status, request_id, body),
        Answer::CutOff { status, part, request_id, .. } if !part.expose().is_empty() => (*status, request_id, part),
        Answer::CutOff { .. } | Answer::NotSent(_) | Answer::Lost(_) | Answer::Ended(_) | Answer::Simulated(_) => {
            return None;
        }
    };
    let is_secret = matches!(&effect.call, Call::Http(call) if call.secret_answer);
    // Refusals hold no secret.
    (is_secret && (200..300).contains(&status)).then_some((status, request_id.as_deref(), body))
}

/// The gap of a target that is not seen when its turn comes.
fn unseen(effect: &Effect, why: &str) -> Gap {
    let target = &effect.target;
    let scope = format!("{} ({})", target.name, target.id);
    Gap { family: target.kind.clone(), scope, reason: why.to_owned(), permission: None }
}

/// What becomes of an effect that a fresh look does not propose any more. Only a proof tells that its goal is met: what
/// merely cannot be seen, say because a list is refused now, is not done.
fn vanished(shown: &Effect, plan: &StepPlan<serde_json::Value>) -> Disposition {
    let target = &shown.target;
    match plan.already.iter().find(|(name, _)| target.is_called(name)) {
        Some((_, proof)) => Disposition::AlreadyMet { proof: proof.clone() },
        None => {
            let gap = plan.gaps.iter().find(|gap| gap.scope.contains(&target.id));
            let why = gap.map_or("a fresh look does not propose it any more, and shows no proof", |gap| &gap.reason);
            Disposition::Unseen { why: why.to_owned() }
        }
    }
}
