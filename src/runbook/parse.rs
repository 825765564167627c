use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::fields::Fields;
use super::input::{self, InputType};
use super::language::{InputSpec, Runbook, Source};
use super::node::{Kind, Node};
use super::step::{StepPlaces, Steps};
use crate::model::Digest;

/// A runbook as far as it could be read, with the places that a check needs.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) runbook: Runbook,
    pub(super) root: Node,
    /// One for each of the runbook's steps, in the order of [`Runbook::all_steps`].
    pub(super) places: Vec<StepPlaces>,
}

impl Parsed {
    /// The table of the step at `places`.
    pub(super) fn table(&self, places: &StepPlaces) -> Option<&Node> {
        places.route.iter().try_fold(&self.root, |node, (key, index)| match node.get(key).map(|list| &list.kind) {
            Some(Kind::Array(tables)) => tables.get(*index),
            _ => None,
        })
    }
}

/// Reads the text into a runbook. What cannot be read is a problem, and the rest is read all the same.
pub(super) fn parse(source_name: &str, text: &str, problems: &mut Vec<Diagnostic>) -> Parsed {
    let (root, errors) = Node::read(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Diagnostic::error(
            "R001",
            &span,
            error.message().lines().next().unwrap_or("not TOML").to_owned(),
        ));
    }
    let mut fields = Fields::new(&root, "runbook", problems);
    match fields.node("schema").map(|node| (&node.kind, node.span.clone())) {
        Some((Kind::Integer(1), _)) => {}
        Some((_, span)) => fields.problem(Diagnostic::error("R004", &span, "this version of quell reads `schema = 1`")),
        None => fields.missing("schema"),
    }
    let name = fields.needed_text("name").unwrap_or_default();
    if let Some(node) = fields.node("name")
        && !name.is_empty()
        && !is_id(&name)
    {
        fields.problem(shape(&node.span, "name", &name));
    }
    let title = fields.needed_text("title").unwrap_or_default();
    let summary = fields.text("summary").unwrap_or_default();
    let severity = fields.text("severity");
    let target = fields.node("target").cloned();
    let inputs = fields.node("inputs").cloned();
    let steps = fields.node("steps").cloned();
    let finally = fields.node("finally").cloned();
    if steps.is_none() {
        fields.missing("steps");
    }
    fields.finish();
    let target = target.and_then(|node| match input::duration(node.as_text().unwrap_or_default()) {
        Ok(length) => Some(length),
        Err(why) => {
            problems.push(Diagnostic::error("R004", &node.span, format!("`target` cannot be read: {why}")));
            None
        }
    });
    let mut places = Vec::new();
    let mut read = |key, node: Option<Node>| {
        node.map_or_else(Vec::new, |node| Steps { key, route: &[], places: &mut places, problems }.read(&node))
    };
    let (steps, finally) = (read("steps", steps), read("finally", finally));
    let runbook = Runbook {
        name,
        title,
        summary,
        severity,
        target,
        inputs: inputs.map_or_else(Vec::new, |node| read_inputs(&node, problems)),
        steps,
        finally,
        source: Source { name: source_name.to_owned(), digest: Digest::of(text.as_bytes()) },
    };
    Parsed { runbook, root, places }
}

fn read_inputs(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<InputSpec> {
    if !matches!(node.kind, Kind::Table(_)) {
        problems.push(Diagnostic::error(
            "R004",
            &node.span,
            format!("`inputs` must be a table, and is {}", node.what()),
        ));
    }
    node.entries()
        .iter()
        .filter_map(|(key, table)| {
            if !key.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
                let message = format!("the input name `{}` is not of small letters, digits and underscores", key.name);
                problems.push(Diagnostic::error("R006", &key.span, message));
            }
            read_input(&key.name, table, problems)
        })
        .collect()
}

fn read_input(name: &str, table: &Node, problems: &mut Vec<Diagnostic>) -> Option<InputSpec> {
    let mut fields = Fields::new(table, "input", problems);
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
    fields.finish();
    let ty = InputType::named(&ty?, choices)?;
    let default = default.and_then(|node| {
        let json = node.to_json();
        let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        // A list is taken as it is; all else must read as it would from a prompt.
        let value = if json.is_array() { Ok(json) } else { ty.parse(&text, jiff::Timestamp::UNIX_EPOCH) };
        value
            .map_err(|why| {
                problems.push(Diagnostic::error("R004", &node.span, format!("the default cannot be `{text}`: {why}")));
            })
            .ok()
    });
    Some(InputSpec { name: name.to_owned(), ty, prompt, default, required, unknown_ok })
}

/// Small letters, digits and single hyphens, beginning with a letter.
pub(super) fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

pub(super) fn shape(span: &Range<usize>, what: &str, text: &str) -> Diagnostic {
    Diagnostic::error("R006", span, format!("the {what} `{text}` is not of small letters, digits and hyphens"))
        .help("for example `cut-suspect`")
}
