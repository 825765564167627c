use serde_json::{Map, Value, json};

use crate::action::Catalogue;
use crate::journal::{PlanSealed, PlannedStep};
use crate::model::{Account, World};
use crate::model::{Danger, StepPath, canonical_digest};
use crate::runbook::Runbook;

/// What a plan is bound to besides the runbook and its inputs.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The world.
    pub world: &'a World,
    /// The API's host.
    pub api: &'a str,
    /// The account.
    pub account: &'a Account,
}

/// Fixes a plan: the step instances, and the digest that binds runbook bytes, inputs, action versions, account and
/// host. Effects are no part of it: those are consented to on their own.
pub fn seal_plan(
    runbook: &Runbook,
    inputs: &Map<String, Value>,
    catalogue: Catalogue,
    binding: Binding<'_>,
) -> PlanSealed {
    let versions: Map<String, Value> = runbook
        .steps
        .iter()
        .filter_map(|step| catalogue.get(&step.action))
        .map(|action| (action.spec().id.to_owned(), action.spec().version.into()))
        .collect();
    let digest = canonical_digest(&json!({
        "runbook": runbook.source.digest,
        "inputs": inputs,
        "actions": versions,
        "world": binding.world,
        "api": binding.api,
        "account": binding.account.id,
    }));
    let steps = runbook.steps.iter().map(|step| PlannedStep {
        path: StepPath::step(&step.id),
        phase: step.phase,
        title: step.title.clone(),
        why: step.why.clone(),
        action: step.action.clone(),
        max_danger: catalogue.get(&step.action).map_or(Danger::Observe, |action| action.spec().max_danger),
    });
    let not_examined = catalogue.not_examined(runbook.steps.iter().map(|step| step.action.as_str()));
    PlanSealed {
        digest,
        inputs: inputs.clone(),
        steps: steps.collect(),
        not_examined: not_examined.into_iter().map(str::to_owned).collect(),
    }
}
