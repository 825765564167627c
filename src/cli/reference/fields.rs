//! The parameters and outputs of an action, row by row, as its JSON Schema describes them.

use serde_json::Value;

/// Tables within tables are followed so far.
const DEPTH: usize = 6;

/// One field.
pub(crate) struct Field {
    /// Its name; inside a table `table.field`, inside a list of tables `list[].field`.
    pub(crate) name: String,
    /// What kind of value it is.
    pub(crate) kind: String,
    /// Whether it must be there.
    pub(crate) is_needed: bool,
    /// What it is.
    pub(crate) about: String,
}

/// The fields of the table that a schema document describes.
pub(crate) fn fields(document: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    walk(document, document, "", DEPTH, &mut found);
    found
}

fn walk(document: &Value, table: &Value, prefix: &str, depth: usize, found: &mut Vec<Field>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let needed: Vec<&str> = table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in table["properties"].as_object().into_iter().flatten() {
        let full = format!("{prefix}{name}");
        let part = meant(document, property);
        let about = [property, part].iter().find_map(|part| part["description"].as_str()).unwrap_or_default();
        found.push(Field {
            name: full.clone(),
            kind: kind(document, property),
            is_needed: needed.contains(&name.as_str()),
            about: about.split_whitespace().collect::<Vec<_>>().join(" ") + &choices(part),
        });
        let items = meant(document, &part["items"]);
        let (inner, prefix) = match part["properties"].is_object() {
            true => (part, format!("{full}.")),
            false => (items, format!("{full}[].")),
        };
        walk(document, inner, &prefix, depth, found);
    }
}

/// The schema behind references, and behind a choice between it and null.
fn meant<'s>(document: &'s Value, part: &'s Value) -> &'s Value {
    let mut part = part;
    for _ in 0..DEPTH {
        if let Some(target) = part["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#'))) {
            part = target;
        } else if let [only] = others(part).as_slice() {
            part = only;
        } else {
            break;
        }
    }
    part
}

/// The alternatives of a schema besides null.
fn others(part: &Value) -> Vec<&Value> {
    part["anyOf"].as_array().into_iter().flatten().filter(|one| one["type"] != "null").collect()
}

/// A kind of value, in words.
fn kind(document: &Value, part: &Value) -> String {
    let part = meant(document, part);
    let several = others(part);
    if several.len() > 1 {
        let kinds: Vec<String> = several.iter().map(|one| kind(document, one)).collect();
        return kinds.join(" or ");
    }
    if !constants(part).is_empty() {
        return "word".to_owned();
    }
    let names: Vec<&str> = match &part["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => return "any value".to_owned(),
    };
    let word = |name: &&str| match *name {
        "string" if part["format"] == "length" => "length of time".to_owned(),
        "string" if part["format"] == "date-time" => "moment".to_owned(),
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "number" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => match kind(document, &part["items"]).as_str() {
            "any value" => "list".to_owned(),
            of => format!("list of {of}"),
        },
        _ => "table".to_owned(),
    };
    names.iter().map(word).collect::<Vec<_>>().join(" or ")
}

/// The words that it may be, each with what it means where that is said.
fn constants(part: &Value) -> Vec<(&str, &str)> {
    let listed = part["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(|word| (word, ""));
    let told = part["oneOf"].as_array().into_iter().flatten().flat_map(|one| match one["const"].as_str() {
        Some(word) => vec![(word, one["description"].as_str().unwrap_or_default())],
        None => one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(|word| (word, "")).collect(),
    });
    listed.chain(told).collect()
}

fn choices(part: &Value) -> String {
    let words = constants(part);
    if words.is_empty() {
        return String::new();
    }
    let each = words.iter().map(|(word, means)| match means.trim_end_matches('.') {
        "" => format!("`{word}`"),
        means => format!("`{word}` ({})", means.split_whitespace().collect::<Vec<_>>().join(" ")),
    });
    format!(" One of {}.", each.collect::<Vec<_>>().join(", "))
}
