//! Values that flow from step to step.

use serde_json::{Map, Value};

use super::EngineError;
use super::contents::inputs_of;
use super::drive::Engine;
use crate::evidence::EvidenceStore;
use crate::journal::{Payload, PlannedStep, RunState, StepStatus};
use crate::model::{IncidentId, StepPath};
use crate::runbook::{RUNBOOK, Scope};

/// Larger values are kept as evidence and named in the journal.
const LARGEST_INLINE: usize = 64 * 1024;

/// Wraps a value for the journal.
pub(super) fn wrap(
    value: Value,
    path: &StepPath,
    store: &EvidenceStore,
    now: jiff::Timestamp,
) -> Result<Payload, EngineError> {
    let text = value.to_string();
    if text.len() <= LARGEST_INLINE {
        return Ok(Payload::Inline(value));
    }
    let kept = crate::evidence::EvidenceSink::keep(store, &format!("output of step {path}"), text.as_bytes(), now);
    kept.map(Payload::Kept).map_err(EngineError::Evidence)
}

/// Unwraps a value from the journal.
pub(super) fn unwrap(payload: &Payload, store: &EvidenceStore) -> Result<Value, EngineError> {
    match payload {
        Payload::Inline(value) => Ok(value.clone()),
        Payload::Kept(kept) => {
            let bytes = store.read(&kept.sha256).map_err(EngineError::Evidence)?;
            serde_json::from_slice(&bytes).map_err(|error| EngineError::Evidence(error.into()))
        }
    }
}

/// The steps that `planned` may refer to: those before it in its own list, and in the lists around that, as far as the
/// runbook goes in which it stands.
pub(super) fn visible<'r>(run: &'r RunState, planned: &PlannedStep) -> Vec<&'r PlannedStep> {
    let steps = run.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
    let (around, _) = around(run, planned);
    let before = steps.iter().take_while(|step| step.path != planned.path);
    let in_sight = |step: &&PlannedStep| step.is_beside(planned) || around.iter().any(|outer| step.is_beside(outer));
    before.filter(in_sight).collect()
}

/// A call that a step stands in: the step that calls, and the item that it calls for.
type Call<'r> = (&'r PlannedStep, Option<String>);

/// The steps that hold or made `planned`, the nearest first, within the runbook in which it stands; and the step that
/// calls that runbook, where one does.
fn around<'r>(run: &'r RunState, planned: &PlannedStep) -> (Vec<&'r PlannedStep>, Option<Call<'r>>) {
    let mut around = Vec::new();
    let mut key = planned.key.clone();
    for outer in run.ancestors(planned) {
        if outer.action == RUNBOOK {
            return (around, Some((outer, key)));
        }
        around.push(outer);
        key.clone_from(&outer.key);
    }
    (around, None)
}

/// Outputs of the steps among `seen` that are done, or were skipped after their look, by id.
pub(super) fn outputs(
    run: &RunState,
    seen: &[&PlannedStep],
    store: &EvidenceStore,
) -> Result<Map<String, Value>, EngineError> {
    let mut outputs = Map::new();
    for step in seen {
        if let StepStatus::Done { output, .. } | StepStatus::Skipped { output: Some(output), .. } =
            run.status(&step.path)
        {
            outputs.insert(step.path.id().to_owned(), unwrap(output, store)?);
        }
    }
    Ok(outputs)
}

impl Engine {
    /// What templates and references of a step may see.
    pub(super) fn scope(&self, path: &StepPath) -> Result<Scope, EngineError> {
        let planned = self.planned(path)?;
        let seen = visible(self.run_state()?, &planned);
        self.scope_of(&planned, &seen)
    }

    /// What the step `planned` may see, where it sees the outputs of `seen`.
    pub(super) fn scope_of(&self, planned: &PlannedStep, seen: &[&PlannedStep]) -> Result<Scope, EngineError> {
        let run = self.run_state()?;
        let mut items = Map::new();
        let (mut around, call) = around(run, planned);
        around.insert(0, planned);
        // The nearest item wins: the outermost is set first. That of the list for which a runbook is called is not the
        // runbook's to see.
        for step in around.iter().rev() {
            if let (Some(key), Some(parent)) = (&step.key, &step.parent)
                && call.as_ref().is_none_or(|(caller, _)| caller.path != *parent)
                && let Some(foreach) = &self.spec(parent)?.foreach
            {
                items.insert(foreach.name.clone(), self.item(parent, key)?);
            }
        }
        let inputs = match call {
            None => run.plan.as_ref().map(|plan| plan.inputs.clone()).unwrap_or_default(),
            Some((caller, key)) => inputs_of(&self.given(&caller.path)?, key.as_deref()),
        };
        Ok(Scope {
            inputs,
            steps: outputs(run, seen, &self.bench.evidence)?,
            incident: incident_facts(self.state().id.as_ref(), run),
            items,
        })
    }

    /// What a called runbook was given, by the key of the item.
    fn given(&self, caller: &StepPath) -> Result<Map<String, Value>, EngineError> {
        let fixed = self.step(caller).and_then(|step| step.inputs.as_ref());
        let given = fixed.map(|inputs| unwrap(inputs, &self.bench.evidence)).transpose()?;
        Ok(given.as_ref().and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// The item of a list as it was fixed.
    pub(super) fn item(&self, container: &StepPath, key: &str) -> Result<Value, EngineError> {
        let fixed = self.step(container).and_then(|step| step.rounds.last());
        let items = fixed.map(|items| unwrap(items, &self.bench.evidence)).transpose()?.unwrap_or_default();
        Ok(items.get(key).cloned().unwrap_or_default())
    }
}

fn incident_facts(id: Option<&IncidentId>, run: &RunState) -> Map<String, Value> {
    let fact = |name: &str, value: String| (name.to_owned(), Value::String(value));
    Map::from_iter([
        fact("id", id.map(ToString::to_string).unwrap_or_default()),
        fact("account_id", run.opened.account.id.clone()),
        fact("account_name", run.opened.account.name.clone()),
        fact("world", run.opened.world.to_string()),
    ])
}
