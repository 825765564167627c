use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::fields::{Fields, quoted};
use super::input::{self, InputType};
use super::language::{Confirm, InputSpec, OnFailure, Runbook, Source, StepSpec};
use super::node::{Kind, Node};
use crate::model::{Digest, Phase};

pub(super) const PHASES: &[&str] = &["prepare", "identify", "contain", "eradicate", "recover", "learn"];

/// A runbook as far as it could be read, with the places that a check needs.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) runbook: Runbook,
    pub(super) root: Node,
    /// One for each of the runbook's steps.
    pub(super) places: Vec<StepPlaces>,
}

/// Where the parts of a step stand.
#[derive(Debug)]
pub(super) struct StepPlaces {
    pub(super) id: Range<usize>,
    /// The step's table header.
    pub(super) table: Range<usize>,
    /// Index of the step's table among all steps' tables.
    pub(super) index: usize,
    pub(super) requires: Vec<Range<usize>>,
    pub(super) on_failure: Range<usize>,
}

impl Parsed {
    /// The table of the runbook's step at `at`.
    pub(super) fn table(&self, at: usize) -> Option<&Node> {
        match self.root.get("steps").map(|steps| &steps.kind) {
            Some(Kind::Array(tables)) => self.places.get(at).and_then(|places| tables.get(places.index)),
            _ => None,
        }
    }
}

/// Reads the text into a runbook. What cannot be read is a problem, and the rest is read all the same.
pub(super) fn parse(source_name: &str, text: &str, problems: &mut Vec<Diagnostic>) -> Parsed {
    let root = Node::read(text, problems);
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
    let (steps, places) = steps.map_or_else(Default::default, |node| read_steps(&node, problems));
    let runbook = Runbook {
        name,
        title,
        summary,
        severity,
        target,
        inputs: inputs.map_or_else(Vec::new, |node| read_inputs(&node, problems)),
        steps,
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

fn read_steps(node: &Node, problems: &mut Vec<Diagnostic>) -> (Vec<StepSpec>, Vec<StepPlaces>) {
    let Kind::Array(tables) = &node.kind else {
        let message = format!("steps are written as `[[steps]]`, and this is {}", node.what());
        problems.push(Diagnostic::error("R004", &node.span, message));
        return Default::default();
    };
    let read = tables.iter().enumerate().filter_map(|(index, table)| read_step(index, table, problems));
    read.unzip()
}

fn read_step(index: usize, table: &Node, problems: &mut Vec<Diagnostic>) -> Option<(StepSpec, StepPlaces)> {
    let mut fields = Fields::new(table, "step", problems);
    let id = fields.needed_text("id");
    let id_span = fields.node("id").map_or_else(|| table.span.clone(), |node| node.span.clone());
    if let Some(id) = id.as_ref().filter(|id| !is_id(id)) {
        fields.problem(shape(&id_span, "id", id));
    }
    if fields.node("phase").is_none() {
        fields.missing("phase");
    }
    let phase = fields.choice("phase", PHASES);
    let title = fields.needed_text("title");
    let why = fields.text("why").filter(|why| !why.trim().is_empty());
    let action = fields.needed_text("action");
    let with = fields.node("with");
    if let Some(node) = with.filter(|node| !matches!(node.kind, Kind::Table(_))) {
        fields.problem(Diagnostic::error(
            "R004",
            &node.span,
            format!("`with` must be a table, and is {}", node.what()),
        ));
    }
    let when = fields.text("when");
    let confirm = match fields.node("confirm").and_then(|node| node.as_text().map(|text| (text, node.span.clone()))) {
        Some(("second-person", span)) => {
            fields.problem(
                Diagnostic::error("R019", &span, "`second-person` is not there yet")
                    .help("`target` is the strictest that there is"),
            );
            None
        }
        _ => fields.choice("confirm", &["ask", "step", "target"]),
    };
    let failure = fields.node("on_failure");
    let failure_span = failure.map_or(0..0, |node| node.span.clone());
    let on_failure = match failure.and_then(Node::as_text).and_then(|text| text.strip_prefix("step:")) {
        Some(later) => OnFailure::Goto(later.to_owned()),
        None => match fields.choice("on_failure", &["ask", "stop", "continue"]).as_deref() {
            Some("stop") => OnFailure::Stop,
            Some("continue") => OnFailure::Continue,
            _ => OnFailure::Ask,
        },
    };
    let (requires, places): (Vec<String>, Vec<Range<usize>>) = fields.texts("requires").into_iter().unzip();
    let known = ["foreach", "repeat", "retry", "timeout", "skippable", "finally"];
    for (key, _) in table.entries().iter().filter(|(key, _)| known.contains(&key.name.as_str())) {
        let message = format!("`{}` is not there yet", key.name);
        fields.problem(
            Diagnostic::error("R019", &key.span, message).help(format!("a step's keys are {}", quoted(STEP_KEYS))),
        );
    }
    for key in known {
        fields.node(key);
    }
    fields.finish();
    let spec = StepSpec {
        id: id?,
        phase: phase.and_then(|phase| serde_json::from_value::<Phase>(phase.into()).ok()).unwrap_or(Phase::Identify),
        title: title.unwrap_or_default(),
        why,
        action: action?,
        with: with.map(Node::to_json).and_then(|json| json.as_object().cloned()).unwrap_or_default(),
        when,
        confirm: confirm.map(|confirm| match confirm.as_str() {
            "target" => Confirm::Target,
            "step" => Confirm::Step,
            _ => Confirm::Ask,
        }),
        on_failure,
        requires,
    };
    Some((
        spec,
        StepPlaces { id: id_span, table: table.span.clone(), index, requires: places, on_failure: failure_span },
    ))
}

const STEP_KEYS: &[&str] =
    &["id", "phase", "title", "why", "action", "with", "when", "confirm", "on_failure", "requires"];

/// Small letters, digits and single hyphens, beginning with a letter.
pub(super) fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn shape(span: &Range<usize>, what: &str, text: &str) -> Diagnostic {
    Diagnostic::error("R006", span, format!("the {what} `{text}` is not of small letters, digits and hyphens"))
        .help("for example `cut-suspect`")
}
