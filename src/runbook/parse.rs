use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::fields::Fields;
use super::index::Index;
use super::input;
use super::inputs::read_inputs;
use super::language::{Runbook, Source};
use super::node::{Kind, Node};
use super::reserved::RESERVED;
use super::step::{StepPlaces, Steps};
use crate::model::Digest;

/// A runbook as far as it could be read, with the places that a check needs.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) runbook: Runbook,
    pub(super) root: Node,
    /// Inputs whose type could not be read: nothing is known of their values.
    pub(super) untyped: Vec<String>,
    /// One for each of the runbook's steps, in the order of [`Runbook::own_steps`].
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
    let root = Node::read(text, problems);
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
    let update_every = fields.node("update_every").cloned();
    let inputs = fields.node("inputs").cloned();
    let steps = fields.node("steps").cloned();
    let finally = fields.node("finally").cloned();
    if steps.is_none() {
        fields.missing("steps");
    }
    fields.finish();
    let mut length = |key: &str, node: Option<Node>| {
        let node = node?;
        input::duration(node.as_text().unwrap_or_default())
            .map_err(|why| {
                problems.push(Diagnostic::error("R004", &node.span, format!("`{key}` cannot be read: {why}")));
            })
            .ok()
    };
    let (target, update_every) = (length("target", target), length("update_every", update_every));
    let mut places = Vec::new();
    let mut read = |key, node: Option<Node>| {
        node.map_or_else(Vec::new, |node| Steps { key, route: &[], places: &mut places, problems }.read(&node))
    };
    let (steps, finally) = (read("steps", steps), read("finally", finally));
    let mut untyped = Vec::new();
    let runbook = Runbook {
        name,
        title,
        summary,
        severity,
        target,
        update_every,
        inputs: inputs.map_or_else(Vec::new, |node| read_inputs(&node, &mut untyped, problems)),
        index: Index::of(steps.iter().chain(&finally)),
        steps,
        finally,
        source: Source { name: source_name.to_owned(), digest: Digest::of(text.as_bytes()) },
    };
    Parsed { runbook, root, untyped, places }
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
