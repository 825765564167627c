use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::event_name;
use crate::journal::effect_state::{EffectState, EffectStatus};
use crate::journal::event::{
    EffectDecision, Entry, Event, Expanded, FailureDecision, Payload, PlannedStep, Proposed, SkipCause, WaitEnd,
};
use crate::model::{Chore, CredentialFacts, Digest, Disposition, EffectKey};

/// One step instance.
#[derive(Debug, Clone, Default)]
pub struct StepState {
    /// Where it stands.
    pub status: StepStatus,
    /// When it began first.
    pub began: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The latest proposal.
    pub proposed: Option<Proposed>,
    /// When the latest proposal was made, and under which driver.
    pub proposed_at: Option<(Timestamp, u32)>,
    /// Its effects, in order.
    pub effects: Vec<EffectState>,
    /// What a person answered.
    pub answers: Option<Map<String, Value>>,
    /// What came of what the engine itself does for it.
    pub chore_done: Option<ChoreDone>,
    /// True once a person let the list go on after its first row.
    pub went_on: bool,
    /// The rounds of what it holds, with the items of its list.
    pub rounds: Vec<Payload>,
    /// For a step that calls a runbook: the inputs of the last round, by the key of the item.
    pub inputs: Option<Payload>,
    /// Digests of the files that these name, by path.
    pub files: BTreeMap<String, Digest>,
    /// The steps that it holds, of the last round.
    pub held: Vec<Arc<PlannedStep>>,
    /// How many rounds there were when the step began last.
    pub rounds_before: usize,
    /// Who did the last thing to it.
    pub by: String,
}

/// What came of what the engine itself does for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoreDone {
    /// It has waited.
    Waited {
        /// What ended it.
        end: WaitEnd,
        /// In words, where a person ended it.
        words: Option<String>,
    },
    /// The post-mortem was written.
    Reported {
        /// Where it lies.
        file: String,
        /// Digest of the report.
        sha256: Digest,
    },
    /// The run goes on with another credential.
    Switched {
        /// The credential.
        credential: CredentialFacts,
        /// What was seen of it before it was taken.
        proof: String,
    },
}

/// Where a step stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum StepStatus {
    /// Not begun.
    #[default]
    Pending,
    /// Being looked at.
    Began,
    /// It is known what it would change and ask.
    Proposed,
    /// Done.
    Done {
        /// Its output.
        output: Payload,
        /// One line for people.
        summary: String,
    },
    /// Not done, on purpose.
    Skipped {
        /// Why.
        reason: String,
        /// Who or what decided it.
        cause: SkipCause,
        /// What it saw before it was skipped.
        output: Option<Payload>,
    },
    /// It could not be done.
    Failed {
        /// What went wrong.
        error: String,
        /// What to do about it.
        hint: Option<String>,
        /// What is done about it, once decided.
        decision: Option<FailureDecision>,
    },
}

impl StepStatus {
    /// True where nothing more happens to the step.
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Done { .. }
                | Self::Skipped { .. }
                | Self::Failed { decision: Some(FailureDecision::Continue | FailureDecision::Jump(_)), .. }
        )
    }

    /// The word used in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Began => "running",
            Self::Proposed => "waiting",
            Self::Done { .. } => "done",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
        }
    }
}

impl StepState {
    /// The effect with this key.
    pub fn effect(&self, key: &EffectKey) -> Option<&EffectState> {
        self.effects.iter().find(|state| state.effect.key == *key)
    }

    /// How many of its changes somebody is to do later.
    pub fn later(&self) -> usize {
        let is_later = |state: &&EffectState| matches!(state.status, EffectStatus::Left(Disposition::Later { .. }));
        self.effects.iter().filter(is_later).count()
    }

    /// What was consented to and no second person has agreed to, in order.
    pub fn unseconded(&self) -> impl Iterator<Item = &EffectState> {
        let waits = |state: &&EffectState| matches!(state.status, EffectStatus::Consented(_)) && state.second.is_none();
        self.effects.iter().filter(waits)
    }

    /// What the engine itself is still to do for it.
    pub fn chore_left(&self) -> Option<&Chore> {
        self.proposed.as_ref().and_then(|proposed| proposed.chore.as_ref()).filter(|_| self.chore_done.is_none())
    }

    /// How many rounds there have been since it began last.
    pub const fn rounds_since(&self) -> usize {
        self.rounds.len() - self.rounds_before
    }

    pub(super) fn expand(&mut self, expanded: &Expanded) -> Result<(), String> {
        if self.status != StepStatus::Began {
            return Err(format!("a step that is {} cannot hold others", self.status.as_str()));
        }
        if usize::try_from(expanded.round).ok() != Some(self.rounds.len() + 1) {
            return Err(format!("round {} is not the next", expanded.round));
        }
        self.rounds.push(expanded.items.clone());
        self.held.clone_from(&expanded.steps);
        self.inputs.clone_from(&expanded.inputs);
        self.files.clone_from(&expanded.files);
        Ok(())
    }

    pub(super) fn apply(&mut self, entry: &Entry, event: &Event, drivers: u32) -> Result<(), String> {
        use StepStatus as S;
        match (&self.status, event) {
            (
                status,
                Event::EvidenceTaken { .. }
                | Event::FindingMade { .. }
                | Event::FindingSettled { .. }
                | Event::GapSeen { .. },
            ) => {
                if matches!(status, S::Pending | S::Skipped { .. }) {
                    return Err(format!("nothing can be seen at a step that is {}", status.as_str()));
                }
            }
            (S::Pending | S::Began, Event::StepBegan)
            | (S::Failed { decision: None | Some(FailureDecision::Retry), .. }, Event::StepBegan) => {
                self.status = S::Began;
                self.rounds_before = self.rounds.len();
                self.began.get_or_insert(entry.at);
            }
            (
                S::Pending | S::Began | S::Failed { decision: None | Some(FailureDecision::Retry), .. },
                Event::StepSkipped { reason, cause, output },
            ) => {
                self.end(entry, S::Skipped { reason: reason.clone(), cause: *cause, output: output.clone() });
            }
            (S::Proposed, Event::StepSkipped { reason, cause, output }) => {
                if self.effects.iter().any(EffectState::was_sent) {
                    return Err("a step that has sent something cannot be skipped as a whole".into());
                }
                self.end(entry, S::Skipped { reason: reason.clone(), cause: *cause, output: output.clone() });
            }
            (S::Began | S::Proposed, Event::Proposed(proposed)) => self.propose(entry, proposed, drivers)?,
            (S::Proposed, Event::Answered { fields }) => self.answers = Some(fields.clone()),
            (S::Proposed, Event::Waited { end, words }) if matches!(self.chore_left(), Some(Chore::Wait(_))) => {
                self.chore_done = Some(ChoreDone::Waited { end: *end, words: words.clone() });
            }
            (S::Proposed, Event::ReportWritten { sha256, file }) if self.chore_left() == Some(&Chore::Report) => {
                self.chore_done = Some(ChoreDone::Reported { file: file.clone(), sha256: sha256.clone() });
            }
            (S::Proposed, Event::CredentialSwitched { credential, proof, .. })
                if matches!(self.chore_left(), Some(Chore::Switch { .. })) =>
            {
                self.chore_done = Some(ChoreDone::Switched { credential: credential.clone(), proof: proof.clone() });
            }
            (S::Proposed, Event::WentOn { .. }) => self.went_on = true,
            (S::Proposed, Event::Rechecked) => self.proposed_at = Some((entry.at, drivers)),
            (S::Proposed, Event::Consented { effects, left, basis, .. }) => {
                let mut next = self.effects.clone();
                let after_first = self.effects.iter().any(EffectState::is_done);
                for consent in effects {
                    find(&mut next, &consent.effect)?.consent(&consent.digest, &entry.by, *basis, after_first)?;
                }
                for row in left {
                    find(&mut next, &row.effect)?.leave(&row.disposition)?;
                }
                self.effects = next;
            }
            (S::Proposed, Event::Seconded { effects, alone }) => {
                let mut next = self.effects.clone();
                for consent in effects {
                    find(&mut next, &consent.effect)?.second(&consent.digest, &entry.by, alone.as_deref())?;
                }
                self.effects = next;
            }
            (S::Proposed, Event::RowsLeft { left }) => {
                let mut next = self.effects.clone();
                for row in left {
                    find(&mut next, &row.effect)?.leave(&row.disposition)?;
                }
                self.effects = next;
            }
            (S::Proposed, Event::Intended { effect, attempt, call }) => {
                if let Some(open) = self.effects.iter().find(|state| state.is_in_doubt() && state.effect.key != *effect)
                {
                    return Err(format!("effect {} is in doubt", open.effect.key));
                }
                find(&mut self.effects, effect)?.intend(*attempt, call, entry.at)?;
            }
            (S::Proposed, Event::AnswerSealed { effect, attempt, .. }) => {
                find(&mut self.effects, effect)?.seal(*attempt)?;
            }
            (S::Proposed, Event::Settled { effect, attempt, outcome, receipt, by }) => {
                find(&mut self.effects, effect)?.settle(*attempt, outcome, receipt, *by, entry.at)?;
            }
            (S::Proposed, Event::Verified { effect, verdict, .. }) => {
                find(&mut self.effects, effect)?.verify(verdict)?;
            }
            (S::Proposed, Event::EffectDecided { effect, decision, words }) => {
                find(&mut self.effects, effect)?.decide(*decision, words)?;
                if *decision == EffectDecision::Retry {
                    self.proposed_at = None; // What was shown is stale by now: look again before sending.
                }
            }
            (S::Began | S::Proposed, Event::StepDone { output, summary }) => {
                if let Some(state) = self.effects.iter().find(|state| !state.is_final()) {
                    return Err(format!("effect {} is not finished", state.effect.key));
                }
                self.end(entry, S::Done { output: output.clone(), summary: summary.clone() });
            }
            (S::Began | S::Proposed, Event::StepFailed { error, hint }) => {
                if let Some(state) = self.effects.iter().find(|state| state.is_in_doubt()) {
                    return Err(format!("effect {} is in doubt", state.effect.key));
                }
                self.end(entry, S::Failed { error: error.clone(), hint: hint.clone(), decision: None });
            }
            (S::Failed { error, hint, decision: None }, Event::FailureDecided { decision, .. }) => {
                let (error, hint) = (error.clone(), hint.clone());
                self.status = S::Failed { error, hint, decision: Some(decision.clone()) };
            }
            (status, event) => {
                return Err(format!("{} cannot follow at a step that is {}", event_name(event), status.as_str()));
            }
        }
        self.by.clone_from(&entry.by);
        Ok(())
    }

    /// Takes a proposal, the first or a fresh one: what was sent keeps its history, all else is replaced.
    fn propose(&mut self, entry: &Entry, proposed: &Proposed, drivers: u32) -> Result<(), String> {
        if let Some(state) = self.effects.iter().find(|state| state.is_in_doubt()) {
            return Err(format!("effect {} is in doubt and is not planned anew", state.effect.key));
        }
        let mut next: Vec<EffectState> = self.effects.iter().filter(|state| state.has_history()).cloned().collect();
        for effect in &proposed.effects {
            match next.iter_mut().find(|state| state.effect.key == effect.key) {
                Some(state) => state.repropose(effect),
                None => next.push(EffectState::new(effect.clone())),
            }
        }
        self.effects = next;
        self.status = StepStatus::Proposed;
        self.proposed = Some(proposed.clone());
        self.chore_done = None;
        self.proposed_at = Some((entry.at, drivers));
        Ok(())
    }

    fn end(&mut self, entry: &Entry, status: StepStatus) {
        self.status = status;
        self.ended = Some(entry.at);
    }
}

fn find<'a>(effects: &'a mut [EffectState], key: &EffectKey) -> Result<&'a mut EffectState, String> {
    effects.iter_mut().find(|state| state.effect.key == *key).ok_or_else(|| format!("effect {key} was never proposed"))
}
