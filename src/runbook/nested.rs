//! Runbooks that call others: each is found by its name, read, checked, and held by the step that calls it.

use serde::Serialize;

use super::check::Vocabulary;
use super::diagnostic::{Diagnostic, Severity};
use super::language::{Runbook, StepSpec};
use super::library::{Found, Library};
use super::parse::{Parsed, is_id, shape};
use super::{lint, parse, walk};
use crate::model::{Digest, StepPath};

/// How many calls deep a runbook may stand. What is deeper nobody has in mind at 3 am.
const DEEPEST: usize = 8;

/// How many steps a runbook may have with all that it calls. A few that call each other twice would be endless.
const MOST_STEPS: usize = 10_000;

/// The runbook that a step calls.
#[derive(Debug, Clone, Serialize)]
pub struct Called {
    /// The name that it is called by.
    pub name: String,
    /// The runbook, checked.
    pub runbook: Runbook,
}

/// The text of a runbook that is called, and every problem of it.
#[derive(Debug, Clone)]
pub struct NestedText {
    /// The name that it is called by.
    pub name: String,
    /// The text.
    pub found: Found,
    /// Its problems, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

/// Where a step stands: the runbook in whose text it is declared, and the step.
#[derive(Debug, Clone, Copy)]
pub struct Place<'r> {
    /// The runbook: the outermost, or one that is called.
    pub runbook: &'r Runbook,
    /// The step.
    pub step: &'r StepSpec,
}

impl Runbook {
    /// The step that `path` is an instance of. Ids are unique within one text only, so the whole path tells.
    pub fn locate(&self, path: &StepPath) -> Option<Place<'_>> {
        let mut runbook = self;
        let mut inside: Option<&StepSpec> = None;
        let mut route: &[usize] = &[];
        for id in path.ids() {
            if let Some(called) = inside.and_then(|outer| outer.calls.as_ref()) {
                (runbook, route) = (&called.runbook, &[]);
            }
            let (outer, at) = (route, runbook.index.route(id)?);
            (_, route) = (at.strip_prefix(outer).filter(|below| below.len() == 1)?, at);
            inside = Some(runbook.step(id)?);
        }
        inside.map(|step| Place { runbook, step })
    }

    /// Every step by its address, which is its ids from the outside in with `/` between; `true` for those of its own text.
    pub fn addresses(&self) -> Vec<(String, bool)> {
        fn add(step: &StepSpec, around: &str, is_own: bool, all: &mut Vec<(String, bool)>) {
            let address = format!("{around}{}", step.id);
            let inside = format!("{address}/");
            all.push((address, is_own));
            step.held().for_each(|(inner, _)| add(inner, &inside, is_own && step.calls.is_none(), all));
        }
        let mut all = Vec::new();
        self.steps.iter().chain(&self.finally).for_each(|step| add(step, "", true, &mut all));
        all
    }

    /// The runbooks that its steps call, and those that these call: each once, in the order in which they are met.
    pub fn nested(&self) -> Vec<&Called> {
        let mut all: Vec<&Called> = Vec::new();
        for called in self.all_steps().filter_map(|step| step.calls.as_deref()) {
            if !all.iter().any(|known| known.name == called.name) {
                all.push(called);
            }
        }
        all
    }

    /// How many calls deep it goes.
    fn depth(&self) -> usize {
        let called = self.own_steps().filter_map(|step| step.calls.as_ref());
        called.map(|called| 1 + called.runbook.depth()).max().unwrap_or_default()
    }
}

/// Reads a runbook, and those that it calls.
pub(super) struct Reading<'a> {
    vocabulary: &'a Vocabulary,
    library: &'a dyn Library,
    /// The runbooks that are being read, from the outside in: what each is called, and the digest of its text.
    open: Vec<(String, Digest)>,
    /// Those that were called, in the order in which they were met; the runbook where it is sound.
    read: Vec<(NestedText, Option<Runbook>)>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(vocabulary: &'a Vocabulary, library: &'a dyn Library) -> Self {
        Self { vocabulary, library, open: Vec::new(), read: Vec::new() }
    }

    /// The texts that were called.
    pub(super) fn finish(self) -> Vec<NestedText> {
        self.read.into_iter().map(|(text, _)| text).collect()
    }

    /// Reads one text: what it says, and every problem in the order of the text.
    pub(super) fn text(&mut self, source_name: &str, text: &str) -> (Runbook, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let mut parsed = parse::parse(source_name, text, &mut problems);
        self.open.push((parsed.runbook.name.clone(), parsed.runbook.source.digest.clone()));
        self.fill(&mut parsed, &mut problems);
        self.open.pop();
        walk::check(&parsed, self.vocabulary, text, &mut problems);
        lint::secrets(text, &mut problems);
        (parsed.runbook, problems)
    }

    /// Puts into each step that calls a runbook what it calls.
    fn fill(&mut self, parsed: &mut Parsed, problems: &mut Vec<Diagnostic>) {
        let mut total = parsed.runbook.own_steps().count();
        let mut calls = Vec::new();
        for (step, places) in parsed.runbook.own_steps().zip(&parsed.places) {
            let with = parsed.table(places).and_then(|table| table.get("with"));
            let name = with.and_then(|with| with.get("name")).filter(|_| step.is_call());
            let Some((node, name)) = name.and_then(|node| Some((node, node.as_text()?))) else {
                calls.push(None); // No call, or one whose `with` is a problem of its own.
                continue;
            };
            calls.push(match self.call(name, &mut total) {
                Ok(runbook) => Some(Box::new(Called { name: name.to_owned(), runbook })),
                Err(problem) => {
                    problems.push(Diagnostic { span: node.span.clone(), ..*problem });
                    None
                }
            });
        }
        let mut calls = calls.into_iter();
        let runbook = &mut parsed.runbook;
        runbook.steps.iter_mut().chain(&mut runbook.finally).for_each(|step| put(step, &mut calls));
    }

    /// The runbook that a step calls by `name`; `total` is how many steps there are so far.
    fn call(&mut self, name: &str, total: &mut usize) -> Result<Runbook, Box<Diagnostic>> {
        if !is_id(name) {
            let problem = shape(&(0..0), "the name of a runbook", name);
            let help = "a runbook is called by its name, never by a path, so that everybody calls the same; \
                        `quell runbooks list` shows those that there are";
            return Err(Box::new(problem.help(help)));
        }
        let at = match self.read.iter().position(|(text, _)| text.name == name) {
            Some(at) => at,
            None => self.find(name)?,
        };
        let (text, runbook) = &self.read[at];
        let Some(runbook) = runbook else {
            let errors = text.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
            let what = if errors == 1 { "an error".to_owned() } else { format!("{errors} errors") };
            let problem = error("R024", format!("the runbook `{name}` has {what} of its own"));
            return Err(Box::new(problem.help(format!("`quell runbooks check {name}` shows what is wrong with it"))));
        };
        if self.open.len() + runbook.depth() > DEEPEST {
            return Err(Box::new(self.too_deep(name)));
        }
        *total += runbook.all_steps().count();
        if *total > MOST_STEPS {
            let message = format!("with `{name}` there are {total} steps, and {MOST_STEPS} is the most");
            return Err(Box::new(error("R021", message).help("nobody walks through that many: split the runbook")));
        }
        Ok(runbook.clone())
    }

    /// Finds and reads a runbook; returns where it stands among those that were read.
    fn find(&mut self, name: &str) -> Result<usize, Box<Diagnostic>> {
        let found = self.library.find(name).map_err(|missing| {
            Box::new(error("R024", format!("`{name}` cannot be called: {}", missing.why)).help(missing.help))
        })?;
        let digest = Digest::of(found.text.as_bytes());
        if let Some(at) = self.open.iter().position(|(_, open)| *open == digest) {
            let way: Vec<String> = self.open[at..].iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format!("runbooks call each other in a circle: {} and `{name}` again", way.join(", "));
            return Err(Box::new(error("R025", message).help("take one of the calls out: nothing would ever end")));
        }
        if self.open.len() > DEEPEST {
            return Err(Box::new(self.too_deep(name)));
        }
        let at = self.read.len();
        let text = NestedText { name: name.to_owned(), found, problems: Vec::new() };
        self.read.push((text.clone(), None));
        let super::Judged { runbook, problems } = super::judge(&text.found.source, &text.found.text, self);
        self.read[at] = (NestedText { problems, ..text }, runbook);
        Ok(at)
    }

    fn too_deep(&self, name: &str) -> Diagnostic {
        let way: Vec<String> = self.open.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message =
            format!("`{name}` would stand more than {DEEPEST} calls deep; the calls so far: {}", way.join(", "));
        error("R025", message).help("call it from further out: nobody has so many levels in mind")
    }
}

fn error(code: &'static str, message: String) -> Diagnostic {
    Diagnostic::error(code, &(0..0), message)
}

/// Gives the calls to the steps, in the order of the text.
fn put(step: &mut StepSpec, calls: &mut impl Iterator<Item = Option<Box<Called>>>) {
    step.calls = calls.next().flatten();
    step.steps.iter_mut().for_each(|inner| put(inner, calls));
}
