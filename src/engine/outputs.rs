//! Values that flow from step to step.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};

use super::EngineError;
use super::drive::Engine;
use crate::evidence::EvidenceStore;
use crate::journal::{Payload, PlannedStep, RunState, StepStatus};
use crate::model::{EvidenceRef, IncidentId, StepPath};
use crate::runbook::{RUNBOOK, Scope, named};

/// Larger values are kept as evidence and named in the journal.
const LARGEST_INLINE: usize = 64 * 1024;

/// Values from evidence that are held in memory: a list, the results that its items look at, and a little more.
const MOST_AT_HAND: usize = 4;

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

/// The step called `id` that `planned` may refer to: one beside it, or beside a step around it, as far as the runbook goes
/// in which it stands; the nearest.
pub(super) fn seen<'r>(run: &'r RunState, planned: &'r PlannedStep, id: &str) -> Option<&'r PlannedStep> {
    let (around, _) = around(run, planned);
    let mut all = std::iter::once(planned).chain(around);
    all.find_map(|step| run.planned(&step.beside(id))).map(Arc::as_ref)
}

/// A call that a step stands in: the step that calls, and the item that it calls for.
type Call<'r> = (&'r PlannedStep, Option<&'r str>);

/// The steps that hold or made `planned`, the nearest first, within the runbook in which it stands; and the step that
/// calls that runbook, where one does.
fn around<'r>(run: &'r RunState, planned: &'r PlannedStep) -> (Vec<&'r PlannedStep>, Option<Call<'r>>) {
    let mut around = Vec::new();
    let mut key = planned.key.as_deref();
    for outer in run.ancestors(planned) {
        if outer.action == RUNBOOK {
            return (around, Some((outer, key)));
        }
        around.push(outer);
        key = outer.key.as_deref();
    }
    (around, None)
}

impl Engine {
    /// What references and templates in `text`, which stands in the step `planned`, may see. Only what is named in it:
    /// what all the steps before have brought may be large.
    pub(super) fn scope(&self, planned: &PlannedStep, text: &str) -> Result<Scope, EngineError> {
        let run = self.run_state()?;
        let mut steps = Map::new();
        for id in named("steps", text) {
            if let Some(output) = seen(run, planned, id).map(|step| self.output(step)).transpose()?.flatten() {
                steps.insert(id.to_owned(), output);
            }
        }
        let (around, call) = around(run, planned);
        let mut items = Map::new();
        // The nearest item wins. That of the list for which a runbook is called is not the runbook's to see.
        for step in std::iter::once(planned).chain(around) {
            if let (Some(key), Some(parent)) = (&step.key, &step.parent)
                && call.is_none_or(|(caller, _)| caller.path != *parent)
                && let Some(foreach) = &self.spec(parent)?.foreach
                && !items.contains_key(&foreach.name)
            {
                items.insert(foreach.name.clone(), self.item(parent, key)?);
            }
        }
        let given = match call {
            None => None,
            Some((caller, key)) => {
                let inputs = self.step(&caller.path).and_then(|step| step.inputs.as_ref());
                Some(self.part(inputs, key.unwrap_or_default())?)
            }
        };
        let inputs = match &given {
            None => run.plan.as_ref().map(|plan| &plan.inputs),
            Some(given) => given.as_object(),
        };
        let inputs = named("inputs", text).filter_map(|name| inputs?.get_key_value(name));
        Ok(Scope {
            inputs: inputs.map(|(name, value)| (name.clone(), value.clone())).collect(),
            steps,
            incident: incident_facts(self.state().id.as_ref(), run),
            items,
        })
    }

    /// The output of a step that is done, or was skipped after its look.
    pub(super) fn output(&self, step: &PlannedStep) -> Result<Option<Value>, EngineError> {
        match self.run_state()?.status(&step.path) {
            StepStatus::Done { output, .. } | StepStatus::Skipped { output: Some(output), .. } => {
                self.unwrap(output).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Unwraps a value from the journal.
    pub(super) fn unwrap(&self, payload: &Payload) -> Result<Value, EngineError> {
        match payload {
            Payload::Inline(value) => Ok(value.clone()),
            Payload::Kept(kept) => Ok((*self.read_back(kept)?).clone()),
        }
    }

    /// The item of a list as it was fixed.
    fn item(&self, container: &StepPath, key: &str) -> Result<Value, EngineError> {
        self.part(self.step(container).and_then(|step| step.rounds.last()), key)
    }

    /// One value of a table, without all the others.
    fn part(&self, table: Option<&Payload>, key: &str) -> Result<Value, EngineError> {
        let part = match table {
            None => None,
            Some(Payload::Inline(table)) => table.get(key).cloned(),
            Some(Payload::Kept(kept)) => self.read_back(kept)?.get(key).cloned(),
        };
        Ok(part.unwrap_or_default())
    }

    /// A value that was kept as evidence. Each item of a list needs the whole list again, so the last few are at hand.
    fn read_back(&self, kept: &EvidenceRef) -> Result<Arc<Value>, EngineError> {
        let mut at_hand = self.read_back.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = at_hand.iter().find(|(digest, _)| *digest == kept.sha256) {
            return Ok(value.clone());
        }
        let bytes = self.bench.evidence.read(&kept.sha256).map_err(EngineError::Evidence)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| EngineError::Evidence(error.into()))?;
        let value = Arc::new(value);
        at_hand.truncate(MOST_AT_HAND - 1);
        at_hand.insert(0, (kept.sha256.clone(), value.clone()));
        Ok(value)
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
