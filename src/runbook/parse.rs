use std::ops::Range;

use jiff::Timestamp;
use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::fields::{Fields, quoted};
use super::input::{self, InputType};
use super::language::{Confirm, InputSpec, OnFailure, Runbook, Source, StepSpec};
use super::node::{Kind, Node};
use super::reserved::RESERVED;
use crate::model::{Digest, Phase};

const PHASES: &[&str] = &["prepare", "identify", "contain", "eradicate", "recover", "learn"];

/// A runbook as far as it could be read, with the places that a check needs.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) runbook: Runbook,
    pub(super) root: Node,
    /// Inputs whose type could not be read: nothing is known of their values.
    pub(super) untyped: Vec<String>,
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
    let (root, errors) = Node::read(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(syntax(&span, error.message()));
    }
    let mut fields = Fields::new(&root, "runbook", problems);
    match fields.node("schema").map(|node| (&node.kind, node.span.clone())) {
        Some((Kind::Integer(1), _)) => {}
        Some((Kind::Integer(other), span)) => {
            let message = format!("the runbook is written in version {other} of the language, and this quell reads 1");
            let help = if *other > 1 { "a newer quell reads it" } else { "write `schema = 1`" };
            fields.problem(Diagnostic::error("R004", &span, message).help(help));
        }
        Some((_, span)) => {
            fields.problem(
                Diagnostic::error("R004", &span, "`schema` must be a whole number").help("write `schema = 1`"),
            );
        }
        None => fields.missing("schema"),
    }
    let name = fields.needed_text("name").unwrap_or_default();
    if let Some(node) = fields.node("name")
        && !name.is_empty()
        && !is_id(&name)
    {
        fields.problem(shape(&node.span, "a name", &name));
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
    let mut untyped = Vec::new();
    let runbook = Runbook {
        name,
        title,
        summary,
        severity,
        target,
        inputs: inputs.map_or_else(Vec::new, |node| read_inputs(&node, &mut untyped, problems)),
        steps,
        source: Source { name: source_name.to_owned(), digest: Digest::of(text.as_bytes()) },
    };
    Parsed { runbook, root, untyped, places }
}

/// A syntax error, with what it means where the parser's words are about grammar.
fn syntax(span: &Range<usize>, message: &str) -> Diagnostic {
    let message = message.lines().next().unwrap_or_default();
    let problem = Diagnostic::error("R001", span, format!("this is not TOML: {message}"));
    if message.starts_with("duplicate key") {
        problem.help("a key stands once in a table: take one of the two out")
    } else if message.starts_with("unclosed") {
        problem.help("what was opened before is not closed by here")
    } else if message.contains("visible characters") {
        problem.help("there is a character here that no text may hold as it is, such as a tab or a null byte")
    } else if message.contains("string, expected `") {
        problem.help("a text ends on its line with the quote that it began with; a longer one stands between `\"\"\"`")
    } else if message.starts_with("string values must be quoted") {
        problem.help("put it between double quotes")
    } else {
        problem
    }
}

fn read_inputs(node: &Node, untyped: &mut Vec<String>, problems: &mut Vec<Diagnostic>) -> Vec<InputSpec> {
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
    fields.finish();
    let Some(ty) = ty.and_then(|ty| InputType::named(&ty, choices)) else {
        // It is kept, so that references to it are not taken for mistakes as well.
        untyped.push(name.to_owned());
        return InputSpec { name: name.to_owned(), ty: InputType::String, prompt, default: None, required, unknown_ok };
    };
    let default = default.and_then(|node| match read_default(&node, &ty) {
        Ok(value) => Some(value),
        Err(why) => {
            let message = format!("the default of `{name}` is {}: {why}", node.shown());
            problems.push(Diagnostic::error("R004", &node.span, message));
            None
        }
    });
    InputSpec { name: name.to_owned(), ty, prompt, default, required, unknown_ok }
}

/// A default must be of its input's own type, and read as it would from a prompt.
fn read_default(node: &Node, ty: &InputType) -> Result<Value, String> {
    match (ty, &node.kind) {
        (InputType::List, Kind::Array(items)) if items.iter().all(|item| item.as_text().is_some()) => {
            Ok(node.to_json())
        }
        (InputType::List, _) => Err("it must be a list of texts".into()),
        (InputType::Bool, Kind::Bool(flag)) => Ok((*flag).into()),
        (InputType::Bool, _) => Err("it must be true or false".into()),
        (InputType::Integer, Kind::Integer(number)) => Ok((*number).into()),
        (InputType::Integer, _) => Err("it must be a whole number".into()),
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
        _ => Err("it must be text".into()),
    }
}

fn read_steps(node: &Node, problems: &mut Vec<Diagnostic>) -> (Vec<StepSpec>, Vec<StepPlaces>) {
    let Kind::Array(tables) = &node.kind else {
        let message = format!("steps are written as `[[steps]]`, and this is {}", node.what());
        let problem = Diagnostic::error("R004", &node.span, message);
        problems.push(problem.help("each step begins with the line `[[steps]]`, with two brackets"));
        return Default::default();
    };
    if tables.is_empty() {
        let problem = Diagnostic::error("R003", &node.span, "the runbook has no steps");
        problems.push(problem.help("a step begins with the line `[[steps]]`"));
    }
    tables.iter().enumerate().map(|(index, table)| read_step(index, table, problems)).unzip()
}

/// A step is kept whatever it lacks, so that references to it are not taken for mistakes as well.
fn read_step(index: usize, table: &Node, problems: &mut Vec<Diagnostic>) -> (StepSpec, StepPlaces) {
    let mut fields = Fields::new(table, "step", problems);
    let id = fields.needed_text("id");
    let id_span = fields.node("id").map_or_else(|| table.span.clone(), |node| node.span.clone());
    if let Some(id) = id.as_ref().filter(|id| !is_id(id)) {
        fields.problem(shape(&id_span, "an id", id));
    }
    if let Some(id) = &id {
        fields.call(id);
        if RESERVED.contains(&id.as_str()) {
            let problem = Diagnostic::error("R020", &id_span, format!("no step can be called `{id}`"));
            fields.problem(problem.help(format!(
                "the id is typed to consent, and `{id}` means something else there; say what the step does to what, as \
                 in `cut-suspect`"
            )));
        }
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
        let problem = Diagnostic::error("R004", &node.span, format!("`with` must be a table, and is {}", node.what()));
        fields.problem(problem.help("it is written `with = { NAME = VALUE }`, or under a line `[steps.with]`"));
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
        None => match fields.choice("on_failure", &["ask", "stop", "continue", "step:ID"]).as_deref() {
            Some("stop") => OnFailure::Stop,
            Some("continue") => OnFailure::Continue,
            _ => OnFailure::Ask,
        },
    };
    let (requires, places): (Vec<String>, Vec<Range<usize>>) = fields.texts("requires").into_iter().unzip();
    for (key, _) in table.entries().iter().filter(|(key, _)| LATER_KEYS.contains(&key.name.as_str())) {
        let message = format!("`{}` is not there yet", key.name);
        fields.problem(
            Diagnostic::error("R019", &key.span, message).help(format!("a step's keys are {}", quoted(STEP_KEYS))),
        );
    }
    fields.leave(LATER_KEYS);
    fields.finish();
    let spec = StepSpec {
        id: id.unwrap_or_default(),
        phase: phase.and_then(|phase| serde_json::from_value::<Phase>(phase.into()).ok()).unwrap_or(Phase::Identify),
        title: title.unwrap_or_default(),
        why,
        action: action.unwrap_or_default(),
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
    (spec, StepPlaces { id: id_span, table: table.span.clone(), index, requires: places, on_failure: failure_span })
}

const STEP_KEYS: &[&str] =
    &["id", "phase", "title", "why", "action", "with", "when", "confirm", "on_failure", "requires"];

/// Keys that a later version of the language will have.
const LATER_KEYS: &[&str] = &["foreach", "repeat", "retry", "timeout", "skippable", "finally"];

/// Small letters, digits and single hyphens, beginning with a letter.
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn shape(span: &Range<usize>, what: &str, text: &str) -> Diagnostic {
    let wanted = "small letters, digits and single hyphens, beginning with a letter, 64 characters at most";
    Diagnostic::error("R006", span, format!("`{text}` is not of the shape of {what}")).help(format!(
        "it takes {wanted}: for example `{}`",
        near_id(text).filter(|_| text.len() <= 64).unwrap_or_else(|| "cut-suspect".to_owned())
    ))
}

/// The id that was probably meant.
fn near_id(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    Some(words.join("-")).filter(|id| is_id(id) && !RESERVED.contains(&id.as_str()))
}
