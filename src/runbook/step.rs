use std::ops::Range;

use jiff::SignedDuration;

use super::diagnostic::Diagnostic;
use super::fields::Fields;
use super::language::{Confirm, Foreach, GROUP, OnFailure, RUNBOOK, Repeat, Retry, StepSpec};
use super::node::{Kind, Node};
use super::parse::{is_id, shape};
use super::reserved::RESERVED;
use crate::model::Phase;

pub(super) const PHASES: &[&str] = &["prepare", "identify", "contain", "eradicate", "recover", "learn"];

/// What belongs to a step's own action, and not to a group.
pub(super) const NOT_OF_GROUPS: [&str; 5] = ["action", "with", "confirm", "retry", "timeout"];

/// What belongs to a step's own work, and not to one that calls a runbook.
pub(super) const NOT_OF_CALLS: [&str; 3] = ["confirm", "retry", "timeout"];

/// Waiting between tries, where the runbook does not say.
const RETRY_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// More rounds or tries than this are no plan.
pub(super) const MOST_TIMES: i64 = 100;

/// Where the parts of a step stand.
#[derive(Debug)]
pub(super) struct StepPlaces {
    pub(super) id: Range<usize>,
    /// The step's table header.
    pub(super) table: Range<usize>,
    /// The way to the step's table: list and index, from the root.
    pub(super) route: Vec<(&'static str, usize)>,
    pub(super) requires: Vec<Range<usize>>,
    pub(super) on_failure: Range<usize>,
}

/// Reads one list of steps, and the lists in it.
pub(super) struct Steps<'r> {
    /// The key that the list stands under.
    pub(super) key: &'static str,
    /// The way to the table that holds it.
    pub(super) route: &'r [(&'static str, usize)],
    pub(super) places: &'r mut Vec<StepPlaces>,
    pub(super) problems: &'r mut Vec<Diagnostic>,
}

impl Steps<'_> {
    /// The steps that could be read; the places of each stand before those of what it holds.
    pub(super) fn read(&mut self, node: &Node) -> Vec<StepSpec> {
        let Kind::Array(tables) = &node.kind else {
            let message = format!("steps are written as `[[{}]]`, and this is {}", self.key, node.what());
            let problem = Diagnostic::error("R004", &node.span, message);
            let line = self.line();
            self.problems.push(problem.help(format!("each step begins with the line `{line}`, with two brackets")));
            return Vec::new();
        };
        if tables.is_empty() {
            let what = if self.route.is_empty() { "runbook" } else { "group" };
            let problem = Diagnostic::error("R003", &node.span, format!("the {what} has no steps"));
            self.problems.push(problem.help(format!("a step begins with the line `{}`", self.line())));
        }
        tables.iter().enumerate().map(|(index, table)| self.step(index, table)).collect()
    }

    /// The line that each step of the list begins with.
    fn line(&self) -> String {
        let keys = self.route.iter().map(|(key, _)| format!("{key}.")).collect::<String>();
        format!("[[{keys}{}]]", self.key)
    }

    /// A step is kept whatever it lacks, so that references to it are not taken for mistakes as well.
    fn step(&mut self, index: usize, table: &Node) -> StepSpec {
        let mut route = self.route.to_vec();
        route.push((self.key, index));
        let mut fields = Fields::new(table, "step", self.problems);
        let id = fields.needed_text("id");
        let id_span = fields.node("id").map_or_else(|| table.span.clone(), |node| node.span.clone());
        if let Some(id) = id.as_ref().filter(|id| !is_id(id)) {
            fields.problem(shape(&id_span, "an id", id));
        }
        if let Some(id) = &id {
            fields.call(id);
            if RESERVED.contains(&id.as_str()) {
                let problem = Diagnostic::error("R020", &id_span, format!("no step can be called `{id}`"));
                fields.problem(problem.help(format!(
                    "the id is typed to consent, and `{id}` means something else there; say what the step does to what, \
                     as in `cut-suspect`"
                )));
            }
        }
        if fields.node("phase").is_none() {
            fields.missing("phase");
        }
        let phase = fields.choice("phase", PHASES);
        let title = fields.needed_text("title");
        let why = fields.text("why").filter(|why| !why.trim().is_empty());
        let inner = fields.node("steps");
        let action = action(&mut fields, inner.is_some());
        let with = fields.node("with");
        if let Some(node) = with.filter(|node| !matches!(node.kind, Kind::Table(_))) {
            let message = format!("`with` must be a table, and is {}", node.what());
            let problem = Diagnostic::error("R004", &node.span, message);
            fields.problem(problem.help("it is written `with = { NAME = VALUE }`, or under a line `[steps.with]`"));
        }
        let when = fields.text("when");
        let confirm = confirm(&mut fields);
        let failure_span = fields.node("on_failure").map_or(0..0, |node| node.span.clone());
        let on_failure = on_failure(&mut fields);
        let (requires, required): (Vec<String>, Vec<Range<usize>>) = fields.texts("requires").into_iter().unzip();
        let foreach = foreach(&mut fields);
        let repeat = repeat(&mut fields, inner.is_some());
        let retry = retry(&mut fields);
        let timeout = fields.duration("timeout");
        let skippable = fields.node("skippable").is_none() || fields.flag("skippable");
        fields.finish();
        self.places.push(StepPlaces {
            id: id_span,
            table: table.span.clone(),
            route: route.clone(),
            requires: required,
            on_failure: failure_span,
        });
        let steps = inner.map_or_else(Vec::new, |inner| {
            Steps { key: "steps", route: &route, places: self.places, problems: self.problems }.read(inner)
        });
        StepSpec {
            id: id.unwrap_or_default(),
            phase: phase
                .and_then(|phase| serde_json::from_value::<Phase>(phase.into()).ok())
                .unwrap_or(Phase::Identify),
            title: title.unwrap_or_default(),
            why,
            action: action.unwrap_or_default(),
            with: with.map(Node::to_json).and_then(|json| json.as_object().cloned()).unwrap_or_default(),
            steps,
            calls: None, // What it calls is found once the whole text is read.
            foreach,
            repeat,
            retry,
            timeout,
            skippable,
            when,
            confirm,
            on_failure,
            requires,
        }
    }
}

/// A step has an action or steps of its own.
fn action(fields: &mut Fields<'_, '_>, is_group: bool) -> Option<String> {
    if !is_group {
        let action = fields.needed_text("action")?;
        let span = fields.node("action").map_or(0..0, |node| node.span.clone());
        if action == GROUP {
            let problem = Diagnostic::error("R007", &span, "a group is no action");
            fields.problem(problem.help("it is a step without an action and with steps of its own: `[[steps.steps]]`"));
        }
        for key in NOT_OF_CALLS.iter().filter(|_| action == RUNBOOK) {
            if let Some(node) = fields.node(key) {
                let message = format!("a step that calls a runbook has no `{key}` of its own");
                let problem = Diagnostic::error("R022", &node.span, message);
                fields.problem(problem.help("give it to the steps of that runbook"));
            }
        }
        return Some(action);
    }
    for key in NOT_OF_GROUPS {
        if let Some(node) = fields.node(key) {
            let problem = Diagnostic::error("R022", &node.span, format!("a group of steps has no `{key}` of its own"));
            fields.problem(problem.help("give it to the steps in the group"));
        }
    }
    Some(GROUP.to_owned())
}

fn confirm(fields: &mut Fields<'_, '_>) -> Option<Confirm> {
    Some(match fields.choice("confirm", &["ask", "step", "target", "second-person"])?.as_str() {
        "second-person" => Confirm::SecondPerson,
        "target" => Confirm::Target,
        "step" => Confirm::Step,
        _ => Confirm::Ask,
    })
}

fn on_failure(fields: &mut Fields<'_, '_>) -> OnFailure {
    if let Some(later) = fields.node("on_failure").and_then(Node::as_text).and_then(|text| text.strip_prefix("step:")) {
        return OnFailure::Goto(later.to_owned());
    }
    match fields.choice("on_failure", &["ask", "stop", "continue", "step:ID"]).as_deref() {
        Some("stop") => OnFailure::Stop,
        Some("continue") => OnFailure::Continue,
        _ => OnFailure::Ask,
    }
}

/// `foreach = LIST` with `as = NAME`.
fn foreach(fields: &mut Fields<'_, '_>) -> Option<Foreach> {
    let node = fields.node("foreach");
    let name = fields.text("as");
    let named = fields.node("as");
    match (node, name) {
        (None, Some(_)) => {
            let span = named.map_or(0..0, |node| node.span.clone());
            fields.problem(Diagnostic::error("R022", &span, "`as` names the item of a `foreach`, and there is none"));
            None
        }
        (Some(node), name) => {
            if name.is_none() {
                fields.missing("as");
            }
            if !matches!(node.kind, Kind::Array(_)) && node.get("from").is_none() {
                let message = format!("`foreach` must be a list or a reference to one, and is {}", node.what());
                fields.problem(
                    Diagnostic::error("R004", &node.span, message)
                        .help("for example `{ from = \"steps.zones.names\" }`"),
                );
            }
            let name = name?;
            if !is_variable(&name) {
                let span = named.map_or(0..0, |node| node.span.clone());
                fields.problem(
                    Diagnostic::error("R006", &span, format!("an item cannot be called `{name}`"))
                        .help("small letters, digits and underscores, and not `inputs`, `steps` or `incident`"),
                );
            }
            Some(Foreach { list: node.to_json(), name })
        }
        (None, None) => None,
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !matches!(name, "inputs" | "steps" | "incident" | "this")
}

/// `repeat = { until = CONDITION, max = NUMBER }`, of a group.
fn repeat(fields: &mut Fields<'_, '_>, is_group: bool) -> Option<Repeat> {
    let node = fields.node("repeat")?;
    if !is_group {
        fields.problem(
            Diagnostic::error("R022", &node.span, "only a group of steps can be repeated")
                .help("put the step into a group: `[[steps.steps]]` below a step without an action"),
        );
    }
    if let Some(foreach) = fields.node("foreach") {
        let problem = Diagnostic::error("R022", &foreach.span, "`foreach` and `repeat` do not go together");
        fields.problem(problem.help("put one group into another"));
    }
    fields.inner(node, "repetition", |fields| {
        let until = fields.needed_text("until");
        if fields.node("max").is_none() {
            fields.missing("max");
        }
        let max = fields.number("max", 1, MOST_TIMES);
        Some(Repeat { until: until?, max: max? })
    })
}

/// `retry = { times = NUMBER, every = LENGTH }`.
fn retry(fields: &mut Fields<'_, '_>) -> Option<Retry> {
    let node = fields.node("retry")?;
    fields.inner(node, "retry", |fields| {
        if fields.node("times").is_none() {
            fields.missing("times");
        }
        let times = fields.number("times", 1, MOST_TIMES);
        let every = fields.duration("every").unwrap_or(RETRY_EVERY);
        Some(Retry { times: times?, every })
    })
}
