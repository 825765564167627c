use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::input::InputType;
use crate::model::{Digest, Phase};

/// A checked runbook.
#[derive(Debug, Clone, Serialize)]
pub struct Runbook {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it does, in a sentence or two.
    pub summary: String,
    /// How severe an incident is that it is for, in the team's own words.
    pub severity: Option<String>,
    /// Time to contain that the team aims for.
    pub target: Option<SignedDuration>,
    /// What it needs to know, in the order of asking.
    pub inputs: Vec<InputSpec>,
    /// What is done, in order.
    pub steps: Vec<StepSpec>,
    /// Where it came from.
    pub source: Source,
}

/// Where a runbook came from.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// Its path, or `embedded`.
    pub name: String,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// Something that a runbook needs to know.
#[derive(Debug, Clone, Serialize)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub ty: InputType,
    /// What to ask.
    pub prompt: Option<String>,
    /// The value where none is given.
    pub default: Option<Value>,
    /// True where the run cannot begin without it.
    pub required: bool,
    /// True where `not known` is an answer, kept as null.
    pub unknown_ok: bool,
}

impl InputSpec {
    /// Reads a value from text, e.g. of `--set`. `now` is for relative times.
    ///
    /// # Errors
    /// What is wrong with it, in words for the person who typed it.
    pub fn parse(&self, text: &str, now: Timestamp) -> Result<Value, String> {
        if self.unknown_ok && matches!(text.trim().to_lowercase().as_str(), "not known" | "unknown" | "?") {
            return Ok(Value::Null);
        }
        self.ty.parse(text, now)
    }
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepSpec {
    /// Its id.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Its title.
    pub title: String,
    /// Why it is done.
    pub why: Option<String>,
    /// Id of its action.
    pub action: String,
    /// The action's parameters; references and templates are not filled in.
    pub with: Map<String, Value>,
    /// Condition under which it is done: a path or a Handlebars sub-expression.
    pub when: Option<String>,
    /// The least that consent must ask for.
    pub confirm: Option<Confirm>,
    /// What to do if it fails.
    pub on_failure: OnFailure,
    /// Steps that must be done before.
    pub requires: Vec<String>,
}

/// The least that consent must ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// A yes.
    Ask,
    /// The step's id.
    Step,
    /// The target's name.
    Target,
}

/// What to do if a step fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Ask a person.
    #[default]
    Ask,
    /// Rest.
    Stop,
    /// Go on without it.
    Continue,
    /// Go on at a later step.
    Goto(String),
}
