//! What a run has begun stays as it is: what of another plan would change it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::difference::changed_files;
use crate::journal::{PlanSealed, RunState};
use crate::model::StepPath;
use crate::runbook::{Runbook, StepSpec};

/// A run, with the runbook and the inputs that it went by so far.
pub(super) struct Begun<'r> {
    /// The run.
    pub(super) run: &'r RunState,
    /// The plan that it is bound to.
    pub(super) sealed: &'r PlanSealed,
    /// Its runbook.
    pub(super) runbook: &'r Runbook,
}

impl Begun<'_> {
    /// Why the run cannot go on with `runbook` and `plan`: each thing that has begun and would be another. Empty where it
    /// can.
    pub(super) fn refuses(&self, runbook: &Runbook, plan: &PlanSealed) -> Vec<String> {
        let mut refused = Vec::new();
        if runbook.name != self.runbook.name {
            refused.push(format!("it is another runbook: `{}` before, `{}` now", self.runbook.name, runbook.name));
        }
        self.steps(&self.runbook.steps, &runbook.steps, &mut refused);
        self.steps(&self.runbook.finally, &runbook.finally, &mut refused);
        self.inputs(&plan.inputs, &mut refused);
        self.files(&mut refused);
        self.actions(plan, &mut refused);
        refused
    }

    fn is_begun(&self, id: &str) -> bool {
        self.run.steps.keys().any(|path| path.ids().next() == Some(id))
    }

    /// `` `cut`, which has ended ``, or is under way.
    fn named(&self, id: &str) -> String {
        let how = if self.run.status(&StepPath::step(id)).is_final() { "has ended" } else { "is under way" };
        format!("`{id}`, which {how}")
    }

    /// What has begun stands first, in the same order, and is the same; what has not may be anything.
    fn steps(&self, old: &[StepSpec], new: &[StepSpec], refused: &mut Vec<String>) {
        let begun: Vec<&StepSpec> = old.iter().filter(|step| self.is_begun(&step.id)).collect();
        for was in &begun {
            match new.iter().find(|step| step.id == was.id) {
                None => refused.push(format!("the step {}, is not there any more", self.named(&was.id))),
                Some(is) => {
                    let fields = differing(&meaning(was), &meaning(is));
                    if !fields.is_empty() {
                        refused.push(format!("the step {}, has another {}", self.named(&was.id), fields.join(", ")));
                    }
                }
            }
        }
        let all_there = begun.iter().all(|was| new.iter().any(|step| step.id == was.id));
        let out_of_turn = begun.iter().zip(new).find(|(was, is)| was.id != is.id);
        if let (true, Some((was, is))) = (all_there, out_of_turn) {
            refused.push(format!(
                "the step `{}` stands before {}: what is new comes after it",
                is.id,
                self.named(&was.id)
            ));
        }
    }

    /// An input that something begun went by keeps its value.
    fn inputs(&self, new: &Map<String, Value>, refused: &mut Vec<String>) {
        for (name, was) in &self.sealed.inputs {
            let is = new.get(name).unwrap_or(&Value::Null);
            if is == was {
                continue;
            }
            for step in self.begun_specs().filter(|step| uses(step, name)) {
                refused
                    .push(format!("the input `{name}` was used by {}: {was} before, {is} now", self.named(&step.id)));
            }
        }
    }

    fn files(&self, refused: &mut Vec<String>) {
        for file in changed_files(self.run) {
            if let Some(path) = &file.step {
                refused.push(format!("{}; the step `{path}` was given it when it began", file.how));
                continue;
            }
            let named = |value: &Value| value.as_str() == Some(file.path.as_str());
            let inputs: Vec<&String> =
                self.sealed.inputs.iter().filter(|(_, value)| named(value)).map(|(name, _)| name).collect();
            for step in self.begun_specs().filter(|step| inputs.iter().any(|name| uses(step, name))) {
                refused.push(format!("{}; it was used by {}", file.how, self.named(&step.id)));
            }
        }
    }

    /// A step that is under way is finished by the version of its action that began it.
    fn actions(&self, plan: &PlanSealed, refused: &mut Vec<String>) {
        let steps = self.sealed.steps.iter().filter(|step| self.run.step(&step.path).is_some());
        for step in steps.filter(|step| !self.run.status(&step.path).is_final()) {
            let versions = (self.sealed.actions.get(&step.action), plan.actions.get(&step.action));
            if let (Some(was), Some(is)) = versions
                && was != is
            {
                refused.push(format!(
                    "the step `{}` is under way, and its action `{}` has another version: {was} before, {is} now",
                    step.path, step.action
                ));
            }
        }
    }

    fn begun_specs(&self) -> impl Iterator<Item = &StepSpec> {
        self.runbook.steps.iter().chain(&self.runbook.finally).filter(|step| self.is_begun(&step.id))
    }
}

/// A step as far as it says what is done: where a called runbook lies, and how its text is laid out, does not count.
pub(super) fn meaning(step: &StepSpec) -> Value {
    let mut value = json!(step);
    value["steps"] = step.steps.iter().map(meaning).collect();
    if let Some(called) = &step.calls {
        value["calls"] = json!({ "name": called.name, "runbook": whole(&called.runbook) });
    }
    value
}

/// All that a runbook says.
fn whole(runbook: &Runbook) -> Value {
    let mut value = frame(runbook);
    value["inputs"] = json!(runbook.inputs);
    for (field, steps) in [("steps", &runbook.steps), ("finally", &runbook.finally)] {
        value[field] = steps.iter().map(meaning).collect();
    }
    value
}

/// What a runbook says besides inputs and steps.
pub(super) fn frame(runbook: &Runbook) -> Value {
    let mut value = json!(runbook);
    if let Some(fields) = value.as_object_mut() {
        for field in ["source", "inputs", "steps", "finally"] {
            fields.shift_remove(field);
        }
    }
    value
}

/// The fields that are not the same in both, each in backquotes.
pub(super) fn differing(old: &Value, new: &Value) -> Vec<String> {
    let fields = |value: &Value| value.as_object().into_iter().flat_map(Map::keys).cloned().collect::<BTreeSet<_>>();
    let all = fields(old).into_iter().chain(fields(new)).collect::<BTreeSet<_>>();
    all.into_iter().filter(|field| old.get(field) != new.get(field)).map(|field| format!("`{field}`")).collect()
}

/// Whether a step, or one of its own text that it holds, names an input. A called runbook has inputs of its own.
fn uses(step: &StepSpec, input: &str) -> bool {
    let mut own = json!(step);
    own["steps"] = Value::Null;
    own["calls"] = Value::Null;
    let text = own.to_string();
    let names = |marked: &str| {
        let mut found = text.match_indices(marked);
        found.any(|(at, _)| {
            let next = text[at + marked.len()..].chars().next();
            !next.is_some_and(|next| next.is_alphanumeric() || next == '_' || next == '-')
        })
    };
    names(&format!("inputs.{input}"))
        || names(&format!("inputs.[{input}]"))
        || step.steps.iter().any(|held| uses(held, input))
}
