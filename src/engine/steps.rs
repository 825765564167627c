//! The turns that concern a step as a whole.

use super::drive::{Answered, Engine, PauseCause, Turn};
use super::outputs::seen;
use super::{AskRequest, EngineError, FailureRequest, GoOnRequest, UnmetRequest, chore};
use crate::action::{Done, DoneEffect};
use crate::journal::{
    Basis, EffectState, EffectStatus, Event, FailureDecision, Left, Payload, Proposed, SkipCause, StepState, StepStatus,
};
use crate::model::{Disposition, Finding, FindingStatus, Outcome, StepPath, Verdict};
use crate::runbook::{OnFailure, Place, StepSpec};

impl Engine {
    /// Where the step at `path` is declared.
    pub(super) fn locate(&self, path: &StepPath) -> Result<Place<'_>, EngineError> {
        self.bench.runbook.locate(path).ok_or_else(|| EngineError::Unknown(format!("step `{path}`")))
    }

    pub(super) fn spec(&self, path: &StepPath) -> Result<&StepSpec, EngineError> {
        self.locate(path).map(|place| place.step)
    }

    pub(super) async fn begin(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let spec = self.spec(path)?;
        // A step that is done item by item has judged its condition before it looked at its list.
        let planned = self.planned(path)?;
        let is_item = spec.foreach.is_some() && !planned.container;
        if let Some(when) = spec.when.as_ref().filter(|_| !is_item) {
            let scope = self.scope(&planned, when)?;
            match self.bench.templates.truthy(when, &scope) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = format!("its condition is not met: {when}");
                    self.record(Some(path), Event::StepSkipped { reason, cause: SkipCause::When, output: None })?;
                    return Ok(Turn::On);
                }
                Err(error) => {
                    let error = format!("its condition `{when}` cannot be judged: {error}");
                    let hint = "an earlier step that it looks at was skipped or failed".to_owned();
                    self.record(Some(path), Event::StepBegan)?;
                    self.record(Some(path), Event::StepFailed { error, hint: Some(hint) })?;
                    return Ok(Turn::On);
                }
            }
        }
        let unmet = self.unmet(path)?;
        if !unmet.is_empty() {
            let prompter = self.bench.ports.prompter.clone();
            let reply = prompter.unmet(UnmetRequest { step: &planned, unmet }).await;
            match self.common(path, reply)? {
                Ok(turn) => return Ok(turn),
                Err(Answered::Skip(reason)) => return self.skip(path, reason),
                Err(Answered::Go(())) => {}
            }
        }
        self.record(Some(path), Event::StepBegan)?;
        Ok(Turn::On)
    }

    /// Required steps that were not done. One that its own condition ruled out is not missed.
    fn unmet(&self, path: &StepPath) -> Result<Vec<(String, String)>, EngineError> {
        let run = self.run_state()?;
        let planned = self.planned(path)?;
        let mut unmet = Vec::new();
        for id in &self.spec(path)?.requires {
            // What is required stands in sight, or the runbook would not have passed its check.
            match seen(run, &planned, id).map_or(&StepStatus::Pending, |step| run.status(&step.path)) {
                StepStatus::Done { .. } | StepStatus::Skipped { cause: SkipCause::When, .. } => {}
                StepStatus::Skipped { reason, .. } => unmet.push((id.clone(), format!("skipped: {reason}"))),
                StepStatus::Failed { error, .. } => unmet.push((id.clone(), format!("failed: {error}"))),
                status => unmet.push((id.clone(), status.as_str().to_owned())),
            }
        }
        Ok(unmet)
    }

    pub(super) fn jump_over(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let reason = "an earlier step failed, and its `on_failure` goes on further down".to_owned();
        self.record(Some(path), Event::StepSkipped { reason, cause: SkipCause::Jump, output: None })?;
        Ok(Turn::On)
    }

    pub(super) async fn ask(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let Some(ask) =
            self.step(path).and_then(|step| step.proposed.as_ref()).and_then(|proposed| proposed.ask.clone())
        else {
            return Ok(Turn::On);
        };
        let prompter = self.bench.ports.prompter.clone();
        let reply = prompter.ask(AskRequest { step: &planned, ask: &ask }).await;
        match self.common(path, reply)? {
            Ok(turn) => return Ok(turn),
            Err(Answered::Skip(reason)) => return self.skip(path, reason),
            Err(Answered::Go(fields)) => self.record(Some(path), Event::Answered { fields })?,
        }
        Ok(Turn::On)
    }

    /// A person wants a step not to be done. Where the runbook does not allow that, the run rests instead.
    pub(super) fn skip(&mut self, path: &StepPath, reason: String) -> Result<Turn, EngineError> {
        if !self.planned(path)?.skippable {
            let what = format!("step `{path}`, which may not be skipped");
            return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
        }
        let output = self.seen_without_doing(path)?;
        self.record(Some(path), Event::StepSkipped { reason, cause: SkipCause::Person, output })?;
        Ok(Turn::On)
    }

    /// The output of a step that was looked at and of which nothing was done: what is skipped was seen all the same, and
    /// the steps behind it go on from that. What was asked and not answered has none.
    fn seen_without_doing(&self, path: &StepPath) -> Result<Option<Payload>, EngineError> {
        let Some(proposed) = self.step(path).and_then(|step| step.proposed.as_ref()) else { return Ok(None) };
        if proposed.ask.is_some() {
            return Ok(None);
        }
        let action = self.action(&self.planned(path)?.action)?;
        let output = self.unwrap(&proposed.output)?;
        match action.conclude(output, &Done::default()) {
            Ok(output) => self.wrap(output, path).map(Some),
            Err(_) => Ok(None),
        }
    }

    pub(super) async fn go_on(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let effects = self.step(path).map(|step| step.effects.clone()).unwrap_or_default();
        let rest: Vec<_> = effects.iter().filter(|state| matches!(state.status, EffectStatus::Consented(_))).collect();
        let Some(first) = effects.iter().find(|state| state.was_sent()) else { return Ok(Turn::On) };
        let beforehand = rest.iter().map(|state| state.basis).find(|basis| *basis != Basis::Typed);
        let proven = effects.iter().filter(|state| state.was_sent()).all(EffectState::is_proven);
        // Consent that was given beforehand is to a list that works: a first row that is not proven needs a person.
        if let (Some(basis), true) = (beforehand, proven) {
            self.record(Some(path), Event::WentOn { basis })?;
            return Ok(Turn::On);
        }
        let prompter = self.bench.ports.prompter.clone();
        let unproven = beforehand.is_some();
        let reply = prompter.go_on(GoOnRequest { step: &planned, first, rest: rest.len(), unproven }).await;
        match self.common(path, reply)? {
            Ok(turn) => return Ok(turn),
            Err(Answered::Go(())) => self.record(Some(path), Event::WentOn { basis: Basis::Typed })?,
            Err(Answered::Skip(reason)) => {
                let keep = |state: &&EffectState| Left {
                    effect: state.effect.key.clone(),
                    disposition: Disposition::Keep { reason: reason.clone() },
                };
                self.record(Some(path), Event::RowsLeft { left: rest.iter().map(keep).collect() })?;
            }
        }
        Ok(Turn::On)
    }

    pub(super) fn conclude(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(step) = self.step(path).cloned() else { return Ok(Turn::On) };
        let Some(proposed) = &step.proposed else { return Ok(Turn::On) };
        for state in &step.effects {
            let Some((id, status, detail)) = finding_after(state) else { continue };
            for id in self.to_settle(id, status) {
                self.record(Some(path), Event::FindingSettled { id, status, detail: detail.clone() })?;
            }
        }
        let done = Done {
            effects: step.effects.iter().map(done_effect).collect(),
            fields: step.answers.clone().unwrap_or_default(),
            chore: step.chore_done.clone(),
        };
        let output = self.unwrap(&proposed.output)?;
        let action = self.action(&self.planned(path)?.action)?;
        match action.conclude(output, &done) {
            Ok(output) => {
                let output = self.wrap(output, path)?;
                self.record(Some(path), Event::StepDone { output, summary: summary(&step, proposed) })?;
            }
            Err(error) => self.record(Some(path), Event::StepFailed { error: error.message, hint: error.hint })?,
        }
        Ok(Turn::On)
    }

    /// Ids of the findings that come to this status with the one of this id. What is accepted of a resource is accepted,
    /// whichever look found it: it would stand open beside the reason for it.
    fn to_settle(&self, id: String, status: FindingStatus) -> Vec<String> {
        let findings = &self.state().findings;
        let Some(it) = findings.get(&id) else { return Vec::new() };
        let is_like = |other: &&Finding| {
            let is_open = status == FindingStatus::Accepted && other.status == FindingStatus::Open;
            is_open && other.id != id && other.technique == it.technique && other.resource.is_same(&it.resource)
        };
        let like: Vec<String> = findings.values().filter(is_like).map(|other| other.id.clone()).collect();
        Some(id).filter(|_| it.status != status).into_iter().chain(like).collect()
    }

    pub(super) async fn failed(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(StepStatus::Failed { error, hint, .. }) = self.step(path).map(|step| step.status.clone()) else {
            return Ok(Turn::On);
        };
        let by_rule = || FailureDecision::BY_RUNBOOK.to_owned();
        let (decision, words) = match &self.spec(path)?.on_failure {
            // It rests once: whoever takes the run up again has come to say what is to be done.
            OnFailure::Stop if self.rested_at.as_ref() != Some(path) => {
                return Ok(Turn::Stop(self.pause(PauseCause::StepFailed(error))?));
            }
            OnFailure::Continue => (FailureDecision::Continue, by_rule()),
            OnFailure::Goto(later) => (FailureDecision::Jump(later.clone()), by_rule()),
            OnFailure::Ask | OnFailure::Stop => {
                let planned = self.planned(path)?;
                let prompter = self.bench.ports.prompter.clone();
                let reply =
                    prompter.failure(FailureRequest { step: &planned, error: &error, hint: hint.as_deref() }).await;
                match self.common(path, reply)? {
                    Ok(turn) => return Ok(turn),
                    Err(Answered::Skip(_)) if !planned.skippable => {
                        let what = format!("step `{path}` failed, and may not be skipped");
                        return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
                    }
                    Err(Answered::Skip(reason)) => (FailureDecision::Continue, reason),
                    Err(Answered::Go(decided)) => decided,
                }
            }
        };
        self.record(Some(path), Event::FailureDecided { decision, words })?;
        // One that is begun again and fails again is another failure.
        self.rested_at = None;
        Ok(Turn::On)
    }
}

/// What becomes of the finding that an effect deals with.
fn finding_after(state: &EffectState) -> Option<(String, FindingStatus, String)> {
    let resolves = state.effect.resolves.as_ref()?;
    if let EffectStatus::Left(Disposition::AlreadyMet { proof }) = &state.status {
        return Some((resolves.finding.clone(), resolves.status, format!("already so: {proof}")));
    }
    if resolves.status == FindingStatus::Open {
        return reopened(state).map(|detail| (resolves.finding.clone(), FindingStatus::Open, detail));
    }
    match (&state.status, &state.verdict) {
        (EffectStatus::Finished, Some(Verdict::Holds(proof))) => {
            Some((resolves.finding.clone(), resolves.status, proof.clone()))
        }
        (EffectStatus::Left(Disposition::Keep { reason }), _) => {
            Some((resolves.finding.clone(), FindingStatus::Accepted, reason.clone()))
        }
        _ => None,
    }
}

/// Why the finding of an undo is open again. Other than a containment, an undo counts as soon as it may have taken
/// place: one that was not sent, was refused or is seen not to be there leaves the finding as it was.
fn reopened(state: &EffectState) -> Option<String> {
    if !state.was_sent() || matches!(state.outcome(), Some(Outcome::Refused(_))) {
        return None;
    }
    match &state.verdict {
        Some(Verdict::Holds(proof)) => Some(proof.clone()),
        Some(Verdict::DoesNotHold(_)) if !state.is_applied() => None,
        Some(other) => Some(format!("what was done about it may be undone: {}", other.detail())),
        None => Some("what was done about it may be undone: nobody could look".to_owned()),
    }
}

fn done_effect(state: &EffectState) -> DoneEffect {
    DoneEffect {
        effect: state.effect.clone(),
        applied: state.is_applied(),
        met: state.is_met(),
        receipt: state.receipt().cloned().unwrap_or_default(),
        verdict: state.verdict.clone(),
        left: match &state.status {
            EffectStatus::Left(Disposition::Later { owner }) => Some(format!("later: {owner}")),
            EffectStatus::Left(Disposition::Keep { reason }) => Some(format!("kept: {reason}")),
            EffectStatus::Left(Disposition::AlreadyMet { proof }) => Some(format!("already so: {proof}")),
            EffectStatus::Left(Disposition::Unseen { why }) => Some(format!("not seen any more: {why}")),
            EffectStatus::Abandoned => Some(format!("given up: {}", state.words.as_deref().unwrap_or_default())),
            _ => None,
        },
    }
}

fn summary(step: &StepState, proposed: &Proposed) -> String {
    if let Some(done) = &step.chore_done {
        return chore::summary(done);
    }
    let effects = &step.effects;
    if effects.is_empty() {
        return proposed.summary.clone();
    }
    let applied = effects.iter().filter(|state| state.is_applied());
    let (mut proven, mut unproven) = (0, 0);
    for state in applied {
        if matches!(state.verdict, Some(Verdict::Holds(_))) { proven += 1 } else { unproven += 1 }
    }
    let met = effects.iter().filter(|state| state.is_met()).count();
    let later = step.later();
    let left = effects.len() - proven - unproven - met - later;
    let mut parts = vec![format!("{proven} of {} done and proven", effects.len())];
    if unproven > 0 {
        parts.push(format!("{unproven} done, not verified"));
    }
    if later > 0 {
        parts.push(format!("{later} for later"));
    }
    if left > 0 {
        parts.push(format!("{left} not done"));
    }
    // A fresh look may have shown once more what was done here.
    let known = |name: &str| effects.iter().any(|state| state.effect.target.is_called(name));
    let already = met + proposed.already.iter().filter(|(name, _)| !known(name)).count();
    if already > 0 {
        parts.push(format!("{already} so already"));
    }
    if !proposed.not_proposed.is_empty() {
        parts.push(format!("{} left out", proposed.not_proposed.len()));
    }
    parts.join(", ")
}
