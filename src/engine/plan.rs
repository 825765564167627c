use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::contents::{Contents, scope_of_item};
use crate::action::Catalogue;
use crate::journal::{NestedRunbook, PlanSealed, PlannedStep};
use crate::model::{Account, Danger, Digest, IncidentId, StepPath, World, canonical_digest};
use crate::runbook::{Confirm, Place, Runbook, Scope, StepSpec, Templates};

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
    /// Digests of the files that inputs name, by path.
    pub files: &'a BTreeMap<String, Digest>,
}

/// Fixes a plan: the step instances, and the digest that binds the bytes of the runbook and of those that it calls, inputs,
/// action versions, account and host. Effects are no part of it: those are consented to on their own.
pub fn seal_plan(
    runbook: &Runbook,
    inputs: &Map<String, Value>,
    catalogue: Catalogue,
    templates: &Templates,
    binding: Binding<'_>,
) -> PlanSealed {
    let nested: Vec<NestedRunbook> = runbook
        .nested()
        .into_iter()
        .map(|called| NestedRunbook {
            name: called.name.clone(),
            sha256: called.runbook.source.digest.clone(),
            source: called.runbook.source.name.clone(),
        })
        .collect();
    let called: Map<String, Value> = nested.iter().map(|called| (called.name.clone(), json!(called.sha256))).collect();
    let actions = action_versions(runbook, catalogue);
    let digest = canonical_digest(&json!({
        "runbook": runbook.source.digest,
        "nested": called,
        "inputs": inputs,
        "files": binding.files,
        "actions": actions,
        "world": binding.world,
        "api": binding.api,
        "account": binding.account.id,
    }));
    let instances = Instances { catalogue, templates };
    let fact = |name: &str, value: String| (name.to_owned(), Value::String(value));
    let incident = Map::from_iter([
        fact("id", binding.incident.to_string()),
        fact("account_id", binding.account.id.clone()),
        fact("account_name", binding.account.name.clone()),
        fact("world", binding.world.to_string()),
    ]);
    let scope = Scope { inputs: inputs.clone(), incident, ..Scope::default() };
    let top = |step, finally| {
        let place = Place { runbook, step };
        PlannedStep { finally, ..instances.one(place, StepPath::step(&step.id), &scope) }
    };
    let steps = runbook.steps.iter().map(|spec| top(spec, false));
    let steps = steps.chain(runbook.finally.iter().map(|spec| top(spec, true)));
    let not_examined = catalogue.not_examined(runbook.all_steps().map(|step| step.action.as_str()));
    PlanSealed {
        digest,
        inputs: inputs.clone(),
        steps: steps.map(Arc::new).collect(),
        not_examined: not_examined.into_iter().map(str::to_owned).collect(),
        nested,
        files: binding.files.clone(),
        actions,
    }
}

/// The version of every action that `runbook` uses, by id.
pub fn action_versions(runbook: &Runbook, catalogue: Catalogue) -> BTreeMap<String, u32> {
    let actions = runbook.all_steps().filter_map(|step| catalogue.get(&step.action));
    actions.map(|action| (action.spec().id.to_owned(), action.spec().version)).collect()
}

/// Makes step instances from what the runbook declares.
pub(super) struct Instances<'a> {
    pub(super) catalogue: Catalogue,
    pub(super) templates: &'a Templates,
}

impl Instances<'_> {
    /// The steps that `container`, which stands at `place`, holds or makes in one round.
    pub(super) fn within(
        &self,
        container: &PlannedStep,
        place: Place<'_>,
        round: u32,
        contents: &Contents,
        scope: &Scope,
    ) -> Vec<PlannedStep> {
        let spec = place.step;
        let repeated = spec.repeat.as_ref().map(|_| round);
        let held = |inner: Place<'_>, path: StepPath, key: Option<&str>, finally: bool, scope: &Scope| PlannedStep {
            parent: Some(container.path.clone()),
            round: repeated.unwrap_or_default(),
            key: key.map(str::to_owned),
            finally: container.finally || finally,
            ..self.one(inner, path, scope)
        };
        let all_held = |key: Option<&str>, scope: &Scope| -> Vec<PlannedStep> {
            let scope = contents.scope_inside(key, scope);
            let runbook = spec.calls.as_ref().map_or(place.runbook, |called| &called.runbook);
            let path = |inner: &StepSpec| StepPath::within(&container.path, &inner.id, repeated, key);
            spec.held().map(|(step, finally)| held(Place { runbook, step }, path(step), key, finally, &scope)).collect()
        };
        let Some(items) = &contents.items else { return all_held(None, scope) };
        let mut steps = Vec::new();
        let mut scope = scope.clone();
        for (key, item) in items {
            scope_of_item(spec, item, &mut scope);
            let mut made = if spec.holds_steps() {
                all_held(Some(key), &scope)
            } else {
                let path = container.path.item(key);
                vec![PlannedStep { container: false, ..held(place, path, Some(key), false, &scope) }]
            };
            for step in &mut made {
                step.title = format!("{}: {key}", step.title);
            }
            steps.extend(made);
        }
        steps
    }

    fn one(&self, place: Place<'_>, path: StepPath, scope: &Scope) -> PlannedStep {
        let Place { runbook, step: spec } = place;
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
            second_person: spec.confirm == Some(Confirm::SecondPerson),
            needed_by: runbook.needed_by(&spec.id).to_vec(),
        }
    }

    /// The most harm that a step can do, with all that it holds.
    fn danger(&self, spec: &StepSpec) -> Danger {
        let own = self.catalogue.get(&spec.action).map_or(Danger::Observe, |action| action.spec().max_danger);
        spec.held().map(|(inner, _)| self.danger(inner)).max().unwrap_or(Danger::Observe).max(own)
    }
}
