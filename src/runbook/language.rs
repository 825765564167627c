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
    /// How often others are to be told how things stand.
    pub update_every: Option<SignedDuration>,
    /// What it needs to know, in the order of asking.
    pub inputs: Vec<InputSpec>,
    /// What is done, in order.
    pub steps: Vec<StepSpec>,
    /// What is done at the end in any case, also where the run was ended early.
    pub finally: Vec<StepSpec>,
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

impl Runbook {
    /// Every step, groups and what they hold as well, in the order of the text.
    pub fn all_steps(&self) -> impl Iterator<Item = &StepSpec> {
        self.steps.iter().chain(&self.finally).flat_map(StepSpec::with_inner)
    }

    /// Ids of the steps that require the step called `id`, or use its output.
    pub fn needed_by(&self, id: &str) -> Vec<&str> {
        self.all_steps().filter(|step| step.id != id && step.needs(id)).map(|step| step.id.as_str()).collect()
    }

    /// The step called `id`, wherever it stands: ids are unique within a runbook.
    pub fn step(&self, id: &str) -> Option<&StepSpec> {
        self.all_steps().find(|step| step.id == id)
    }
}

/// The action of a group, which only holds other steps.
pub const GROUP: &str = "group";

/// One step, or a group of steps.
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
    /// Id of its action; [`GROUP`] for a group.
    pub action: String,
    /// The action's parameters; references and templates are not filled in.
    pub with: Map<String, Value>,
    /// The steps of a group, in order; of any other step, none.
    pub steps: Vec<StepSpec>,
    /// Done once for each item of a list.
    pub foreach: Option<Foreach>,
    /// A group that is done again until a condition holds.
    pub repeat: Option<Repeat>,
    /// Reads that failed, and looks that do not show a change yet, are tried again.
    pub retry: Option<Retry>,
    /// The longest that the step's reads may take. People are never hurried.
    pub timeout: Option<SignedDuration>,
    /// False where no person may skip it.
    pub skippable: bool,
    /// Condition under which it is done: a path or a Handlebars sub-expression.
    pub when: Option<String>,
    /// The least that consent must ask for.
    pub confirm: Option<Confirm>,
    /// What to do if it fails.
    pub on_failure: OnFailure,
    /// Steps that must be done before.
    pub requires: Vec<String>,
}

impl StepSpec {
    /// True where it holds or makes other steps instead of doing something itself.
    pub fn is_container(&self) -> bool {
        self.foreach.is_some() || self.action == GROUP
    }

    /// Whether it requires the step called `id`, or uses its output itself.
    fn needs(&self, id: &str) -> bool {
        let conditions = [self.when.as_ref(), self.repeat.as_ref().map(|repeat| &repeat.until)];
        self.requires.iter().any(|required| required == id)
            || self.uses(id)
            || conditions.into_iter().flatten().any(|condition| names(condition, id))
    }

    /// Whether the output of the step called `id` stands in its parameters or its list.
    pub fn uses(&self, id: &str) -> bool {
        let list = self.foreach.as_ref().map(|foreach| foreach.list.to_string());
        names(&serde_json::to_string(&self.with).unwrap_or_default(), id) || list.is_some_and(|list| names(&list, id))
    }

    /// Whether the step called `id` is somewhere in it.
    pub fn holds(&self, id: &str) -> bool {
        self.with_inner().skip(1).any(|step| step.id == id)
    }

    /// The step and all that it holds.
    fn with_inner(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(std::iter::once(self).chain(self.steps.iter().flat_map(Self::with_inner)))
    }
}

/// Whether a text names the output of the step called `id`.
fn names(text: &str, id: &str) -> bool {
    let path = format!("steps.{id}");
    text.match_indices(&path).any(|(at, _)| {
        let next = text[at + path.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '-')
    })
}

/// A list that a step is done for, item by item.
#[derive(Debug, Clone, Serialize)]
pub struct Foreach {
    /// The list, or a reference to one.
    pub list: Value,
    /// What the item is called in the step.
    pub name: String,
}

/// A group that is done again.
#[derive(Debug, Clone, Serialize)]
pub struct Repeat {
    /// The condition that ends it, judged after each round; it sees the steps of the round.
    pub until: String,
    /// The most rounds that there may be.
    pub max: u32,
}

/// How often something that only reads is tried again.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Retry {
    /// How often at most, after the first time.
    pub times: u32,
    /// How long to wait between.
    pub every: SignedDuration,
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
