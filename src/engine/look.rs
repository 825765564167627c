use std::collections::BTreeSet;

use serde_json::Value;

use super::EngineError;
use super::drive::{Engine, Turn};
use super::outputs;
use crate::action::{Look, StepError, StepPlan, Taken};
use crate::journal::{Event, Proposed};
use crate::model::{Call, StepPath};

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
        let (plan, taken) = match self.look(path).await? {
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
        if let Some(effect) = plan.effects.iter().find(|effect| self.holds_secret(&effect.call)) {
            let error = format!("the call that would {} holds something shaped like a secret", effect.summary);
            let hint = "quell does not journal secrets, so it cannot send this; do it by hand and record it".to_owned();
            self.record(Some(path), Event::StepFailed { error, hint: Some(hint) })?;
            return Ok(Turn::On);
        }
        if plan.effects.is_empty() && plan.ask.is_none() && self.step(path).is_none_or(|step| step.effects.is_empty()) {
            let output = self.wrap(plan.output, path)?;
            self.record(Some(path), Event::StepDone { output, summary: plan.summary })?;
        } else {
            self.propose(path, *plan)?;
        }
        Ok(Turn::On)
    }

    /// Runs the action's look. Reads may be interrupted: nothing is lost but the reads.
    pub(super) async fn look(&self, path: &StepPath) -> Result<Looked, EngineError> {
        let planned = self.planned(path)?;
        let action = self.action(&planned.action)?;
        let params = match self.params(path)? {
            Ok(params) => params,
            Err(error) => return Ok(Looked::Failed(error, Taken::default())),
        };
        let look = self.make_look(path);
        let looked = tokio::select! {
            looked = action.plan(params, &look) => Some(looked),
            () = self.bench.ports.interrupt.raised() => None,
        };
        Ok(match looked {
            Some(Ok(plan)) => Looked::Seen(Box::new(plan), look.finish()),
            Some(Err(error)) => Looked::Failed(error, look.finish()),
            None => Looked::Interrupted,
        })
    }

    pub(super) fn make_look<'a>(&'a self, path: &'a StepPath) -> Look<'a> {
        let bench = &self.bench;
        Look::new(&*bench.read, &*bench.outside, &bench.evidence, &*bench.ports.clock, &*bench.ports.progress, path)
    }

    /// The step's parameters, with references and text filled in.
    fn params(&self, path: &StepPath) -> Result<Result<Value, StepError>, EngineError> {
        let scope = outputs::scope(self.state().id.as_ref(), self.run_state()?, &self.bench.evidence)?;
        let spec = self.spec(path)?;
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
            already: plan.already,
        };
        self.record(Some(path), Event::Proposed(Box::new(proposed)))
    }

    pub(super) fn wrap(&self, mut output: Value, path: &StepPath) -> Result<crate::journal::Payload, EngineError> {
        self.bench.redactor.redact_json(&mut output);
        outputs::wrap(output, path, &self.bench.evidence, self.bench.ports.clock.now())
    }

    fn holds_secret(&self, call: &Call) -> bool {
        let text = serde_json::to_string(call).unwrap_or_default();
        matches!(self.bench.redactor.redact(&text), std::borrow::Cow::Owned(_))
    }
}
