use std::ops::Range;

use jiff::SignedDuration;

use super::diagnostic::{Diagnostic, did_you_mean};
use super::input;
use super::node::{Kind, Node};

/// Reads the keys of one table, and notices those that nobody asked for.
pub(crate) struct Fields<'n, 'p> {
    table: &'n Node,
    /// What the table is, for messages: `step`, `input`.
    what: &'static str,
    /// How this one is called, for messages: `this step`, ``step `cut` ``.
    this: String,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Diagnostic>,
}

impl<'n, 'p> Fields<'n, 'p> {
    pub(crate) fn new(table: &'n Node, what: &'static str, problems: &'p mut Vec<Diagnostic>) -> Self {
        if !matches!(table.kind, Kind::Table(_)) {
            let message = format!("{} {what} must be a table, and is {}", article(what), table.what());
            let problem = Diagnostic::error("R004", &table.span, message);
            problems.push(match what {
                "step" => problem.help("a step begins with the line `[[steps]]`"),
                "repetition" => problem.help("it is written `repeat = { until = \"CONDITION\", max = 5 }`"),
                "retry" => problem.help("it is written `retry = { times = 3, every = \"10s\" }`"),
                _ => problem.help("an input begins with `[inputs.NAME]`"),
            });
        }
        Self { table, what, this: format!("this {what}"), asked: Vec::new(), problems }
    }

    /// Says which one it is, for the messages that follow.
    pub(super) fn call(&mut self, name: &str) {
        self.this = format!("{} `{name}`", self.what);
    }

    /// The value under `name`.
    pub(crate) fn node(&mut self, name: &'static str) -> Option<&'n Node> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.table.get(name)
    }

    /// The text under `name`.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let node = self.node(name)?;
        let text = node.as_text().map(str::to_owned);
        if text.is_none() {
            self.wrong(name, node, "text", "put it between double quotes");
        }
        text
    }

    /// The text under `name`, which must be there.
    pub(crate) fn needed_text(&mut self, name: &'static str) -> Option<String> {
        if self.table.get(name).is_none() {
            self.missing(name);
        }
        self.text(name).filter(|text| {
            let blank = text.trim().is_empty();
            if blank && let Some(node) = self.table.get(name) {
                let problem = Diagnostic::error("R004", &node.span, format!("`{name}` is empty"));
                self.problems.push(Diagnostic { help: hint(self.what, name), ..problem });
            }
            !blank
        })
    }

    /// The flag under `name`; false where it is missing.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        let Some(node) = self.node(name) else { return false };
        match node.kind {
            Kind::Bool(flag) => flag,
            _ => {
                self.wrong(name, node, "true or false", "write it without quotes");
                false
            }
        }
    }

    /// The whole number under `name`, within bounds.
    pub(super) fn number(&mut self, name: &'static str, least: i64, most: i64) -> Option<u32> {
        let node = self.node(name)?;
        match node.kind {
            Kind::Integer(number) if (least..=most).contains(&number) => u32::try_from(number).ok(),
            Kind::Integer(number) => {
                let message = format!("`{name}` must be from {least} to {most}, and is {number}");
                self.problems.push(Diagnostic::error("R004", &node.span, message));
                None
            }
            _ => {
                self.wrong(name, node, "a whole number", "write it without quotes");
                None
            }
        }
    }

    /// The length of time under `name`.
    pub(crate) fn duration(&mut self, name: &'static str) -> Option<SignedDuration> {
        let text = self.text(name)?;
        input::duration(&text)
            .map_err(|why| {
                let span = self.table.get(name).map_or(0..0, |node| node.span.clone());
                self.problems.push(Diagnostic::error("R004", &span, format!("`{name}` cannot be read: {why}")));
            })
            .ok()
    }

    /// Reads the keys of a table inside this one.
    pub(super) fn inner<T>(
        &mut self,
        node: &Node,
        what: &'static str,
        read: impl FnOnce(&mut Fields<'_, '_>) -> T,
    ) -> T {
        let mut fields = Fields::new(node, what, self.problems);
        let value = read(&mut fields);
        fields.finish();
        value
    }

    /// The list of texts under `name`, each with its place.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<(String, Range<usize>)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Kind::Array(items) = &node.kind else {
            self.wrong(name, node, "a list of texts", "put it between `[` and `]`");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_text() {
                Some(text) => texts.push((text.to_owned(), item.span.clone())),
                None => {
                    let message = format!("each of `{name}` must be text, and this is {}", item.what());
                    let problem = Diagnostic::error("R004", &item.span, message);
                    self.problems.push(problem.help("put it between double quotes"));
                }
            }
        }
        texts
    }

    /// One of `choices` under `name`.
    pub(crate) fn choice(&mut self, name: &'static str, choices: &[&str]) -> Option<String> {
        let node = self.node(name)?;
        let Some(text) = node.as_text() else {
            self.wrong(name, node, "text", &format!("it is one of {}", quoted(choices)));
            return None;
        };
        if choices.contains(&text) {
            return Some(text.to_owned());
        }
        let problem = Diagnostic::error("R004", &node.span, format!("`{name}` cannot be `{text}`"));
        let meant = did_you_mean(text, choices.iter().copied());
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it is one of {}", quoted(choices)),
        };
        self.problems.push(problem.help(help));
        None
    }

    pub(crate) fn missing(&mut self, name: &str) {
        if !matches!(self.table.kind, Kind::Table(_)) {
            return; // That it is no table is the mistake; what it would hold is another matter.
        }
        let problem = Diagnostic::error("R003", &self.table.span, format!("{} has no `{name}`", self.this));
        self.problems.push(Diagnostic { help: hint(self.what, name), ..problem });
    }

    pub(crate) fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn wrong(&mut self, name: &str, node: &Node, wanted: &str, help: &str) {
        let message = format!("`{name}` must be {wanted}, and is {}", node.what());
        self.problems.push(Diagnostic::error("R004", &node.span, message).help(help));
    }

    /// Reports the keys that were not asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table.entries() {
            if !self.asked.contains(&key.name.as_str()) {
                let message = format!("{} {} has no key `{}`", article(self.what), self.what, key.name);
                let problem = Diagnostic::error("R002", &key.span, message);
                self.problems.push(match did_you_mean(&key.name, self.asked.iter().copied()) {
                    Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                    None => problem.help(format!("its keys are {}", quoted(&self.asked))),
                });
            }
        }
    }
}

/// How a key that is needed is written.
fn hint(what: &str, name: &str) -> Option<String> {
    let hint = match (what, name) {
        (_, "schema") => "write `schema = 1` at the top: the version of the language",
        (_, "name") => "a short name to call it by, such as `name = \"token-leak\"`",
        ("runbook", "title") => "one line that says when to take this runbook",
        (_, "title") => "one line that says what the step does",
        (_, "steps") => "a step begins with the line `[[steps]]`",
        (_, "id") => "what the step is called in consent, journal and report, such as `id = \"cut-suspect\"`",
        (_, "phase") => "it is one of `prepare`, `identify`, `contain`, `eradicate`, `recover`, `learn`",
        (_, "action") => "`quell actions` lists those that there are",
        (_, "as") => "what the item is called in the step, such as `as = \"zone\"`",
        (_, "until") => "the condition that ends it, such as `until = \"steps.hunt.complete\"`",
        (_, "max") => "the most rounds that there may be, such as `max = 5`",
        (_, "times") => "how often to try again, such as `times = 3`",
        (_, "choices") => "what may be chosen, such as `choices = [\"now\", \"later\"]`",
        (_, "type") => return Some(format!("it is one of {}", quoted(super::input::NAMES))),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn article(what: &str) -> &'static str {
    if what.starts_with('i') { "an" } else { "a" }
}

/// Names in backticks, with commas.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
