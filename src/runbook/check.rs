use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, did_you_mean};
use super::fields::quoted;
use super::input;
use super::language::{Confirm, RUNBOOK, StepSpec};
use super::node::{Kind, Node};
use super::reference::Surroundings;
use super::schema::{Schema, fits, words};
use super::secret;
use super::step::StepPlaces;
use super::text;
use crate::model::Danger;

/// The `format` of a text that is a length of time.
const LENGTH: &str = "length";

/// The `format` of a text that is a moment.
const MOMENT: &str = "date-time";

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

/// The parameter that a value is for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot<'s> {
    pub(super) name: &'s str,
    /// Whether the value is one of a list.
    pub(super) each: bool,
    /// Whether it must have a value.
    pub(super) needed: bool,
    /// What it is, in words.
    pub(super) about: Option<&'s str>,
}

impl Slot<'_> {
    fn called(&self) -> String {
        if self.each { format!("each of `{}`", self.name) } else { format!("`{}`", self.name) }
    }

    fn help(&self) -> Option<String> {
        self.about.map(|about| format!("`{}`: {about}", self.name))
    }
}

/// Checks one step.
pub(super) struct Checker<'a, 'p> {
    pub(super) around: Surroundings<'a>,
    pub(super) source: &'a str,
    pub(super) problems: &'p mut Vec<Diagnostic>,
}

impl Checker<'_, '_> {
    /// What is judged before the step begins: its texts and its condition.
    pub(super) fn outside(&mut self, table: &Node) {
        self.around.is_early = true;
        for key in ["title", "why"] {
            if let Some(node) = table.get(key) {
                self.text(node);
            }
        }
        self.around.is_early = false;
        if let Some(node) = table.get("when") {
            let either = ["leave it out", "the step is never done: mend the condition, or take the step out"];
            text::check_condition(node, either, &self.around, self.problems);
        }
    }

    /// The list of a `foreach`; returns what is known of its items.
    pub(super) fn list(&mut self, node: &Node) -> Option<Value> {
        if !matches!(node.kind, Kind::Array(_) | Kind::Table(_)) {
            return None; // That it is no list is a problem of its own.
        }
        let wanted = json!({ "type": "array" });
        self.value(node, Schema::new(&wanted), Slot { name: "foreach", needed: true, ..Slot::default() });
        let path = node.get("from").and_then(Node::as_text)?;
        let list = self.around.follow(path).ok()?.schema?;
        Schema::new(&list).resolved().items().map(Schema::to_document)
    }

    /// What the step does.
    pub(super) fn inside(&mut self, places: &StepPlaces, table: &Node) {
        let step = self.around.step;
        let Some(words) = self.around.vocabulary.actions.get(&step.action) else {
            if let Some(with) = table.get("with") {
                self.anything(with);
            }
            if step.action.is_empty() {
                return; // That it is missing is a problem of its own.
            }
            let span = table.get("action").map_or(places.table.clone(), |node| node.span.clone());
            let problem = Diagnostic::error("R007", &span, format!("there is no action `{}`", step.action));
            let known = self.around.vocabulary.actions.keys().map(String::as_str).chain([RUNBOOK]);
            let meant = did_you_mean(&step.action, known);
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
            Some(with) => self.table(with, schema, &format!("`{}`", step.action)),
            None => self.missing(schema, &[], &places.table, &format!("`{}`", step.action)),
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
                Some(property) => {
                    let name = key.name.as_str();
                    let needed = schema.required().contains(&name);
                    let slot = Slot { name, each: false, needed, about: schema.about(name) };
                    self.value(value, property, slot);
                }
                None if schema.is_open() => match schema.values() {
                    Some(values) => self.value(value, values, Slot { name: &key.name, ..Slot::default() }),
                    None => self.anything(value),
                },
                None => {
                    let message = format!("{what} has no parameter `{}`", key.name);
                    let problem = Diagnostic::error("R009", &key.span, message);
                    let meant = did_you_mean(&key.name, known.iter().copied());
                    self.problems.push(match meant {
                        Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                        None if known.is_empty() => problem.help("it takes none"),
                        None => problem.help(format!("its parameters are {}", quoted(&known))),
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
                let message = format!("{what} needs the parameter `{name}`");
                let about = schema.about(name).map(|about| format!("`{name}`: {about}"));
                self.problems.push(Diagnostic { help: about, ..Diagnostic::error("R008", span, message) });
            }
        }
    }

    pub(super) fn value(&mut self, node: &Node, schema: Schema<'_>, slot: Slot<'_>) {
        let name = slot.name;
        if let [(key, value)] = node.entries()
            && key.name == "literal"
        {
            return self.literal(value, schema, name);
        }
        if let Some(from) = node.get("from") {
            return self.reference(node, from, schema, slot);
        }
        let types = schema.types();
        if !fits(node.json_type(), &types) {
            let verb = if slot.each { "this is" } else { "is" };
            let message = format!("{} must be {}, and {verb} {}", slot.called(), words(&types), node.what());
            self.problems.push(Diagnostic { help: slot.help(), ..Diagnostic::error("R010", &node.span, message) });
            return;
        }
        match &node.kind {
            Kind::Table(_) if schema.alternatives().len() == 1 => self.table(node, schema, &slot.called()),
            Kind::Array(items) => {
                for item in items {
                    match schema.items() {
                        Some(schema) => self.value(item, schema, Slot { each: true, ..slot }),
                        None => self.anything(item),
                    }
                }
            }
            Kind::Text(text, _) => {
                if schema.format() == Some(LENGTH)
                    && !text.contains("{{")
                    && let Err(why) = input::duration(text)
                {
                    let message = format!("`{name}` cannot be `{text}`: {why}");
                    self.problems.push(Diagnostic::error("R010", &node.span, message));
                }
                if schema.format() == Some(MOMENT) && !text.contains("{{") && text.parse::<Timestamp>().is_err() {
                    let message = format!("`{name}` cannot be `{text}`: it is a moment such as `2026-11-23T14:05:00Z`");
                    let help = "a time such as `10h ago` is for an input of type `timestamp`, which is read when the run begins";
                    self.problems.push(Diagnostic::error("R010", &node.span, message).help(help));
                }
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

    /// A value that is taken as it stands: only its type is looked at.
    fn literal(&mut self, node: &Node, schema: Schema<'_>, name: &str) {
        let types = schema.types();
        if !fits(node.json_type(), &types) {
            let message = format!("`{name}` must be {}, and is {}", words(&types), node.what());
            self.problems.push(Diagnostic::error("R010", &node.span, message));
        }
    }

    fn reference(&mut self, node: &Node, from: &Node, schema: Schema<'_>, slot: Slot<'_>) {
        let name = slot.name;
        for (key, _) in node.entries().iter().filter(|(key, _)| !matches!(key.name.as_str(), "from" | "default")) {
            self.problems.push(
                Diagnostic::error("R002", &key.span, format!("a reference has no key `{}`", key.name))
                    .help("its keys are `from` and `default`"),
            );
        }
        let Some(path) = from.as_text() else {
            self.problems.push(
                Diagnostic::error("R004", &from.span, format!("`from` must be text, and is {}", from.what()))
                    .help("it is a path such as `steps.inventory.suspects`"),
            );
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
            let given = Schema::new(given);
            if let Some((message, help)) = secret::misplaced(given, schema, &slot.called(), path) {
                return self.problems.push(Diagnostic::error("R032", &from.span, message).help(help));
            }
            let given = given.types();
            if !given.is_empty() && !given.iter().any(|given| fits(given, &wanted)) {
                let message = format!("`{name}` must be {}, and `{path}` is {}", words(&wanted), words(&given));
                self.problems.push(Diagnostic { help: slot.help(), ..Diagnostic::error("R013", &from.span, message) });
            }
        }
        match node.get("default") {
            Some(default) => self.value(default, schema, slot),
            None => {
                if let Some(why) = pointed.optional.filter(|_| !schema.is_nullable() && slot.needed) {
                    let problem = Diagnostic::error("R014", &from.span, format!("`{name}` would have no value: {why}"));
                    self.problems.push(problem.help("add a `default` beside `from`"));
                }
            }
        }
    }

    /// A value that no schema describes: its texts and references are checked all the same.
    pub(super) fn anything(&mut self, node: &Node) {
        let open = Value::Bool(true);
        match &node.kind {
            Kind::Table(_) if ["from", "literal"].iter().any(|key| node.get(key).is_some()) => {
                self.value(node, Schema::new(&open), Slot::default());
            }
            Kind::Table(entries) => entries.iter().for_each(|(_, value)| self.anything(value)),
            Kind::Array(items) => items.iter().for_each(|item| self.anything(item)),
            Kind::Text(..) => self.text(node),
            _ => {}
        }
    }

    pub(super) fn text(&mut self, node: &Node) {
        text::check_text(node, &self.around, self.source, self.problems);
    }
}
