use serde_json::{Map, Value, json};

use crate::action::Catalogue;
use crate::journal::{PlanSealed, PlannedStep};
use crate::model::{Account, Danger, IncidentId, StepPath, World, canonical_digest};
use crate::runbook::{GROUP, Runbook, Scope, StepSpec, Templates};

/// What a plan is bound to besides the runbook and its inputs.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The incident, for titles; the plan is not bound to it.
    pub incident: &'a IncidentId,
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
    templates: &Templates,
    binding: Binding<'_>,
) -> PlanSealed {
    let versions: Map<String, Value> = runbook
        .all_steps()
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
    let instances = Instances { runbook, catalogue, templates };
    let fact = |name: &str, value: String| (name.to_owned(), Value::String(value));
    let incident = Map::from_iter([
        fact("id", binding.incident.to_string()),
        fact("account_id", binding.account.id.clone()),
        fact("account_name", binding.account.name.clone()),
        fact("world", binding.world.to_string()),
    ]);
    let scope = Scope { inputs: inputs.clone(), incident, ..Scope::default() };
    let top =
        |spec: &StepSpec, finally| PlannedStep { finally, ..instances.one(spec, StepPath::step(&spec.id), &scope) };
    let steps = runbook.steps.iter().map(|spec| top(spec, false));
    let steps = steps.chain(runbook.finally.iter().map(|spec| top(spec, true)));
    let not_examined = catalogue.not_examined(runbook.all_steps().map(|step| step.action.as_str()));
    PlanSealed {
        digest,
        inputs: inputs.clone(),
        steps: steps.collect(),
        not_examined: not_examined.into_iter().map(str::to_owned).collect(),
        nested: Vec::new(),
    }
}

/// Makes step instances from what the runbook declares.
pub(super) struct Instances<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) catalogue: Catalogue,
    pub(super) templates: &'a Templates,
}

impl Instances<'_> {
    /// The steps that `container` holds or makes, in one round.
    pub(super) fn within(
        &self,
        container: &PlannedStep,
        spec: &StepSpec,
        round: u32,
        items: Option<&Map<String, Value>>,
        scope: &Scope,
    ) -> Vec<PlannedStep> {
        let repeated = spec.repeat.as_ref().map(|_| round);
        let held = |inner: &StepSpec, path: StepPath, key: Option<&String>, scope: &Scope| PlannedStep {
            parent: Some(container.path.clone()),
            round: repeated.unwrap_or_default(),
            key: key.cloned(),
            finally: container.finally,
            ..self.one(inner, path, scope)
        };
        let group = |key: Option<&String>, scope: &Scope| -> Vec<PlannedStep> {
            let path =
                |inner: &StepSpec| StepPath::within(&container.path, &inner.id, repeated, key.map(String::as_str));
            spec.steps.iter().map(|inner| held(inner, path(inner), key, scope)).collect()
        };
        let Some(items) = items else { return group(None, scope) };
        let name = spec.foreach.as_ref().map(|foreach| foreach.name.clone()).unwrap_or_default();
        let mut steps = Vec::new();
        for (key, item) in items {
            let mut scope = scope.clone();
            scope.items.insert(name.clone(), item.clone());
            let mut made = if spec.action == GROUP {
                group(Some(key), &scope)
            } else {
                vec![PlannedStep { container: false, ..held(spec, container.path.item(key), Some(key), &scope) }]
            };
            for step in &mut made {
                step.title = format!("{}: {key}", step.title);
            }
            steps.extend(made);
        }
        steps
    }

    fn one(&self, spec: &StepSpec, path: StepPath, scope: &Scope) -> PlannedStep {
        // A text that names an input which was left empty is shown as it stands in the runbook.
        let filled = |text: &String| self.templates.render_text(text, scope).unwrap_or_else(|_| text.clone());
        PlannedStep {
            path,
            phase: spec.phase,
            title: filled(&spec.title),
            why: spec.why.as_ref().map(filled),
            action: spec.action.clone(),
            max_danger: self.danger(spec),
            container: spec.is_container(),
            parent: None,
            round: 0,
            key: None,
            finally: false,
            skippable: spec.skippable,
            needed_by: self.runbook.needed_by(&spec.id).into_iter().map(str::to_owned).collect(),
        }
    }

    /// The most harm that a step can do, with all that it holds.
    fn danger(&self, spec: &StepSpec) -> Danger {
        let own = self.catalogue.get(&spec.action).map_or(Danger::Observe, |action| action.spec().max_danger);
        spec.steps.iter().map(|inner| self.danger(inner)).max().unwrap_or(Danger::Observe).max(own)
    }
}
