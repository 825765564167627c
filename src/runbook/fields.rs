use std::ops::Range;

use super::diagnostic::{Diagnostic, did_you_mean};
use super::node::{Kind, Node};

/// Reads the keys of one table, and notices those that nobody asked for.
pub(crate) struct Fields<'n, 'p> {
    table: &'n Node,
    /// What the table is, for messages: `step`, `input`.
    what: &'static str,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Diagnostic>,
}

impl<'n, 'p> Fields<'n, 'p> {
    pub(crate) fn new(table: &'n Node, what: &'static str, problems: &'p mut Vec<Diagnostic>) -> Self {
        if !matches!(table.kind, Kind::Table(_)) {
            problems.push(Diagnostic::error(
                "R004",
                &table.span,
                format!("{what} must be a table, and is {}", table.what()),
            ));
        }
        Self { table, what, asked: Vec::new(), problems }
    }

    /// The value under `name`.
    pub(crate) fn node(&mut self, name: &'static str) -> Option<&'n Node> {
        self.asked.push(name);
        self.table.get(name)
    }

    /// The text under `name`.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let node = self.node(name)?;
        let text = node.as_text().map(str::to_owned);
        if text.is_none() {
            self.wrong(name, &node.span, "text", node.what());
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
                self.problems.push(Diagnostic::error("R004", &node.span, format!("`{name}` is empty")));
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
                self.wrong(name, &node.span, "true or false", node.what());
                false
            }
        }
    }

    /// The list of texts under `name`, each with its place.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<(String, Range<usize>)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Kind::Array(items) = &node.kind else {
            self.wrong(name, &node.span, "a list of texts", node.what());
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_text() {
                Some(text) => texts.push((text.to_owned(), item.span.clone())),
                None => self.wrong(name, &item.span, "a list of texts", item.what()),
            }
        }
        texts
    }

    /// One of `choices` under `name`.
    pub(crate) fn choice(&mut self, name: &'static str, choices: &[&str]) -> Option<String> {
        let node = self.node(name)?;
        let Some(text) = node.as_text() else {
            self.wrong(name, &node.span, "text", node.what());
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
        let message = format!("this {} has no `{name}`", self.what);
        self.problems.push(Diagnostic::error("R003", &self.table.span, message));
    }

    pub(crate) fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn wrong(&mut self, name: &str, span: &Range<usize>, wanted: &str, found: &str) {
        self.problems.push(Diagnostic::error("R004", span, format!("`{name}` must be {wanted}, and is {found}")));
    }

    /// Reports the keys that were not asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table.entries() {
            if !self.asked.contains(&key.name.as_str()) {
                let problem =
                    Diagnostic::error("R002", &key.span, format!("a {} has no key `{}`", self.what, key.name));
                self.problems.push(match did_you_mean(&key.name, self.asked.iter().copied()) {
                    Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                    None => problem.help(format!("its keys are {}", quoted(&self.asked))),
                });
            }
        }
    }
}

/// Names in backticks, with commas.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
