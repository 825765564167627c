use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::decide::{Next, decide, take_up};
use super::{EngineError, Halt, Ports, Reply};
use crate::action::{AnyAction, Catalogue, Safeguards};
use crate::evidence::EvidenceStore;
use crate::journal::{EffectState, Event, IncidentState, Journal, PlannedStep, RunOutcome, RunState, Stamp, StepState};
use crate::model::{Danger, Digest, EffectKey, RunId, StepPath};
use crate::outside::{OutsideLook, OutsideSend};
use crate::provider::{Leaked, ReadSide, SendSide};
use crate::runbook::{Runbook, Templates};
use crate::secret::Redactor;

/// What an engine works with. All of it is made at the edge.
pub struct Bench {
    /// The actions.
    pub catalogue: Catalogue,
    /// The runbook that the run is bound to.
    pub runbook: Runbook,
    /// Its text renderer.
    pub templates: Templates,
    /// The provider's read side.
    pub read: Arc<dyn ReadSide>,
    /// The provider's send side.
    pub send: Arc<dyn SendSide>,
    /// The value that leaked, where it is at hand to be tried.
    pub leaked: Option<Arc<dyn Leaked>>,
    /// What can be looked at besides the provider.
    pub outside: Arc<dyn OutsideLook>,
    /// What can be done besides at the provider.
    pub errands: Arc<dyn OutsideSend>,
    /// The host that calls really go to. A rehearsal that goes on has another than it began with.
    pub api: String,
    /// Where answers are kept.
    pub evidence: EvidenceStore,
    /// Masks secrets in whatever is journaled.
    pub redactor: Arc<Redactor>,
    /// What must not be touched or suspected, and what matters most.
    pub safeguards: Safeguards,
    /// Up to which danger the run consents by itself; `None` where people do.
    pub up_to: Option<Danger>,
    /// People, screens, clocks.
    pub ports: Ports,
}

/// One run being driven.
pub struct Engine {
    pub(super) journal: Journal,
    pub(super) run: RunId,
    pub(super) bench: Bench,
    /// Before-images that differ from what was shown; handed to the next consent prompt.
    pub(super) drifted: Vec<super::Drift>,
    /// The failed step that the run rested at before this process took it up: what is to be done about it is asked now.
    pub(super) rested_at: Option<StepPath>,
    /// Values that were read back from evidence, the latest first.
    pub(super) read_back: Mutex<Vec<(Digest, Arc<Value>)>>,
}

/// Why the loop ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The run is closed.
    Closed(RunOutcome),
    /// It rests, and can be resumed.
    Paused(PauseCause),
}

/// Why a run rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseCause {
    /// A person asked for it.
    Person,
    /// Ctrl-C or hang-up.
    Interrupted,
    /// An answer is missing: what.
    Missing(String),
    /// A step failed and its `on_failure` says stop: the error.
    StepFailed(String),
}

/// What one turn of the loop led to.
pub(super) enum Turn {
    /// Decide again.
    On,
    /// End the loop.
    Stop(Stop),
}

impl Engine {
    /// An engine for an open run with a fixed plan. The caller holds the driver lock.
    pub const fn new(journal: Journal, run: RunId, bench: Bench) -> Self {
        Self { journal, run, bench, drifted: Vec::new(), rested_at: None, read_back: Mutex::new(Vec::new()) }
    }

    /// The journal, when the loop has ended.
    pub fn into_journal(self) -> Journal {
        self.journal
    }

    /// Goes on until the run is closed or rests. Interrupted at any point, the journal says where things stand.
    pub async fn drive(&mut self) -> Result<Stop, EngineError> {
        let mut first = take_up(self.run_state()?);
        self.rested_at = match &first {
            Some(Next::Failed(path)) => Some(path.clone()),
            _ => None,
        };
        loop {
            if self.bench.ports.interrupt.is_raised() {
                return self.pause(PauseCause::Interrupted);
            }
            let run = self.run_state()?;
            let next = first.take().or_else(|| decide(run));
            let next = next.ok_or_else(|| EngineError::Unknown("a run without a plan".into()))?;
            let turn = match next {
                Next::Begin(path) => self.begin(&path).await?,
                Next::JumpOver(path) => self.jump_over(&path)?,
                Next::Expand(path) => self.expand(&path)?,
                Next::EndRound(path) => self.end_round(&path)?,
                Next::Plan(path) => self.plan(&path).await?,
                Next::Ask(path) => self.ask(&path).await?,
                Next::Confirm(path) => self.confirm(&path).await?,
                Next::Second(path) => self.second(&path).await?,
                Next::GoOn(path) => self.go_on(&path).await?,
                Next::Perform(path, effect) => self.perform(&path, &effect).await?,
                Next::Probe(path, effect) => self.probe(&path, &effect).await?,
                Next::SettleByProbe(path, effect) => self.settle_by_probe(&path, &effect)?,
                Next::Verify(path, effect) => self.verify(&path, &effect).await?,
                Next::GiveUp(path, effect) => self.give_up(&path, &effect)?,
                Next::Decide(path, effect) => self.decide_effect(&path, &effect).await?,
                Next::Chore(path) => self.chore(&path).await?,
                Next::Conclude(path) => self.conclude(&path)?,
                Next::Failed(path) => self.failed(&path).await?,
                Next::Finish => {
                    let (outcome, reason) = match &run.ending {
                        Some(reason) => (RunOutcome::Aborted, reason.clone()),
                        None => (RunOutcome::Done, "every step has ended".to_owned()),
                    };
                    self.record(None, Event::RunClosed { outcome, reason })?;
                    Turn::Stop(Stop::Closed(outcome))
                }
            };
            if let Turn::Stop(stop) = turn {
                return Ok(stop);
            }
        }
    }

    /// Makes an event durable and tells the observer. Secrets in it are masked first.
    pub(super) fn record(&mut self, path: Option<&StepPath>, event: Event) -> Result<(), EngineError> {
        let event = self.masked(event)?;
        let stamp = self.stamp(path);
        for entry in self.journal.append(&stamp, event)? {
            self.bench.ports.observer.entry(&entry, self.journal.state());
        }
        Ok(())
    }

    pub(super) fn stamp(&self, path: Option<&StepPath>) -> Stamp {
        Stamp {
            at: self.bench.ports.clock.now(),
            by: self.bench.ports.operator.clone(),
            role: self.bench.ports.role,
            run: Some(self.run.clone()),
            path: path.cloned(),
        }
    }

    /// The last line of defence: an event that holds something shaped like a secret is masked before it is written.
    fn masked(&self, event: Event) -> Result<Event, EngineError> {
        let text = serde_json::to_string(&event).map_err(|error| EngineError::Unknown(error.to_string()))?;
        if matches!(self.bench.redactor.redact(&text), std::borrow::Cow::Borrowed(_)) {
            return Ok(event);
        }
        let mut value: Value = serde_json::from_str(&text).map_err(|error| EngineError::Unknown(error.to_string()))?;
        self.bench.redactor.redact_json(&mut value);
        serde_json::from_value(value).map_err(|error| EngineError::Unknown(error.to_string()))
    }

    pub(super) fn pause(&mut self, cause: PauseCause) -> Result<Stop, EngineError> {
        let reason = match &cause {
            PauseCause::Person => "a person paused it".to_owned(),
            PauseCause::Interrupted => {
                self.bench.ports.interrupt.cause().map_or("interrupted", Halt::as_str).to_owned()
            }
            PauseCause::Missing(what) => format!("waiting for a person: {what}"),
            PauseCause::StepFailed(error) => format!("a step failed: {error}"),
        };
        self.record(None, Event::Paused { reason })?;
        Ok(Stop::Paused(cause))
    }

    /// Handles the verbs that stand at every prompt. `Err` holds the answer itself, or the reason of a skip.
    pub(super) fn common<T>(
        &mut self,
        path: &StepPath,
        reply: Reply<T>,
    ) -> Result<Result<Turn, Answered<T>>, EngineError> {
        Ok(match reply {
            Reply::Go(answer) => Err(Answered::Go(answer)),
            Reply::Skip(reason) => Err(Answered::Skip(reason)),
            Reply::Note(kind, text) => {
                self.record(Some(path), Event::Noted { text, kind })?;
                Ok(Turn::On)
            }
            Reply::Pause => Ok(Turn::Stop(self.pause(self.pause_cause())?)),
            Reply::Abort(reason) => {
                if self.step(path).is_some_and(|step| step.effects.iter().any(EffectState::is_open)) {
                    // An open intent must be settled or said to be unknown before the book is closed.
                    let what = "an effect is in doubt: decide about it before aborting";
                    return Ok(Ok(Turn::Stop(self.pause(PauseCause::Missing(what.to_owned()))?)));
                }
                let run = self.run_state()?;
                let has_rest = run.plan.iter().flat_map(|plan| &plan.steps).any(|step| step.finally);
                if has_rest && run.ending.is_none() {
                    self.record(None, Event::RunEnding { reason })?;
                    return Ok(Ok(Turn::On));
                }
                self.record(None, Event::RunClosed { outcome: RunOutcome::Aborted, reason })?;
                Ok(Turn::Stop(Stop::Closed(RunOutcome::Aborted)))
            }
            Reply::Missing(what) => Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?)),
        })
    }

    /// A prompt that ends because of Ctrl-C reads as a pause; tell the two apart.
    fn pause_cause(&self) -> PauseCause {
        if self.bench.ports.interrupt.is_raised() { PauseCause::Interrupted } else { PauseCause::Person }
    }

    pub(super) fn state(&self) -> &IncidentState {
        self.journal.state()
    }

    pub(super) fn run_state(&self) -> Result<&RunState, EngineError> {
        self.journal.state().run(&self.run).ok_or_else(|| EngineError::Unknown(format!("run {}", self.run)))
    }

    pub(super) fn step(&self, path: &StepPath) -> Option<&StepState> {
        self.run_state().ok().and_then(|run| run.step(path))
    }

    pub(super) fn planned(&self, path: &StepPath) -> Result<Arc<PlannedStep>, EngineError> {
        let planned = self.run_state()?.planned(path);
        planned.cloned().ok_or_else(|| EngineError::Unknown(format!("step `{path}`")))
    }

    pub(super) fn action(&self, id: &str) -> Result<&'static dyn AnyAction, EngineError> {
        self.bench.catalogue.get(id).ok_or_else(|| EngineError::Unknown(format!("action `{id}`")))
    }

    pub(super) fn effect(&self, path: &StepPath, key: &EffectKey) -> Result<EffectState, EngineError> {
        let state = self.step(path).and_then(|step| step.effect(key));
        state.cloned().ok_or_else(|| EngineError::Unknown(format!("effect {key}")))
    }
}

/// What a prompt brought besides the common verbs.
pub(super) enum Answered<T> {
    /// The answer.
    Go(T),
    /// Not this; the reason.
    Skip(String),
}
