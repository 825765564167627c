//! The fold: what the entries mean. Every legal transition is written here, all else is refused.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::effect_state::EffectState;
use super::event::{
    EffectDecision, Entry, Event, Expanded, FailureDecision, Payload, PlanSealed, Proposed, RunOpened, RunOutcome,
    SkipCause,
};
use crate::model::{CredentialFacts, EffectKey, EvidenceRef, Finding, Gap, IncidentId, RunId, StepPath, World};

/// An event that cannot follow what came before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct IllegalEvent {
    /// The entry's number.
    pub seq: u64,
    /// What is wrong with it.
    pub what: String,
}

/// An incident as its journal tells it.
#[derive(Debug, Clone, Default)]
pub struct IncidentState {
    /// Its id.
    pub id: Option<IncidentId>,
    /// Its title.
    pub title: String,
    /// Its world.
    pub world: Option<World>,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// The runs, in order.
    pub runs: Vec<RunState>,
    /// What people wrote down.
    pub notes: Vec<(Timestamp, String, String)>,
    /// All evidence, in order.
    pub evidence: Vec<EvidenceRef>,
    /// All findings, by id; the latest word on each.
    pub findings: BTreeMap<String, Finding>,
    /// All gaps, each once.
    pub gaps: Vec<Gap>,
    /// Number of the last entry.
    pub seq: u64,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunState {
    /// What it is bound to.
    pub opened: RunOpened,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The fixed plan, once there is one; what a step holds is added when it is fixed.
    pub plan: Option<PlanSealed>,
    /// The addresses of the plan's steps.
    planned: HashSet<StepPath>,
    /// The steps that have begun or ended, by address.
    pub steps: BTreeMap<StepPath, StepState>,
    /// The credential that makes the calls now.
    pub credential: CredentialFacts,
    /// Why it rests, while it does.
    pub paused: Option<String>,
    /// Why a person ends it early, from then on until it is closed.
    pub ending: Option<String>,
    /// How it ended.
    pub closed: Option<RunOutcome>,
    /// How often a driver took it up: consent given under another driver is re-checked.
    pub drivers: u32,
}

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
    /// True once a person let the list go on after its first row.
    pub went_on: bool,
    /// The rounds of what it holds, with the items of its list.
    pub rounds: Vec<Payload>,
    /// How many of them there were when the step began last.
    pub rounds_before: usize,
    /// Who did the last thing to it.
    pub by: String,
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

impl IncidentState {
    /// The run with this id.
    pub fn run(&self, id: &RunId) -> Option<&RunState> {
        self.runs.iter().find(|run| run.opened.run == *id)
    }

    /// The newest run.
    pub fn latest_run(&self) -> Option<&RunState> {
        self.runs.last()
    }

    /// True while a run is neither done nor aborted, or none has begun.
    pub fn is_open(&self) -> bool {
        self.latest_run().is_none_or(|run| run.closed.is_none())
    }

    /// Folds one more entry in. On an error nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEvent> {
        let illegal = |what: String| IllegalEvent { seq: entry.seq, what };
        if entry.seq != self.seq + 1 {
            return Err(illegal(format!("it should be number {}", self.seq + 1)));
        }
        match &entry.event {
            Event::IncidentOpened { id, title, world, .. } => {
                if self.id.is_some() {
                    return Err(illegal("the incident is open already".into()));
                }
                self.id = Some(id.clone());
                self.title.clone_from(title);
                self.world = Some(world.clone());
                self.opened = Some(entry.at);
            }
            _ if self.id.is_none() => return Err(illegal("the incident was never opened".into())),
            Event::RunOpened(opened) => {
                if self.runs.iter().any(|run| run.opened.run == opened.run) {
                    return Err(illegal(format!("run {} is open already", opened.run)));
                }
                self.runs.push(RunState {
                    credential: opened.credential.clone(),
                    opened: (**opened).clone(),
                    opened_at: entry.at,
                    plan: None,
                    planned: HashSet::new(),
                    steps: BTreeMap::new(),
                    paused: None,
                    ending: None,
                    closed: None,
                    drivers: 1,
                });
            }
            Event::Noted { text } => self.notes.push((entry.at, entry.by.clone(), text.clone())),
            Event::DriverTaken { .. }
            | Event::TornTail { .. }
            | Event::SecretRevealed { .. }
            | Event::ReportWritten { .. } => {}
            event => {
                let run = entry.run.as_ref().and_then(|id| self.runs.iter_mut().find(|run| run.opened.run == *id));
                let run = run.ok_or_else(|| illegal("it names no open run".into()))?;
                run.apply(entry, event).map_err(illegal)?;
                self.remember(event);
            }
        }
        self.seq = entry.seq;
        Ok(())
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::EvidenceTaken { evidence } => self.evidence.push(evidence.clone()),
            Event::Verified { evidence, .. } => self.evidence.extend(evidence.iter().cloned()),
            Event::FindingMade { finding } => {
                self.findings.insert(finding.id.clone(), (**finding).clone());
            }
            Event::FindingSettled { id, status, .. } => {
                if let Some(finding) = self.findings.get_mut(id) {
                    finding.status = *status;
                }
            }
            Event::GapSeen { gap } if !self.gaps.contains(gap) => self.gaps.push(gap.clone()),
            _ => {}
        }
    }
}

impl RunState {
    /// The step at `path`, where it has begun.
    pub fn step(&self, path: &StepPath) -> Option<&StepState> {
        self.steps.get(path)
    }

    /// Where the step at `path` stands.
    pub fn status(&self, path: &StepPath) -> &StepStatus {
        self.step(path).map_or(&StepStatus::Pending, |step| &step.status)
    }

    /// The effect with this key, wherever it is.
    pub fn effect(&self, key: &EffectKey) -> Option<&EffectState> {
        self.steps.values().flat_map(|step| &step.effects).find(|state| state.effect.key == *key)
    }

    fn apply(&mut self, entry: &Entry, event: &Event) -> Result<(), String> {
        if self.closed.is_some() {
            return Err("the run is closed".into());
        }
        match event {
            Event::PlanSealed(plan) => {
                if self.plan.is_some() {
                    return Err("the plan is fixed already".into());
                }
                self.planned = plan.steps.iter().map(|step| step.path.clone()).collect();
                self.plan = Some((**plan).clone());
                return Ok(());
            }
            _ if self.plan.is_none() => return Err("the run has no plan yet".into()),
            Event::RunResumed { credential, .. } => {
                self.paused = None;
                self.credential = credential.clone();
                self.drivers += 1;
                return Ok(());
            }
            Event::Paused { reason } => {
                self.paused = Some(reason.clone());
                return Ok(());
            }
            Event::RunEnding { reason } => {
                self.refuse_open_intent()?;
                self.paused = None;
                self.ending = Some(reason.clone());
                return Ok(());
            }
            Event::RunClosed { outcome, .. } => {
                self.refuse_open_intent()?;
                self.closed = Some(*outcome);
                return Ok(());
            }
            _ => {}
        }
        let path = entry.path.as_ref().ok_or("it names no step")?;
        if !self.planned.contains(path) {
            return Err(format!("step `{path}` is not in the plan"));
        }
        let is_done_in_any_case =
            || self.plan.iter().flat_map(|plan| &plan.steps).any(|step| step.path == *path && step.finally);
        if self.ending.is_some() && !is_done_in_any_case() {
            return Err(format!("the run is being ended, and step `{path}` is not done any more"));
        }
        match event {
            Event::Expanded(expanded) => self.expand(path, expanded),
            event => self.steps.entry(path.clone()).or_default().apply(entry, event, self.drivers),
        }
    }

    /// What was intended and has no outcome must be settled, or said to be unknown, before the book is closed.
    fn refuse_open_intent(&self) -> Result<(), String> {
        match self.steps.values().flat_map(|step| &step.effects).find(|state| state.is_open()) {
            Some(open) => Err(format!("effect {} has an open intent", open.effect.key)),
            None => Ok(()),
        }
    }

    /// Takes the steps that a step holds into the plan, before it: it ends when they have.
    fn expand(&mut self, path: &StepPath, expanded: &Expanded) -> Result<(), String> {
        if let Some(known) = expanded.steps.iter().find(|new| self.planned.contains(&new.path)) {
            return Err(format!("step `{}` is in the plan already", known.path));
        }
        let plan = self.plan.as_mut().ok_or("the run has no plan yet")?;
        let at = plan.steps.iter().position(|step| step.path == *path && step.container);
        let at = at.ok_or_else(|| format!("step `{path}` holds no others"))?;
        self.steps.entry(path.clone()).or_default().expand(expanded)?;
        self.planned.extend(expanded.steps.iter().map(|step| step.path.clone()));
        plan.steps.splice(at..at, expanded.steps.iter().cloned());
        Ok(())
    }
}

impl StepState {
    /// The effect with this key.
    pub fn effect(&self, key: &EffectKey) -> Option<&EffectState> {
        self.effects.iter().find(|state| state.effect.key == *key)
    }

    /// How many rounds there have been since it began last.
    pub const fn rounds_since(&self) -> usize {
        self.rounds.len() - self.rounds_before
    }

    fn expand(&mut self, expanded: &Expanded) -> Result<(), String> {
        if self.status != StepStatus::Began {
            return Err(format!("a step that is {} cannot hold others", self.status.as_str()));
        }
        if usize::try_from(expanded.round).ok() != Some(self.rounds.len() + 1) {
            return Err(format!("round {} is not the next", expanded.round));
        }
        self.rounds.push(expanded.items.clone());
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, event: &Event, drivers: u32) -> Result<(), String> {
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
            (S::Pending | S::Began | S::Failed { .. }, Event::StepSkipped { reason, cause, output }) => {
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
            (S::Proposed, Event::WentOn) => self.went_on = true,
            (S::Proposed, Event::Rechecked) => self.proposed_at = Some((entry.at, drivers)),
            (S::Proposed, Event::Consented { effects, left, .. }) => {
                let mut next = self.effects.clone();
                for consent in effects {
                    find(&mut next, &consent.effect)?.consent(&consent.digest)?;
                }
                for row in left {
                    find(&mut next, &row.effect)?.leave(&row.disposition)?;
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
                find(&mut self.effects, effect)?.intend(*attempt, call)?;
            }
            (S::Proposed, Event::AnswerSealed { effect, attempt, .. }) => {
                find(&mut self.effects, effect)?.seal(*attempt)?;
            }
            (S::Proposed, Event::Settled { effect, attempt, outcome, receipt, by }) => {
                find(&mut self.effects, effect)?.settle(*attempt, outcome, receipt, *by)?;
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

/// The event's name as it stands in the journal.
pub(super) fn event_name(event: &Event) -> String {
    match serde_json::to_value(event) {
        Ok(Value::Object(map)) => map.get("type").and_then(Value::as_str).unwrap_or("an event").to_owned(),
        _ => "an event".to_owned(),
    }
}
