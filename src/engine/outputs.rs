//! Values that flow from step to step.

use serde_json::{Map, Value};

use super::EngineError;
use crate::evidence::EvidenceStore;
use crate::journal::{Payload, RunState, StepStatus};
use crate::model::{IncidentId, StepPath};
use crate::runbook::Scope;

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

/// What templates and references of a step may see: inputs, outputs of steps that are done, facts of the incident.
pub(super) fn scope(id: Option<&IncidentId>, run: &RunState, store: &EvidenceStore) -> Result<Scope, EngineError> {
    let mut steps = Map::new();
    for (path, step) in &run.steps {
        if let StepStatus::Done { output, .. } = &step.status {
            steps.insert(path.id().to_owned(), unwrap(output, store)?);
        }
    }
    let inputs = run.plan.as_ref().map(|plan| plan.inputs.clone()).unwrap_or_default();
    Ok(Scope { inputs, steps, incident: incident_facts(id, run) })
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
