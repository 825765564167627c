use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Map, Value};

use super::index::Index;
use super::input_spec::InputSpec;
use super::nested::Called;
use crate::model::{Danger, Digest, Phase};

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
    /// Where its steps stand.
    #[serde(skip)]
    pub(super) index: Index,
}

/// Where a runbook came from.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// Its path, or `embedded`.
    pub name: String,
    /// Digest of its bytes.
    pub digest: Digest,
}

impl Runbook {
    /// Every step of its own text, groups and what they hold as well, in the order of the text.
    pub fn own_steps(&self) -> impl Iterator<Item = &StepSpec> {
        self.steps.iter().chain(&self.finally).flat_map(StepSpec::with_inner)
    }

    /// Every step, those of the runbooks that it calls as well.
    pub fn all_steps(&self) -> Box<dyn Iterator<Item = &StepSpec> + '_> {
        Box::new(self.own_steps().flat_map(|step| {
            let called = step.calls.iter().flat_map(|called| called.runbook.all_steps());
            std::iter::once(step).chain(called)
        }))
    }

    /// Ids of the steps that require the step called `id`, or use its output.
    pub fn needed_by(&self, id: &str) -> &[String] {
        self.index.needed_by(id)
    }

    /// The step of its own text that is called `id`, wherever it stands there: ids are unique within a text.
    pub(super) fn step(&self, id: &str) -> Option<&StepSpec> {
        let (first, inner) = self.index.route(id)?.split_first()?;
        let top = self.steps.iter().chain(&self.finally).nth(*first)?;
        inner.iter().try_fold(top, |step, at| step.steps.get(*at))
    }
}

/// The action of a group, which only holds other steps.
pub(super) const GROUP: &str = "group";

/// The action of a step that calls another runbook. It is the language's own: no wing brings it.
pub const RUNBOOK: &str = "runbook";

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
    /// Id of its action; of a group `group`, of a step that calls a runbook [`RUNBOOK`].
    pub action: String,
    /// The action's parameters; references and templates are not filled in.
    pub with: Map<String, Value>,
    /// The steps of a group, in order; of any other step, none.
    pub steps: Vec<StepSpec>,
    /// The runbook that it calls; of any other step, none.
    pub calls: Option<Box<Called>>,
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
    /// True for a group of steps.
    pub fn is_group(&self) -> bool {
        self.action == GROUP
    }

    /// True for a step that calls a runbook.
    pub fn is_call(&self) -> bool {
        self.action == RUNBOOK
    }

    /// True where it holds other steps: a group, or one that calls a runbook.
    pub fn holds_steps(&self) -> bool {
        self.is_group() || self.is_call()
    }

    /// True where it holds or makes other steps instead of doing something itself.
    pub fn is_container(&self) -> bool {
        self.foreach.is_some() || self.holds_steps()
    }

    /// The steps that it holds, in order, and whether each is done in any case: of a group its own, of a step that calls
    /// a runbook those of the runbook.
    pub fn held(&self) -> impl Iterator<Item = (&Self, bool)> {
        let called = self.calls.iter().flat_map(|called| {
            let runbook = &called.runbook;
            runbook.steps.iter().map(|step| (step, false)).chain(runbook.finally.iter().map(|step| (step, true)))
        });
        self.steps.iter().map(|step| (step, false)).chain(called)
    }

    /// Its parameters and its list, as text.
    pub fn given(&self) -> String {
        let list = self.foreach.as_ref().map(|foreach| foreach.list.to_string());
        serde_json::to_string(&self.with).unwrap_or_default() + &list.unwrap_or_default()
    }

    /// All of it in which results of other steps may be named.
    pub(super) fn text(&self) -> String {
        let conditions = [self.when.as_deref(), self.repeat.as_ref().map(|repeat| repeat.until.as_str())];
        conditions.into_iter().flatten().fold(self.given(), |text, condition| text + "\n" + condition)
    }

    /// Whether the step called `id` of its own text is somewhere in it.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.with_inner().skip(1).any(|step| step.id == id)
    }

    /// The step and all of its own text that it holds.
    fn with_inner(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(std::iter::once(self).chain(self.steps.iter().flat_map(Self::with_inner)))
    }
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
    /// As `target`, and the word of somebody else as well.
    #[serde(rename = "second-person")]
    SecondPerson,
}

impl Confirm {
    /// The least danger that asks for the same by itself.
    pub const fn at_least(self) -> Danger {
        match self {
            Self::Ask => Danger::Reversible,
            Self::Step => Danger::Disruptive,
            Self::Target | Self::SecondPerson => Danger::Irreversible,
        }
    }
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
