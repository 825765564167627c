use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde_json::Value;

use super::diagnostic::{Diagnostic, did_you_mean};
use super::fields::quoted;
use super::language::{Confirm, OnFailure, StepSpec};
use super::node::{Kind, Node};
use super::parse::{Parsed, StepPlaces};
use super::reference::Surroundings;
use super::schema::{Schema, fits, words};
use super::text;
use crate::model::Danger;

/// What actions there are, as data: the checker knows nothing of their code.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// By id.
    pub actions: BTreeMap<String, ActionWords>,
}

/// What an action takes, gives and can do.
#[derive(Debug, Clone)]
pub struct ActionWords {
    /// JSON Schema of its parameters.
    pub params: Value,
    /// JSON Schema of its output.
    pub output: Value,
    /// The most harm that one of its effects can do.
    pub max_danger: Danger,
    /// One line.
    pub summary: String,
}

/// Checks a parsed runbook.
pub(super) fn check(parsed: &Parsed, vocabulary: &Vocabulary, source: &str, problems: &mut Vec<Diagnostic>) {
    let steps = &parsed.runbook.steps;
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (at, (step, places)) in steps.iter().zip(&parsed.places).enumerate() {
        if *first.entry(&step.id).or_insert(at) != at {
            let problem = Diagnostic::error("R005", &places.id, format!("another step has the id `{}`", step.id));
            problems.push(problem.help("the id is a step's address in the journal: give each its own"));
        }
        order(parsed, &first, step, places, problems);
        let around = Surroundings { runbook: &parsed.runbook, vocabulary, at };
        let mut checker = Checker { around, source, problems };
        checker.step(step, places, parsed.table(at));
    }
}

/// `requires` names earlier steps, `on_failure` a later one.
fn order(
    parsed: &Parsed,
    earlier: &HashMap<&str, usize>,
    step: &StepSpec,
    places: &StepPlaces,
    problems: &mut Vec<Diagnostic>,
) {
    for (id, span) in step.requires.iter().zip(&places.requires) {
        if *id != step.id && earlier.contains_key(id.as_str()) {
            continue;
        }
        let problem = if parsed.runbook.steps.iter().any(|other| other.id == *id) {
            Diagnostic::error("R012", span, format!("`{id}` does not come before this step"))
        } else {
            Diagnostic::error("R011", span, format!("there is no step `{id}`"))
        };
        let meant = did_you_mean(id, earlier.keys().copied().filter(|known| *known != step.id));
        problems.push(match meant {
            Some(meant) if meant != id => problem.help(format!("did you mean `{meant}`?")),
            _ => problem.help("`requires` names steps that come before"),
        });
    }
    if let OnFailure::Goto(later) = &step.on_failure {
        let found = parsed.runbook.steps.iter().position(|other| other.id == *later);
        if found.is_none() || earlier.contains_key(later.as_str()) {
            let message = if found.is_none() {
                format!("there is no step `{later}`")
            } else {
                format!("`{later}` does not come after this step")
            };
            let code = if found.is_none() { "R011" } else { "R012" };
            problems.push(Diagnostic::error(code, &places.on_failure, message).help("a run only goes forward"));
        }
    }
}

struct Checker<'a, 'p> {
    around: Surroundings<'a>,
    source: &'a str,
    problems: &'p mut Vec<Diagnostic>,
}

impl Checker<'_, '_> {
    fn step(&mut self, step: &StepSpec, places: &StepPlaces, table: Option<&Node>) {
        let Some(table) = table else { return };
        for key in ["title", "why"] {
            if let Some(node) = table.get(key) {
                self.text(node);
            }
        }
        if let Some(node) = table.get("when") {
            text::check_condition(node, &self.around, self.problems);
        }
        let Some(words) = self.around.vocabulary.actions.get(&step.action) else {
            let span = table.get("action").map_or(places.table.clone(), |node| node.span.clone());
            let problem = Diagnostic::error("R007", &span, format!("there is no action `{}`", step.action));
            let meant = did_you_mean(&step.action, self.around.vocabulary.actions.keys().map(String::as_str));
            self.problems.push(match meant {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem.help("`quell actions` lists those that there are"),
            });
            return;
        };
        if words.max_danger > Danger::Observe && step.why.is_none() {
            let message = format!("step `{}` can change something and does not say `why`", step.id);
            self.problems.push(
                Diagnostic::warning("R018", &places.id, message)
                    .help("say in one sentence what is lost by skipping it"),
            );
        }
        self.confirm(step, words.max_danger, table);
        let schema = Schema::new(&words.params);
        match table.get("with") {
            Some(with) => self.table(with, schema, "with"),
            None => self.missing(schema, &[], &places.table, &step.action),
        }
    }

    /// `confirm` may be stricter than the danger asks; a laxer one never has an effect.
    fn confirm(&mut self, step: &StepSpec, danger: Danger, table: &Node) {
        let asked = match danger {
            Danger::Observe => None,
            Danger::Reversible => Some(Confirm::Ask),
            Danger::Disruptive => Some(Confirm::Step),
            Danger::Irreversible => Some(Confirm::Target),
        };
        if let (Some(confirm), Some(node)) = (step.confirm, table.get("confirm"))
            && Some(confirm) < asked
        {
            let message = format!("`{}` can be {danger}, which asks for more than this", step.action);
            self.problems.push(
                Diagnostic::warning("R017", &node.span, message)
                    .help("it has no effect: leave it out, or make it stricter"),
            );
        }
    }

    fn table(&mut self, node: &Node, schema: Schema<'_>, what: &str) {
        let known = schema.properties();
        for (key, value) in node.entries() {
            match schema.property(&key.name) {
                Some(property) => self.value(value, property, &key.name),
                None if schema.is_open() => self.anything(value),
                None => {
                    let message = format!("there is no parameter `{}`", key.name);
                    let problem = Diagnostic::error("R009", &key.span, message);
                    let meant = did_you_mean(&key.name, known.iter().copied());
                    self.problems.push(match meant {
                        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                        None if known.is_empty() => problem.help("it takes none"),
                        None => problem.help(format!("there are {}", quoted(&known))),
                    });
                }
            }
        }
        let given: Vec<&str> = node.entries().iter().map(|(key, _)| key.name.as_str()).collect();
        self.missing(schema, &given, &node.span, what);
    }

    fn missing(&mut self, schema: Schema<'_>, given: &[&str], span: &Range<usize>, what: &str) {
        for name in schema.required() {
            if !given.contains(&name) {
                self.problems.push(Diagnostic::error("R008", span, format!("`{what}` needs `{name}`")));
            }
        }
    }

    fn value(&mut self, node: &Node, schema: Schema<'_>, name: &str) {
        if let Some(from) = node.get("from") {
            return self.reference(node, from, schema, name);
        }
        let types = schema.types();
        if !fits(node.json_type(), &types) {
            let message = format!("`{name}` must be {}, and is {}", words(&types), node.what());
            self.problems.push(Diagnostic::error("R010", &node.span, message));
            return;
        }
        match &node.kind {
            Kind::Table(_) if schema.alternatives().len() == 1 => self.table(node, schema, name),
            Kind::Array(items) => {
                for item in items {
                    match schema.items() {
                        Some(schema) => self.value(item, schema, name),
                        None => self.anything(item),
                    }
                }
            }
            Kind::Text(text, _) => {
                let choices = schema.choices();
                if !choices.is_empty() && !choices.contains(&text.as_str()) && !text.contains("{{") {
                    let problem = Diagnostic::error("R010", &node.span, format!("`{name}` cannot be `{text}`"));
                    let meant =
                        did_you_mean(text, choices.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
                    self.problems
                        .push(problem.help(meant.unwrap_or_else(|| format!("it is one of {}", quoted(&choices)))));
                }
                self.text(node);
            }
            _ => self.anything(node),
        }
    }

    fn reference(&mut self, node: &Node, from: &Node, schema: Schema<'_>, name: &str) {
        for (key, _) in node.entries().iter().filter(|(key, _)| !matches!(key.name.as_str(), "from" | "default")) {
            self.problems.push(
                Diagnostic::error("R002", &key.span, format!("a reference has no key `{}`", key.name))
                    .help("its keys are `from` and `default`"),
            );
        }
        let Some(path) = from.as_text() else {
            self.problems.push(Diagnostic::error(
                "R004",
                &from.span,
                format!("`from` must be text, and is {}", from.what()),
            ));
            return;
        };
        let pointed = match self.around.follow(path) {
            Ok(pointed) => pointed,
            Err(astray) => {
                let problem = Diagnostic::error(astray.code, &from.span, astray.message);
                self.problems.push(Diagnostic { help: astray.help, ..problem });
                return;
            }
        };
        let wanted = schema.types();
        if let Some(given) = &pointed.schema {
            let given = Schema::new(given).types();
            if !given.is_empty() && !given.iter().any(|given| fits(given, &wanted)) {
                let message = format!("`{name}` must be {}, and `{path}` is {}", words(&wanted), words(&given));
                self.problems.push(Diagnostic::error("R013", &from.span, message));
            }
        }
        match node.get("default") {
            Some(default) => self.value(default, schema, name),
            None => {
                if let Some(why) = pointed.optional.filter(|_| !schema.is_nullable() && self.is_required(name)) {
                    let problem = Diagnostic::error("R014", &from.span, format!("`{name}` would have no value: {why}"));
                    self.problems.push(problem.help("add a `default` beside `from`"));
                }
            }
        }
    }

    /// Whether the parameter `name` of this step's action must have a value.
    fn is_required(&self, name: &str) -> bool {
        let step = &self.around.runbook.steps[self.around.at];
        let words = self.around.vocabulary.actions.get(&step.action);
        words.is_some_and(|words| Schema::new(&words.params).required().contains(&name))
    }

    /// A value that no schema describes: its texts and references are checked all the same.
    fn anything(&mut self, node: &Node) {
        let open = Value::Bool(true);
        match &node.kind {
            Kind::Table(_) if node.get("from").is_some() => self.value(node, Schema::new(&open), "value"),
            Kind::Table(entries) => entries.iter().for_each(|(_, value)| self.anything(value)),
            Kind::Array(items) => items.iter().for_each(|item| self.anything(item)),
            Kind::Text(..) => self.text(node),
            _ => {}
        }
    }

    fn text(&mut self, node: &Node) {
        text::check_text(node, &self.around, self.source, self.problems);
    }
}
