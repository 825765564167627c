use serde_json::{Map, Value};

use super::named::named;
use super::template::{TemplateError, Templates};

/// What references and templates of a step may see.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The inputs.
    pub inputs: Map<String, Value>,
    /// Outputs of the steps that are done, by id.
    pub steps: Map<String, Value>,
    /// Facts of the incident: `id`, `account_id`, `account_name`, `world`.
    pub incident: Map<String, Value>,
    /// The items of the lists that are gone through, by name.
    pub items: Map<String, Value>,
}

impl Scope {
    /// What the steps of a called runbook may see: its own inputs, and of what stands around the call the incident alone.
    #[must_use]
    pub fn of_call(&self, inputs: Map<String, Value>) -> Self {
        Self { inputs, steps: Map::new(), incident: self.incident.clone(), items: Map::new() }
    }

    /// What of it is named in `text`, as one value: a template is handed a copy, and the whole may be large.
    pub(super) fn named_in(&self, text: &str) -> Value {
        let some = |root, all: &Map<String, Value>| -> Value {
            let pairs = named(root, text).filter_map(|name| all.get_key_value(name));
            Value::Object(pairs.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        let items = self.items.iter().filter(|(name, _)| text.contains(name.as_str()));
        let mut values: Map<String, Value> = items.map(|(name, item)| (name.clone(), item.clone())).collect();
        values.insert("inputs".to_owned(), some("inputs", &self.inputs));
        values.insert("steps".to_owned(), some("steps", &self.steps));
        values.insert("incident".to_owned(), Value::Object(self.incident.clone()));
        Value::Object(values)
    }
}

/// Why parameters could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A reference has no value: its step was skipped or failed.
    #[error("`{0}` has no value")]
    NoValue(String),
    /// A text could not be rendered.
    #[error(transparent)]
    Text(#[from] TemplateError),
}

/// Fills in references and texts. A reference to an input that was left empty drops its parameter.
///
/// # Errors
/// See [`ResolveError`].
pub fn resolve(with: &Map<String, Value>, scope: &Scope, templates: &Templates) -> Result<Value, ResolveError> {
    Ok(Value::Object(table(with, scope, templates)?))
}

/// One value, such as the list of a `foreach`, filled in; `None` where it refers to an input that was left empty.
///
/// # Errors
/// See [`ResolveError`].
pub fn resolve_value(value: &Value, scope: &Scope, templates: &Templates) -> Result<Option<Value>, ResolveError> {
    one(value, scope, templates)
}

fn table(map: &Map<String, Value>, scope: &Scope, templates: &Templates) -> Result<Map<String, Value>, ResolveError> {
    let mut filled = Map::new();
    for (key, value) in map {
        if let Some(value) = one(value, scope, templates)? {
            filled.insert(key.clone(), value);
        }
    }
    Ok(filled)
}

fn one(value: &Value, scope: &Scope, templates: &Templates) -> Result<Option<Value>, ResolveError> {
    Ok(match value {
        Value::Object(map) => match (literal(map), map.get("from").and_then(Value::as_str)) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(path)) => return follow(path, map.get("default"), scope, templates),
            (None, None) => Some(Value::Object(table(map, scope, templates)?)),
        },
        Value::Array(items) => {
            let mut filled = Vec::with_capacity(items.len());
            for item in items {
                filled.extend(one(item, scope, templates)?);
            }
            Some(Value::Array(filled))
        }
        Value::String(text) if text.contains("{{") => Some(Value::String(templates.render_text(text, scope)?)),
        other => Some(other.clone()),
    })
}

/// The value of `{ literal = … }`, which is taken as it stands: nothing in it is a reference or a template.
fn literal(map: &Map<String, Value>) -> Option<&Value> {
    map.get("literal").filter(|_| map.len() == 1)
}

fn follow<'a>(
    path: &str,
    default: Option<&Value>,
    scope: &'a Scope,
    templates: &Templates,
) -> Result<Option<Value>, ResolveError> {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut parts = rest.split('.').filter(|part| !part.is_empty());
    let mut inside = |tree: &'a Map<String, Value>| parts.next().and_then(|first| tree.get(first));
    let mut value = match root {
        "inputs" => inside(&scope.inputs),
        "steps" => inside(&scope.steps),
        "incident" => inside(&scope.incident),
        item => scope.items.get(item),
    };
    for part in parts {
        value = value.and_then(|value| value.get(part));
    }
    match (value.filter(|value| !value.is_null()), default) {
        (Some(value), _) => Ok(Some(value.clone())),
        // A default may refer to something in its turn.
        (None, Some(default)) => one(default, scope, templates),
        (None, None) if root == "inputs" || value.is_some_and(Value::is_null) => Ok(None),
        (None, None) => Err(ResolveError::NoValue(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ResolveError, Scope, resolve};
    use crate::runbook::Templates;

    fn filled(with: &Value) -> Result<Value, ResolveError> {
        let table = |value: Value| value.as_object().cloned().unwrap_or_default();
        let scope = Scope {
            inputs: table(json!({ "name": "ci", "empty": null })),
            steps: table(json!({ "list": { "ids": ["a"], "none": null } })),
            items: table(json!({ "zone": { "id": "z1" }, "name": "plain" })),
            ..Scope::default()
        };
        resolve(with.as_object().unwrap(), &scope, &Templates::new())
    }

    #[test]
    fn values_keep_their_type_and_texts_are_rendered() {
        let with = json!({ "ids": { "from": "steps.list.ids" }, "text": "for {{inputs.name}}", "deep": [{ "x": { "from": "inputs.name" } }] });
        assert_eq!(filled(&with), Ok(json!({ "ids": ["a"], "text": "for ci", "deep": [{ "x": "ci" }] })));
    }

    #[test]
    fn items_are_followed_by_their_name() {
        assert_eq!(
            filled(&json!({ "a": { "from": "zone.id" }, "b": { "from": "name" }, "c": "{{zone.id}} {{name}}" })),
            Ok(json!({ "a": "z1", "b": "plain", "c": "z1 plain" }))
        );
        assert_eq!(filled(&json!({ "a": { "from": "zone.gone" } })), Err(ResolveError::NoValue("zone.gone".into())));
    }

    #[test]
    fn a_literal_is_taken_as_it_stands() {
        let literal =
            json!({ "name": "{{inputs.nope}} {{", "from": "inputs.name", "deep": [{ "from": "inputs.name" }] });
        assert_eq!(filled(&json!({ "a": { "literal": literal } })), Ok(json!({ "a": literal })));
    }

    #[test]
    fn an_empty_input_drops_the_parameter_and_a_missing_step_is_an_error() {
        assert_eq!(filled(&json!({ "a": { "from": "inputs.empty" } })), Ok(json!({})));
        assert_eq!(filled(&json!({ "a": { "from": "steps.list.none" } })), Ok(json!({})));
        assert_eq!(filled(&json!({ "a": { "from": "steps.gone.ids", "default": [] } })), Ok(json!({ "a": [] })));
        let in_turn = json!({ "a": { "from": "steps.gone.ids", "default": { "from": "steps.list.ids" } } });
        assert_eq!(filled(&in_turn), Ok(json!({ "a": ["a"] })));
        assert_eq!(
            filled(&json!({ "a": { "from": "steps.gone.ids" } })),
            Err(ResolveError::NoValue("steps.gone.ids".into()))
        );
    }
}
