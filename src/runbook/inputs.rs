//! `[inputs.NAME]`: what a runbook needs to know.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::bounds::{Bound, Bounds, whole};
use super::diagnostic::Diagnostic;
use super::fields::{Fields, quoted};
use super::input::{self, InputType};
use super::input_spec::InputSpec;
use super::node::{Kind, Node};

/// Keys that are for some types only, with these types.
const ONLY_WITH: [(&str, &[&str]); 6] = [
    ("choices", &["choice"]),
    ("pattern", &["string", "list"]),
    ("min", &["integer", "duration"]),
    ("max", &["integer", "duration"]),
    ("min_length", &["string"]),
    ("max_length", &["string"]),
];

/// Keys that a secret does not have: nothing of it is written down, and none is as good as another.
const NOT_OF_SECRETS: [&str; 2] = ["default", "unknown_ok"];

/// Lengths beyond this are no text that anybody types.
const LONGEST: i64 = 100_000;

/// The inputs, in the order of the text. Those whose type could not be read are named in `untyped`.
pub(super) fn read_inputs(node: &Node, untyped: &mut Vec<String>, problems: &mut Vec<Diagnostic>) -> Vec<InputSpec> {
    if !matches!(node.kind, Kind::Table(_)) {
        let message = format!("`inputs` must be a table, and is {}", node.what());
        problems.push(Diagnostic::error("R004", &node.span, message).help("an input begins with `[inputs.NAME]`"));
    }
    node.entries()
        .iter()
        .map(|(key, table)| {
            let is_empty = key.name.is_empty();
            if is_empty || !key.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
                let message = format!("the input name `{}` is not of small letters, digits and underscores", key.name);
                problems.push(Diagnostic::error("R006", &key.span, message).help("for example `exposed_since`"));
            }
            read_input(&key.name, table, untyped, problems)
        })
        .collect()
}

fn read_input(name: &str, table: &Node, untyped: &mut Vec<String>, problems: &mut Vec<Diagnostic>) -> InputSpec {
    let mut fields = Fields::new(table, "input", problems);
    fields.call(name);
    if fields.node("type").is_none() {
        fields.missing("type");
    }
    let ty = fields.choice("type", input::NAMES);
    let prompt = fields.text("prompt");
    let default = fields.node("default").cloned();
    let required = fields.flag("required");
    let unknown_ok = fields.flag("unknown_ok");
    let choices: Vec<String> = fields.texts("choices").into_iter().map(|(text, _)| text).collect();
    if ty.as_deref() == Some("choice") && choices.is_empty() {
        fields.missing("choices");
    }
    let bounds = bounds(ty.as_deref(), &mut fields);
    if let Some(ty) = &ty {
        refuse_misplaced(ty, table, &mut fields);
    }
    fields.finish();
    let spec =
        InputSpec { name: name.to_owned(), ty: InputType::String, prompt, default: None, required, unknown_ok, bounds };
    let Some(ty) = ty.and_then(|ty| InputType::named(&ty, choices)) else {
        // It is kept, so that references to it are not taken for mistakes as well.
        untyped.push(name.to_owned());
        return spec;
    };
    let default = default.filter(|_| ty != InputType::Secret).and_then(|node| {
        let read = read_default(&node, &ty).and_then(|value| spec.bounds.hold(&value).map(|()| value));
        read.map_err(|why| {
            let message = format!("the default of `{name}` is {}: {why}", node.shown());
            problems.push(Diagnostic::error("R004", &node.span, message));
        })
        .ok()
    });
    InputSpec { ty, default, ..spec }
}

/// Keys that mean nothing with this type: whoever wrote them meant something.
fn refuse_misplaced(ty: &str, table: &Node, fields: &mut Fields<'_, '_>) {
    for (key, types) in ONLY_WITH {
        if let Some(node) = table.get(key).filter(|_| !types.contains(&ty)) {
            let message = format!("an input of the type `{ty}` has no `{key}`");
            let help = format!("`{key}` is for {}", quoted(types));
            fields.problem(Diagnostic::error("R022", &node.span, message).help(help));
        }
    }
    for key in NOT_OF_SECRETS.iter().filter(|_| ty == "secret") {
        if let Some(node) = table.get(key) {
            let problem = Diagnostic::error("R022", &node.span, format!("a secret has no `{key}`"));
            fields.problem(problem.help(
                "a secret comes from the environment (`QUELL_INPUT_NAME`) or from the prompt, and from nowhere else",
            ));
        }
    }
}

fn bounds(ty: Option<&str>, fields: &mut Fields<'_, '_>) -> Bounds {
    let pattern = fields.text("pattern");
    if let Some((pattern, node)) = pattern.as_ref().zip(fields.node("pattern"))
        && let Err(error) = whole(pattern)
    {
        let error = error.to_string();
        let why = error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        let problem = Diagnostic::error("R004", &node.span, format!("`pattern` is no regular expression: {why}"));
        fields.problem(problem.help("it is matched against the whole text, for example `[a-z]+-[0-9]+`"));
    }
    let (min, max) = (bound("min", ty, fields), bound("max", ty, fields));
    if let (Some((least, _)), Some((most, node))) = (&min, &max)
        && least > most
    {
        let message = format!("`max` is {most}, and `min` is {least}: no value is within");
        fields.problem(Diagnostic::error("R004", &node.span, message));
    }
    let (min_length, max_length) = (fields.number("min_length", 1, LONGEST), fields.number("max_length", 1, LONGEST));
    if let (Some(least), Some(most)) = (min_length, max_length)
        && least > most
        && let Some(node) = fields.node("max_length")
    {
        let message = format!("`max_length` is {most}, and `min_length` is {least}: no text is within");
        fields.problem(Diagnostic::error("R004", &node.span, message));
    }
    let (min, max) = (min.map(|(bound, _)| bound), max.map(|(bound, _)| bound));
    Bounds { pattern, min, max, min_length, max_length }
}

/// The end of a range; which kind hangs on the type of the input.
fn bound<'n>(key: &'static str, ty: Option<&str>, fields: &mut Fields<'n, '_>) -> Option<(Bound, &'n Node)> {
    let node = fields.node(key)?;
    match ty {
        Some("integer") => match node.kind {
            Kind::Integer(number) => Some((Bound::Number(number), node)),
            _ => {
                let message = format!("`{key}` must be a whole number, and is {}", node.what());
                fields.problem(Diagnostic::error("R004", &node.span, message).help("write it without quotes"));
                None
            }
        },
        Some("duration") => fields.duration(key).map(|length| (Bound::Length(length), node)),
        _ => None, // That the key does not go with the type is a problem of its own.
    }
}

/// The same as JSON Schema.
pub(super) fn input_schema() -> Value {
    let mut goes_with = Map::new();
    for (key, types) in ONLY_WITH {
        goes_with.insert(key.to_owned(), json!({ "properties": { "type": { "enum": types } } }));
    }
    for key in NOT_OF_SECRETS {
        goes_with.insert(key.to_owned(), json!({ "properties": { "type": { "not": { "const": "secret" } } } }));
    }
    for key in ["min", "max"] {
        // Of whole numbers a number, of lengths of time a text.
        goes_with[key]["if"] = json!({ "properties": { "type": { "const": "integer" } } });
        goes_with[key]["then"] = json!({ "properties": { key: { "type": "integer" } } });
        goes_with[key]["else"] = json!({ "properties": { key: { "type": "string" } } });
    }
    json!({
        "type": "object",
        "properties": {
            "type": { "enum": input::NAMES, "description": "What kind of value it takes." },
            "prompt": { "type": "string", "description": "What to ask." },
            "default": { "description": "The value where none is given." },
            "required": { "type": "boolean", "description": "The run cannot begin without it." },
            "unknown_ok": { "type": "boolean", "description": "`not known` is an answer." },
            "choices": { "type": "array", "items": { "type": "string" }, "description": "For `type = \"choice\"`." },
            "pattern": { "type": "string", "description": "A regular expression that the whole text matches; of a list, each." },
            "min": { "type": ["integer", "string"], "description": "The least whole number or length of time." },
            "max": { "type": ["integer", "string"], "description": "The largest whole number or length of time." },
            "min_length": { "type": "integer", "minimum": 1, "maximum": LONGEST, "description": "How many characters a text has at least." },
            "max_length": { "type": "integer", "minimum": 1, "maximum": LONGEST, "description": "How many characters a text has at most." },
        },
        "required": ["type"],
        "additionalProperties": false,
        "dependentSchemas": goes_with,
        "if": { "properties": { "type": { "const": "choice" } }, "required": ["type"] },
        "then": { "required": ["choices"], "properties": { "choices": { "minItems": 1 } } },
    })
}

/// A default must be of its input's own type, and read as it would from a prompt.
pub(super) fn read_default(node: &Node, ty: &InputType) -> Result<Value, String> {
    match (ty, &node.kind) {
        (ty, Kind::Array(items)) if ty.is_list() && items.iter().all(|item| item.as_text().is_some()) => {
            Ok(node.to_json())
        }
        (InputType::Secret, Kind::Table(_)) if ty.takes(&node.to_json()) => Ok(node.to_json()),
        (InputType::Bool, Kind::Bool(flag)) => Ok((*flag).into()),
        (InputType::Integer, Kind::Integer(number)) => Ok((*number).into()),
        (InputType::Bool | InputType::Integer | InputType::Secret, _) => Err(ty.wanted().into()),
        (ty, _) if ty.is_list() => Err(ty.wanted().into()),
        (InputType::Timestamp, Kind::Datetime(text)) => ty.parse(text, Timestamp::UNIX_EPOCH),
        (InputType::Timestamp, Kind::Text(text, _)) => {
            let read = |now| ty.parse(text, now);
            let value = read(Timestamp::UNIX_EPOCH)?;
            // `20m ago` depends on when it is read, and this is read long before the incident.
            if read(Timestamp::MAX).as_ref() == Ok(&value) {
                Ok(value)
            } else {
                Err("it must be a moment, since nobody knows yet when the run begins".into())
            }
        }
        (_, Kind::Text(text, _)) => ty.parse(text, Timestamp::UNIX_EPOCH),
        _ => Err(ty.wanted().into()),
    }
}
