use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::journal::PreparedAnswers;
use crate::model::{Digest, Disposition, StepPath};

/// An answers file, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnswersFile {
    /// The runbook's inputs.
    pub inputs: Map<String, Value>,
    /// The first digits of the digest of the plan that is approved.
    pub approve: Option<String>,
    /// What holds for every step that does not say otherwise.
    pub defaults: StepAnswers,
    /// The steps' own answers, by the names that the file gives them; by address once it is bound to a runbook.
    pub steps: BTreeMap<String, StepAnswers>,
    /// The file's name, for messages.
    pub(super) name: String,
    /// Digest of its bytes; `None` where no file was read.
    pub(super) sha256: Option<Digest>,
    /// Where each step stands: line and column.
    pub(super) places: BTreeMap<String, (usize, usize)>,
}

/// The answers of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepAnswers {
    /// Whether to do it.
    pub answer: Option<StepAnswer>,
    /// Which rows.
    pub select: Option<Select>,
    /// What a person would type.
    pub phrase: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What becomes of what is not chosen or not done.
    pub left: Option<Left>,
    /// What to do where it is not known whether an effect took place.
    pub in_doubt: Option<InDoubt>,
    /// What to do where a step failed or an effect was refused.
    pub on_failure: Option<OnFailure>,
    /// What to do where a requirement was not done.
    pub unmet: Option<Unmet>,
    /// What to do after the first row of a list.
    pub canary: Option<Canary>,
    /// Why it goes on without the second person that the step asks for.
    pub alone: Option<String>,
    /// Fields of work by hand and of questions.
    pub fields: Option<Map<String, Value>>,
}

/// Whether to do a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAnswer {
    /// Do it.
    Run,
    /// Leave it.
    Skip,
    /// End the run.
    Abort,
}

/// Which rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// All.
    All,
    /// None.
    None,
    /// Those whose target has this id, or this name where only one has it.
    Targets(Vec<String>),
}

/// What becomes of what is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Somebody does it later.
    Later(String),
    /// It stays; why.
    Keep(String),
}

/// What to do where it is not known whether an effect took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InDoubt {
    /// Wait for a person.
    Stop,
    /// Look again and send once more.
    Retry,
    /// Take it as done.
    Applied,
}

/// What to do where a step failed, or an effect was refused or does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Wait for a person.
    Stop,
    /// Once more.
    Retry,
    /// Go on without it.
    Continue,
}

/// What to do where a requirement was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// Do the step all the same.
    Run,
    /// Leave the step.
    Skip,
}

/// What to do after the first row of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// Go on.
    Go,
    /// Wait for a person.
    Stop,
}

/// What is wrong with an answers file: every problem, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct AnswersError {
    /// The file's name.
    pub name: String,
    /// The problems; at least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with an answers file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what may be meant.
    pub message: String,
}

impl fmt::Display for AnswersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", self.placed(problem))?;
        }
        Ok(())
    }
}

impl AnswersError {
    /// One of the problems, with its place: `answers.toml:2:1: unknown key`.
    pub fn placed(&self, problem: &Problem) -> String {
        format!("{}:{}:{}: {}", self.name, problem.line, problem.column, problem.message)
    }
}

impl AnswersFile {
    /// Which file it is, for the journal.
    pub fn identity(&self) -> Option<PreparedAnswers> {
        self.sha256.clone().map(|sha256| PreparedAnswers { name: self.name.clone(), sha256 })
    }

    /// The answers under a step's whole path, as for one item or round, or else under its address.
    pub fn own(&self, path: &StepPath) -> Option<&StepAnswers> {
        self.steps.get(path.as_str()).or_else(|| self.steps.get(&path.address()))
    }

    /// The answers for a step: its own, and what is missing there from the defaults.
    pub fn step(&self, path: &StepPath) -> StepAnswers {
        let own = self.own(path).cloned().unwrap_or_default();
        let defaults = &self.defaults;
        StepAnswers {
            answer: own.answer.or(defaults.answer),
            select: own.select,
            phrase: own.phrase,
            reason: own.reason.or_else(|| defaults.reason.clone()),
            left: own.left.or_else(|| defaults.left.clone()),
            in_doubt: own.in_doubt.or(defaults.in_doubt),
            on_failure: own.on_failure.or(defaults.on_failure),
            unmet: own.unmet.or(defaults.unmet),
            canary: own.canary.or(defaults.canary),
            alone: own.alone,
            fields: own.fields.or_else(|| defaults.fields.clone()),
        }
    }

    /// Holds the steps that are answered against those that there are, as [`crate::runbook::Runbook::addresses`] lists
    /// them. A step of the runbook's own text may be called by its id, and is called by its address from then on.
    ///
    /// # Errors
    /// Answers that would never be read: for steps that there are not, or a second time.
    pub fn bind(mut self, addresses: &[(String, bool)]) -> Result<Self, AnswersError> {
        let own = |id: &str| {
            let is_it = |address: &str| address == id || address.ends_with(&format!("/{id}"));
            addresses.iter().find(|(address, is_own)| *is_own && is_it(address)).map(|(address, _)| address.clone())
        };
        let is_there = |name: &str| addresses.iter().any(|(address, _)| *address == StepPath::step(name).address());
        let mut problems = Vec::new();
        for (name, step) in std::mem::take(&mut self.steps) {
            let (line, column) = self.places.get(&name).copied().unwrap_or((1, 1));
            let mut problem = |message| problems.push(Problem { line, column, message });
            let Some(address) = Some(name.clone()).filter(|name| is_there(name)).or_else(|| own(&name)) else {
                let known = addresses.iter().map(|(address, _)| address.as_str());
                let meant = super::parse::did_you_mean(&name, known);
                problem(format!("the runbook has no step `{name}`{meant}"));
                continue;
            };
            if self.steps.insert(address.clone(), step).is_some() {
                problem(format!("the step `{address}` is answered twice"));
            }
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.is_empty() { Ok(self) } else { Err(AnswersError { name: self.name, problems }) }
    }
}

impl From<Left> for Disposition {
    fn from(left: Left) -> Self {
        match left {
            Left::Later(owner) => Self::Later { owner },
            Left::Keep(reason) => Self::Keep { reason },
        }
    }
}
