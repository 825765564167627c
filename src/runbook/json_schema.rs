//! The language as one JSON Schema, for editors: what the loader refuses for its shape, the schema refuses.
//!
//! What hangs on other parts of the text is the loader's alone: whether a reference points at something, whether ids are
//! unique, whether a template, a time or a default can be read. `tests/it/schema.rs` holds the two together.

use serde_json::{Map, Value, json};

use super::check::{ActionWords, Vocabulary};
use super::inputs::input_schema;
use super::language::RUNBOOK;
use super::reserved::RESERVED;
use super::schema::Schema;
use super::step::{MOST_TIMES, NOT_OF_CALLS, NOT_OF_GROUPS, PHASES};

/// Schemas that refer to themselves are followed so far; below that anything goes.
const DEPTH: usize = 8;

/// The JSON Schema (2020-12) of a runbook, with the parameters of every action in `vocabulary`.
pub fn json_schema(vocabulary: &Vocabulary) -> Value {
    let mut schema = runbook_schema(vocabulary);
    for (id, words) in &vocabulary.actions {
        schema["$defs"][format!("with-{id}")] = table(Schema::new(&words.params), DEPTH);
    }
    schema["$defs"][format!("with-{RUNBOOK}")] = call_schema();
    schema
}

/// What a step gives the runbook that it calls. Which inputs there are only that runbook says.
fn call_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": described(id(), "The runbook, by its name."),
            "inputs": {
                "type": "object", "description": "Its inputs, each a value or a reference to one.",
                "additionalProperties": { "$ref": "#/$defs/anything" },
            },
        },
        "required": ["name"],
        "additionalProperties": false,
    })
}

fn runbook_schema(vocabulary: &Vocabulary) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "quell runbook",
        "type": "object",
        "properties": {
            "schema": { "const": 1, "description": "Version of the language." },
            "name": described(id(), "Its name: small letters, digits and hyphens."),
            "title": described(text(), "One line, shown above the run and in the report."),
            "summary": { "type": "string", "description": "What it does, and when to reach for it." },
            "severity": { "type": "string", "description": "How severe an incident it is for, in the team's own words." },
            "target": { "type": "string", "description": "Time to contain that the team aims for, such as `15m`." },
            "update_every": { "type": "string", "description": "How often others are to be told how things stand, such as `30m`: prompts remind of it." },
            "inputs": {
                "type": "object",
                "description": "What it needs to know.",
                "propertyNames": { "pattern": "^[a-z0-9_]*$" },
                "additionalProperties": { "$ref": "#/$defs/input" },
            },
            "steps": { "type": "array", "minItems": 1, "description": "What is done, in order.", "items": { "$ref": "#/$defs/step" } },
            "finally": {
                "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" },
                "description": "What is done at the end in any case, also where the run was ended early.",
            },
        },
        "required": ["schema", "name", "title", "steps"],
        "additionalProperties": false,
        "$defs": {
            "input": input_schema(),
            "step": step_schema(vocabulary),
            "anything": {
                "anyOf": [reference(&json!({ "$ref": "#/$defs/anything" })), plain(Map::from_iter([
                    ("items".to_owned(), json!({ "$ref": "#/$defs/anything" })),
                    ("additionalProperties".to_owned(), json!({ "$ref": "#/$defs/anything" })),
                ]))],
            },
        },
    })
}

fn step_schema(vocabulary: &Vocabulary) -> Value {
    let docs = |words: &ActionWords| format!("{} (at most {})", words.summary, words.max_danger);
    let actions = vocabulary.actions.iter().map(|(id, words)| (id.as_str(), docs(words)));
    let call = (RUNBOOK, "Walk another runbook as a part of this one".to_owned());
    let (ids, docs): (Vec<&str>, Vec<String>) = actions.chain([call]).unzip();
    let tables: Vec<Value> = ids.iter().map(|id| json!({ "$ref": definition(id) })).collect();
    let mut step = step_keys(&ids, &docs, &tables);
    // A chain instead of `allOf`: Taplo offers no keys of a schema that has an `allOf`, and takes `anyOf` for what it
    // offers inside `with`.
    let own: Vec<Value> = NOT_OF_CALLS.iter().map(|key| json!({ "required": [key] })).collect();
    let mut chain = json!({
        "if": is_action(RUNBOOK),
        "then": {
            "required": ["with"], "properties": { "with": { "$ref": definition(RUNBOOK) } }, "not": { "anyOf": own },
        },
    });
    for (id, words) in vocabulary.actions.iter().rev() {
        let mut then = json!({ "properties": { "with": { "$ref": definition(id) } } });
        if !Schema::new(&words.params).required().is_empty() {
            then["required"] = json!(["with"]);
        }
        chain = json!({ "if": is_action(id), "then": then, "else": chain });
    }
    if let (Value::Object(step), Value::Object(chain)) = (&mut step, chain) {
        step.extend(chain);
    }
    step
}

fn is_action(id: &str) -> Value {
    json!({ "properties": { "action": { "const": id } }, "required": ["action"] })
}

/// Where the parameters of an action stand.
fn definition(action: &str) -> String {
    format!("#/$defs/with-{action}")
}

fn step_keys(actions: &[&str], docs: &[String], tables: &[Value]) -> Value {
    let only_of_actions: Vec<Value> = NOT_OF_GROUPS.iter().map(|key| json!({ "required": [key] })).collect();
    let times = json!({ "type": "integer", "minimum": 1, "maximum": MOST_TIMES });
    json!({
        "type": "object",
        "properties": {
            "id": described(step_id(), "Its address in the journal: small letters, digits and hyphens."),
            "phase": { "enum": PHASES, "description": "Where in the response it stands." },
            "title": described(text(), "One line."),
            "why": { "type": "string", "description": "Why it is done; a step that can change something should say it." },
            "action": {
                "enum": actions, "description": "What it does; `quell actions` lists them.",
                "x-taplo": { "docs": { "enumValues": docs } },
            },
            "with": { "type": "object", "description": "The action's parameters.", "anyOf": tables },
            "when": { "type": "string", "description": "Condition under which it is done: a path, or `(eq steps.a.b \"c\")`." },
            "confirm": { "enum": ["ask", "step", "target", "second-person"], "description": "The least that consent asks for." },
            "on_failure": { "type": "string", "pattern": "^(ask|stop|continue|step:.*)$", "description": "`ask`, `stop`, `continue` or `step:LATER-ID`." },
            "requires": { "type": "array", "items": { "type": "string" }, "description": "Earlier steps without which it is not done unasked." },
            "steps": {
                "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" },
                "description": "The steps of a group, which has no action of its own.",
            },
            "foreach": {
                "description": "Done once for each item of a list; `as` names the item.",
                "anyOf": [{ "type": "array", "items": { "$ref": "#/$defs/anything" } }, { "type": "object", "required": ["from"] }],
            },
            "as": { "type": "string", "pattern": "^(?!(inputs|steps|incident|this)$)[a-z][a-z0-9_]*$", "description": "What the item of `foreach` is called." },
            "repeat": {
                "type": "object", "description": "A group that is done again until a condition holds.",
                "properties": {
                    "until": described(text(), "Condition under which it is not done again; judged after each round."),
                    "max": described(times.clone(), "How many rounds at most."),
                },
                "required": ["until", "max"], "additionalProperties": false,
            },
            "retry": {
                "type": "object", "description": "Reads that failed, and looks that do not show a change yet, are tried again.",
                "properties": {
                    "times": described(times, "How many more tries at most."),
                    "every": { "type": "string", "description": "How long to wait between two, such as `10s`; five seconds without it." },
                },
                "required": ["times"], "additionalProperties": false,
            },
            "timeout": { "type": "string", "description": "The longest that its reads may take, such as `3m`; people are never hurried." },
            "skippable": { "type": "boolean", "description": "`false`: no person may skip it." },
        },
        "required": ["id", "phase", "title"],
        // A step has an action, or steps of its own.
        "oneOf": [{ "required": ["action"] }, { "required": ["steps"] }],
        "dependentRequired": { "foreach": ["as"], "as": ["foreach"] },
        "dependentSchemas": {
            "repeat": { "required": ["steps"], "not": { "required": ["foreach"] } },
            "steps": { "not": { "anyOf": only_of_actions } },
            "foreach": { "properties": { "on_failure": { "pattern": "^(ask|stop|continue)$" } } },
        },
        "additionalProperties": false,
    })
}

/// A value, or a reference to one.
fn value(schema: Schema<'_>, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return json!({ "$ref": "#/$defs/anything" }) };
    let mut own = Map::new();
    let types = schema.types();
    if !types.is_empty() {
        own.insert("type".to_owned(), json!(types));
    }
    // Of a table that may be one of several nothing is said, as the loader says nothing.
    let table = match schema.alternatives().len() {
        1 => keys(schema, depth),
        _ => Map::from_iter([("additionalProperties".to_owned(), json!({ "$ref": "#/$defs/anything" }))]),
    };
    own.extend(table);
    let items = schema.items().map_or_else(|| json!({ "$ref": "#/$defs/anything" }), |items| value(items, depth));
    own.insert("items".to_owned(), items);
    let choices = schema.choices();
    if !choices.is_empty() {
        // What a template will say is known in a run only.
        own.insert(
            "anyOf".to_owned(),
            json!([{ "enum": choices }, { "not": { "type": "string" } }, { "pattern": "\\{\\{" }]),
        );
    }
    let own = plain(own);
    // Of a default that holds others only the kind is said: with all of them the schema would double at each depth.
    let default = match types.iter().any(|kind| ["object", "array"].contains(kind)) || types.is_empty() {
        true => plain(own.get("type").map(|types| ("type".to_owned(), types.clone())).into_iter().collect()),
        false => own.clone(),
    };
    let mut either = json!({ "anyOf": [reference(&default), own] });
    if let Some(description) = schema.description() {
        either["description"] = json!(description);
    }
    either
}

/// A table of parameters.
fn table(schema: Schema<'_>, depth: usize) -> Value {
    let mut table = keys(schema, depth);
    table.insert("type".to_owned(), json!("object"));
    Value::Object(table)
}

/// The keys of a table: which there are, which must be there, whether others may be.
fn keys(schema: Schema<'_>, depth: usize) -> Map<String, Value> {
    let properties = schema.properties().into_iter().filter_map(|name| {
        let property = schema.property(name)?;
        Some((name.to_owned(), value(property, depth)))
    });
    let others = match schema.values() {
        Some(values) => value(values, depth),
        None if schema.is_open() => json!({ "$ref": "#/$defs/anything" }),
        None => json!(false),
    };
    Map::from_iter([
        ("properties".to_owned(), Value::Object(properties.collect())),
        ("required".to_owned(), json!(schema.required())),
        ("additionalProperties".to_owned(), others),
    ])
}

/// `{ from = "…", default = … }`, or `{ literal = … }`.
fn reference(default: &Value) -> Value {
    let literal = json!({
        "type": "object",
        "description": "A value that is taken as it stands: nothing in it is a reference or a template.",
        "properties": { "literal": {} }, "required": ["literal"], "additionalProperties": false,
    });
    json!({ "anyOf": [from(default), literal] })
}

fn from(default: &Value) -> Value {
    json!({
        "type": "object",
        "description": "Passes a value on: of an input, or of an earlier step.",
        "properties": {
            "from": { "type": "string", "description": "`inputs.NAME`, `steps.ID.FIELD` or `incident.FACT`." },
            "default": default,
        },
        "required": ["from"],
        "additionalProperties": false,
    })
}

/// A value that is no reference: a table with `from` in it always is one, and so is one with `literal` alone.
fn plain(mut schema: Map<String, Value>) -> Value {
    let reference = json!([{ "required": ["from"] }, { "required": ["literal"], "maxProperties": 1 }]);
    schema.insert("not".to_owned(), json!({ "type": "object", "anyOf": reference }));
    Value::Object(schema)
}

fn id() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64 })
}

/// An id is typed at prompts, which understand some words otherwise.
fn step_id() -> Value {
    let mut id = id();
    id["not"] = json!({ "enum": RESERVED });
    id
}

/// Text that says something.
fn text() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}
