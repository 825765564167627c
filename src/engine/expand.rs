//! Steps that hold others: groups, their rounds, and steps that are done item by item.

use serde_json::{Map, Value, json};

use super::EngineError;
use super::drive::{Engine, Turn};
use super::outputs::{outputs, visible};
use super::plan::Instances;
use crate::action::StepError;
use crate::journal::{Event, Expanded, PlannedStep, StepStatus};
use crate::model::StepPath;
use crate::runbook::{GROUP, Scope, StepSpec, Templates, resolve_list};

impl Engine {
    /// Fixes the steps of the next round. What is written down here is never computed again: a resume goes through the
    /// same items.
    pub(super) fn expand(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let scope = self.scope(path)?;
        let round = self.step(path).map_or(0, |step| step.rounds.len()) + 1;
        let round = u32::try_from(round).unwrap_or(u32::MAX);
        let bench = &self.bench;
        let instances = Instances { runbook: &bench.runbook, catalogue: bench.catalogue, templates: &bench.templates };
        let spec = self.spec(path)?;
        let event = match items(spec, &scope, &bench.templates) {
            Ok(items) => {
                let steps = instances.within(&planned, spec, round, items.as_ref(), &scope);
                let items = self.wrap(Value::Object(items.unwrap_or_default()), path)?;
                Event::Expanded(Box::new(Expanded { round, items, inputs: None, steps }))
            }
            Err(error) => Event::StepFailed { error: error.message, hint: error.hint },
        };
        self.record(Some(path), event)?;
        Ok(Turn::On)
    }

    /// All that the step holds has ended: completes it, or begins another round.
    pub(super) fn end_round(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let Some(step) = self.step(path) else { return Ok(Turn::On) };
        let (rounds, since) = (step.rounds.len(), step.rounds_since());
        let Some(repeat) = self.spec(path)?.repeat.clone() else { return self.conclude_group(path) };
        let planned = self.planned(path)?;
        let run = self.run_state()?;
        let mut seen = visible(run, &planned);
        seen.extend(held(run, &planned));
        let scope = self.scope_of(&planned, &seen)?;
        let failure = match self.bench.templates.truthy(&repeat.until, &scope) {
            Ok(true) => return self.conclude_group(path),
            Ok(false) if since < usize::try_from(repeat.max).unwrap_or(usize::MAX) => return self.expand(path),
            Ok(false) => StepError::new(format!("after {rounds} rounds `{}` is still not met", repeat.until))
                .hint("retry for as many rounds again, or skip with a reason and see to it by hand"),
            Err(error) => StepError::new(format!("`{}` cannot be judged after the round: {error}", repeat.until))
                .hint("a step that it looks at was skipped or failed in this round"),
        };
        self.record(Some(path), Event::StepFailed { error: failure.message, hint: failure.hint })?;
        Ok(Turn::On)
    }

    fn conclude_group(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let run = self.run_state()?;
        let spec = self.spec(path)?;
        let held = held(run, &planned);
        let summary = summary(run, &held, run.step(path).map_or(1, |step| step.rounds.len()));
        let store = &self.bench.evidence;
        let output = if spec.foreach.is_some() {
            let mut results: Vec<Value> = Vec::new();
            let mut keys: Vec<&String> = held.iter().filter_map(|step| step.key.as_ref()).collect();
            keys.dedup();
            for key in keys {
                let of: Vec<&PlannedStep> =
                    held.iter().copied().filter(|step| step.key.as_ref() == Some(key)).collect();
                results.push(result_of(spec, key, &self.item(path, key)?, outputs(run, &of, store)?));
            }
            json!({ "results": results })
        } else {
            Value::Object(outputs(run, &held, store)?)
        };
        let output = self.wrap(output, path)?;
        self.record(Some(path), Event::StepDone { output, summary })?;
        Ok(Turn::On)
    }
}

/// What was done for one item: of a group, the outputs of its steps by id.
pub(super) fn result_of(spec: &StepSpec, key: &str, item: &Value, mut outputs: Map<String, Value>) -> Value {
    let output =
        if spec.action == GROUP { Value::Object(outputs) } else { outputs.shift_remove(&spec.id).unwrap_or_default() };
    json!({ "key": key, "item": item, "output": output })
}

/// The steps that a step holds, of its last round.
fn held<'r>(run: &'r crate::journal::RunState, container: &PlannedStep) -> Vec<&'r PlannedStep> {
    let steps = run.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
    let of = || steps.iter().filter(|step| step.parent.as_ref() == Some(&container.path));
    let last = of().map(|step| step.round).max().unwrap_or_default();
    of().filter(|step| step.round == last).collect()
}

fn summary(run: &crate::journal::RunState, held: &[&PlannedStep], rounds: usize) -> String {
    let count = |wanted: fn(&StepStatus) -> bool| held.iter().filter(|step| wanted(run.status(&step.path))).count();
    let mut parts =
        vec![format!("{} of {} done", count(|status| matches!(status, StepStatus::Done { .. })), held.len())];
    for (number, word) in [
        (count(|status| matches!(status, StepStatus::Skipped { .. })), "skipped"),
        (count(|status| matches!(status, StepStatus::Failed { .. })), "failed"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    if rounds > 1 {
        parts.push(format!("in round {rounds}"));
    }
    parts.join(", ")
}

/// The items of a step's list by key; `None` where it has no list.
pub(super) fn items(
    spec: &StepSpec,
    scope: &Scope,
    templates: &Templates,
) -> Result<Option<Map<String, Value>>, StepError> {
    let Some(foreach) = &spec.foreach else { return Ok(None) };
    let list = resolve_list(&foreach.list, scope, templates)
        .map_err(|error| StepError::new(format!("its list cannot be filled in: {error}")))?;
    let list = match list {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(StepError::new("what it should be done for is no list")),
    };
    let mut items = Map::new();
    for item in list {
        let key = identity(&item)?;
        if let Some((key, _)) = items.insert(key.clone(), item).map(|old| (key, old)) {
            return Err(StepError::new(format!("two items of its list are both `{key}`"))
                .hint("items are told apart by their `id`, else by their `name`"));
        }
    }
    Ok(Some(items))
}

/// What an item is told by: its `id`, else its `name`; a text or number by itself. Never its place in the list, which
/// means something else the next time.
fn identity(item: &Value) -> Result<String, StepError> {
    let told = match item {
        Value::Object(map) => map.get("id").or_else(|| map.get("name")),
        other => Some(other),
    };
    match told {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(StepError::new("an item of its list has neither an `id` nor a `name` to be told by")),
    }
}
