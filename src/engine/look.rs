use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::Value;

use super::EngineError;
use super::drive::{Engine, Turn};
use super::{mask, outputs};
use crate::action::{Look, StepError, StepPlan, Taken};
use crate::journal::{Event, Proposed};
use crate::model::StepPath;
use crate::provider::Lane;

/// How a look at a step ended.
pub(super) enum Looked {
    /// It was looked at.
    Seen(Box<StepPlan<Value>>, Taken),
    /// It could not be.
    Failed(StepError, Taken),
    /// The run is to stop.
    Interrupted,
}

impl Engine {
    /// Looks at a step and journals what was seen and what it would change.
    pub(super) async fn plan(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let (plan, taken) = match self.look(path, Lane::Sweep).await? {
            Looked::Seen(plan, taken) => (plan, taken),
            Looked::Failed(error, taken) => {
                self.keep_taken(path, taken)?;
                self.record(Some(path), Event::StepFailed { error: error.message, hint: error.hint })?;
                return Ok(Turn::On);
            }
            Looked::Interrupted => return Ok(Turn::On),
        };
        self.keep_taken(path, taken)?;
        self.keep_seen(path, &plan)?;
        // A goal that is met already is shown with its proof, though nothing is left to ask.
        let nothing_to_show = plan.effects.is_empty()
            && plan.ask.is_none()
            && plan.chore.is_none()
            && plan.already.is_empty()
            && plan.not_proposed.is_empty();
        if nothing_to_show && self.step(path).is_none_or(|step| step.effects.is_empty()) {
            let output = self.wrap(plan.output, path)?;
            self.record(Some(path), Event::StepDone { output, summary: plan.summary })?;
        } else {
            self.propose(path, *plan)?;
        }
        Ok(Turn::On)
    }

    /// Runs the action's look, with reads at least as urgent as `lane`. Reads may be interrupted: nothing is lost but the reads.
    pub(super) async fn look(&self, path: &StepPath, lane: Lane) -> Result<Looked, EngineError> {
        let planned = self.planned(path)?;
        let action = self.action(&planned.action)?;
        let params = match self.params(path)? {
            Ok(params) => params,
            Err(error) => return Ok(Looked::Failed(error, Taken::default())),
        };
        let (retry, timeout) = (self.spec(path)?.retry, self.spec(path)?.timeout);
        let mut tries_left = retry.map_or(0, |retry| retry.times);
        loop {
            let look = self.make_look(path, lane);
            let looked = tokio::select! {
                looked = action.plan(params.clone(), &look) => looked,
                () = self.timed_out(timeout) => Err(too_long(timeout)),
                () = self.bench.ports.interrupt.raised() => return Ok(Looked::Interrupted),
            };
            match (looked, retry) {
                (Ok(plan), _) => {
                    let plan = mask::plan(plan, &self.bench.redactor);
                    return Ok(Looked::Seen(Box::new(plan), look.finish()));
                }
                (Err(_), Some(retry)) if tries_left > 0 => {
                    tries_left -= 1;
                    let tried = u64::from(retry.times - tries_left);
                    self.bench.ports.progress.tick("trying again", tried, u64::from(retry.times));
                    tokio::select! {
                        () = self.bench.ports.clock.sleep(retry.every.unsigned_abs()) => {}
                        () = self.bench.ports.interrupt.raised() => return Ok(Looked::Interrupted),
                    }
                }
                (Err(error), _) => return Ok(Looked::Failed(error, look.finish())),
            }
        }
    }

    /// Ends when the time for a step's reads is over; never where it has none.
    async fn timed_out(&self, timeout: Option<SignedDuration>) {
        match timeout {
            Some(timeout) => self.bench.ports.clock.sleep(timeout.unsigned_abs()).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn make_look<'a>(&'a self, path: &'a StepPath, lane: Lane) -> Look<'a> {
        let bench = &self.bench;
        let (clock, progress) = (&*bench.ports.clock, &*bench.ports.progress);
        Look::new(&*bench.read, &*bench.outside, &bench.evidence, clock, progress, &bench.safeguards, path)
            .as_urgent_as(lane)
            .of_incident(self.state())
            .of_run(&self.run)
            .with_leaked(bench.leaked.as_deref())
    }

    /// The step's parameters, with references and text filled in.
    fn params(&self, path: &StepPath) -> Result<Result<Value, StepError>, EngineError> {
        let spec = self.spec(path)?;
        let text = serde_json::to_string(&spec.with).unwrap_or_default();
        let scope = self.scope(&*self.planned(path)?, &text)?;
        let resolved = crate::runbook::resolve(&spec.with, &scope, &self.bench.templates);
        Ok(resolved.map_err(|error| {
            StepError::new(format!("the parameters cannot be filled in: {error}"))
                .hint("an earlier step that feeds this one was skipped or failed: do this step by hand, or skip it")
        }))
    }

    pub(super) fn keep_taken(&mut self, path: &StepPath, taken: Taken) -> Result<(), EngineError> {
        for evidence in taken.evidence {
            self.record(Some(path), Event::EvidenceTaken { evidence })?;
        }
        for gap in taken.gaps {
            self.record(Some(path), Event::GapSeen { gap })?;
        }
        taken.failure.map_or(Ok(()), |failure| Err(EngineError::Evidence(failure)))
    }

    fn keep_seen(&mut self, path: &StepPath, plan: &StepPlan<Value>) -> Result<(), EngineError> {
        for finding in &plan.findings {
            let known = self.state().findings.get(&finding.id);
            // A second look does not open anew what has been dealt with, unless it sees something else.
            if known.is_none_or(|known| known.after != finding.after || known.attribution != finding.attribution) {
                self.record(Some(path), Event::FindingMade { finding: Box::new(finding.clone()) })?;
            }
        }
        for (id, status, detail) in &plan.settled_findings {
            if self.state().findings.get(id).is_some_and(|known| known.status != *status) {
                let event = Event::FindingSettled { id: id.clone(), status: *status, detail: detail.clone() };
                self.record(Some(path), event)?;
            }
        }
        for gap in &plan.gaps {
            self.record(Some(path), Event::GapSeen { gap: gap.clone() })?;
        }
        Ok(())
    }

    pub(super) fn propose(&mut self, path: &StepPath, plan: StepPlan<Value>) -> Result<(), EngineError> {
        let verb = self.action(&self.planned(path)?.action)?.spec().verb.to_owned();
        let mut seen = BTreeSet::new();
        let effects = plan.effects.into_iter().filter(|effect| seen.insert(effect.key.clone())).collect();
        let proposed = Proposed {
            output: self.wrap(plan.output, path)?,
            summary: plan.summary,
            effects,
            account_for_rest: plan.account_for_rest,
            verb,
            ask: plan.ask,
            chore: plan.chore,
            already: plan.already,
            not_proposed: plan.not_proposed,
        };
        self.record(Some(path), Event::Proposed(Box::new(proposed)))
    }

    pub(super) fn wrap(&self, mut output: Value, path: &StepPath) -> Result<crate::journal::Payload, EngineError> {
        self.bench.redactor.redact_json(&mut output);
        outputs::wrap(output, path, &self.bench.evidence, self.bench.ports.clock.now())
    }
}

fn too_long(timeout: Option<SignedDuration>) -> StepError {
    let limit = timeout.map(|timeout| format!(" of {timeout:#}")).unwrap_or_default();
    StepError::new(format!("its reads took longer than the `timeout`{limit}"))
        .hint("retry it, or skip it with a reason; what was read so far is kept as evidence")
}
