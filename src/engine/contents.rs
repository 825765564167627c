//! What a step that holds or makes others goes through: the items of its list, and the inputs of the runbook that it calls.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::action::StepError;
use crate::model::Digest;
use crate::runbook::{Called, Scope, StepSpec, Templates, resolve_value};

/// What is fixed when a step is expanded.
pub(super) struct Contents {
    /// The items of its list by key; `None` where it has no list.
    pub(super) items: Option<Map<String, Value>>,
    /// Where it calls a runbook: the inputs of that by the key of the item; without a list, under an empty key.
    pub(super) inputs: Option<Map<String, Value>>,
    /// Digests of the files that these inputs name, by path.
    pub(super) files: BTreeMap<String, Digest>,
}

/// Fills in the list and the inputs. `now` is for relative times.
pub(super) fn contents(
    spec: &StepSpec,
    scope: &Scope,
    templates: &Templates,
    now: Timestamp,
) -> Result<Contents, StepError> {
    let items = items(spec, scope, templates)?;
    let mut contents = Contents { items, inputs: None, files: BTreeMap::new() };
    let mut files = BTreeMap::new();
    if let Some(called) = &spec.calls {
        let mut given = |scope: &Scope| inputs(called, spec, scope, templates, now, &mut files).map(Value::Object);
        let inputs = match &contents.items {
            None => Map::from_iter([(String::new(), given(scope)?)]),
            Some(items) => {
                let mut scope = scope.clone();
                let mut of = |item| {
                    scope_of_item(spec, item, &mut scope);
                    given(&scope)
                };
                items.iter().map(|(key, item)| Ok((key.clone(), of(item)?))).collect::<Result<_, StepError>>()?
            }
        };
        contents.inputs = Some(inputs);
    }
    contents.files = files;
    Ok(contents)
}

/// Puts one item of a step's list into what stands around the step.
pub(super) fn scope_of_item(spec: &StepSpec, item: &Value, scope: &mut Scope) {
    if let Some(foreach) = &spec.foreach {
        scope.items.insert(foreach.name.clone(), item.clone());
    }
}

impl Contents {
    /// What the steps inside may see besides each other, where `scope` is what stands around them.
    pub(super) fn scope_inside<'s>(&self, key: Option<&str>, scope: &'s Scope) -> Cow<'s, Scope> {
        match &self.inputs {
            None => Cow::Borrowed(scope),
            Some(inputs) => Cow::Owned(scope.of_call(inputs_of(inputs, key))),
        }
    }
}

/// The inputs of a called runbook, for one item or, without a list, at all.
fn inputs_of(inputs: &Map<String, Value>, key: Option<&str>) -> Map<String, Value> {
    inputs.get(key.unwrap_or_default()).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn inputs(
    called: &Called,
    spec: &StepSpec,
    scope: &Scope,
    templates: &Templates,
    now: Timestamp,
    files: &mut BTreeMap<String, Digest>,
) -> Result<Map<String, Value>, StepError> {
    let given = spec.with.get("inputs").and_then(Value::as_object);
    let mut inputs = Map::new();
    for input in &called.runbook.inputs {
        let of = format!("the input `{}` of the runbook `{}`", input.name, called.name);
        let value = given.and_then(|given| given.get(&input.name));
        let value = value.map(|value| resolve_value(value, scope, templates)).transpose();
        let value = value.map_err(|error| {
            StepError::new(format!("{of} cannot be filled in: {error}")).hint(
                "an earlier step that feeds it was skipped or failed: do what the runbook does by hand, or skip it",
            )
        })?;
        let settled = input.settle(value.flatten(), now).and_then(|value| input.in_full(value));
        let (value, file) = settled.map_err(|why| {
            StepError::new(format!("{of}: {why}"))
                .hint("it comes from an earlier step or an input: retry once that is mended, or skip with a reason")
        })?;
        inputs.insert(input.name.clone(), value);
        files.extend(file);
    }
    Ok(inputs)
}

/// The items of a step's list by key; `None` where it has no list.
fn items(spec: &StepSpec, scope: &Scope, templates: &Templates) -> Result<Option<Map<String, Value>>, StepError> {
    let Some(foreach) = &spec.foreach else { return Ok(None) };
    let list = resolve_value(&foreach.list, scope, templates)
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
