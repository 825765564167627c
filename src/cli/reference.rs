//! The reference of the runbook language, as Markdown: words from `templates/language.md`, and everything that is a list
//! from the code that means it. So what is built and what is written cannot drift apart.

mod actions;
mod fields;

use serde_json::Value;

use super::session::load::vocabulary;
use crate::runbook::{self, CODES, HELPERS, INPUT_TYPES, INPUTS_OF_THE_REPORT, WARNINGS};

pub(crate) use fields::fields;

/// The page.
pub(crate) fn page() -> String {
    let schema = runbook::json_schema(&vocabulary());
    let (input, step) = (&schema["$defs"]["input"], &schema["$defs"]["step"]);
    let lists = [
        ("%keys of a runbook%", keys(&schema)),
        ("%keys of an input%", keys(input)),
        (
            "%types of inputs%",
            table(["type", "values"], INPUT_TYPES.iter().map(|(name, about)| [code(name), (*about).to_owned()])),
        ),
        ("%keys of some inputs%", keys_of_some(input)),
        ("%inputs of the report%", INPUTS_OF_THE_REPORT.map(code).join(", ")),
        ("%keys of a step%", keys(step)),
        ("%keys of repeat%", keys(&step["properties"]["repeat"])),
        ("%keys of retry%", keys(&step["properties"]["retry"])),
        (
            "%helpers%",
            table(["helper", "what it gives"], HELPERS.iter().map(|(usage, about)| [code(usage), (*about).to_owned()])),
        ),
        ("%codes%", codes()),
        ("%actions%", actions::pages()),
    ];
    let words = include_str!("../../templates/language.md").to_owned();
    lists.iter().fold(words, |page, (mark, list)| page.replace(mark, list.trim_end()))
}

fn codes() -> String {
    let kind = |code: &str| if WARNINGS.contains(&code) { "warning" } else { "error" };
    table(
        ["code", "", "what it means"],
        CODES.iter().map(|(id, about)| [code(id), kind(id).to_owned(), (*about).to_owned()]),
    )
}

/// The keys of a table of the language: which there are, which must be there, what they are.
fn keys(schema: &Value) -> String {
    let needed: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(name, property): (&String, &Value)| {
        let must = if needed.contains(&name.as_str()) { ", needed" } else { "" };
        [
            code(name),
            format!("{}{must}", kind(property)),
            property["description"].as_str().unwrap_or_default().to_owned(),
        ]
    };
    table(["key", "", "what it is"], schema["properties"].as_object().into_iter().flatten().map(row))
}

/// The keys that only inputs of some types have.
fn keys_of_some(input: &Value) -> String {
    let rows = input["dependentSchemas"].as_object().into_iter().flatten().filter_map(|(key, with)| {
        let types = with["properties"]["type"]["enum"].as_array()?.iter().filter_map(Value::as_str).map(code);
        Some([code(key), types.collect::<Vec<_>>().join(", ")])
    });
    table(["key", "only of the types"], rows)
}

/// What kind of value a key takes, in words.
fn kind(property: &Value) -> String {
    if let Some(value) = property.get("const") {
        return code(&value.to_string());
    }
    let words = property["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<String> = words.map(code).collect();
    match (words.len(), property["type"].as_str()) {
        (1..=8, _) => words.join(", "),
        (0, Some("string")) | (9.., _) => "text".to_owned(),
        (_, Some("boolean")) => "true or false".to_owned(),
        (_, Some("integer")) => match (property["minimum"].as_i64(), property["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            _ => "a whole number".to_owned(),
        },
        (_, Some("array")) => "a list".to_owned(),
        (_, Some("object")) => "a table".to_owned(),
        _ if property["type"].is_array() => "a whole number, or text".to_owned(),
        _ if property["anyOf"].is_array() => "a list, or a reference to one".to_owned(),
        _ => "a value".to_owned(),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A Markdown table.
fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    let mut out = line(head.map(str::to_owned));
    out.push_str(&format!("|{}\n", "---|".repeat(N)));
    rows.into_iter().for_each(|row| out.push_str(&line(row)));
    out
}
