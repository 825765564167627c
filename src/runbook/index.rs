use std::collections::HashMap;

use super::language::StepSpec;
use super::named::named;

/// Where each step of a runbook stands, and who builds on it: a plan asks that for every one of its steps.
#[derive(Debug, Clone, Default)]
pub(super) struct Index(HashMap<String, Known>);

/// What is known of a step.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The way to it: its place in the runbook, then in the group that is there, and so on.
    route: Vec<usize>,
    /// Ids of the steps that require it or use its output, in the order of the text.
    needed_by: Vec<String>,
}

impl Index {
    /// Of these steps, in order, and all that they hold.
    pub(super) fn of<'s>(steps: impl Iterator<Item = &'s StepSpec> + Clone) -> Self {
        let mut index = Self::default();
        steps.clone().enumerate().for_each(|(at, step)| index.place(step, &[at]));
        steps.for_each(|step| index.connect(step));
        index
    }

    pub(super) fn route(&self, id: &str) -> Option<&[usize]> {
        self.0.get(id).map(|known| known.route.as_slice())
    }

    pub(super) fn needed_by(&self, id: &str) -> &[String] {
        self.0.get(id).map_or(&[], |known| &known.needed_by)
    }

    fn place(&mut self, step: &StepSpec, route: &[usize]) {
        // Of two steps with one id, which is an error, the first counts.
        self.0.entry(step.id.clone()).or_insert_with(|| Known { route: route.to_vec(), needed_by: Vec::new() });
        for (at, inner) in step.steps.iter().enumerate() {
            self.place(inner, &[route, &[at]].concat());
        }
    }

    fn connect(&mut self, step: &StepSpec) {
        let text = step.text();
        for id in named("steps", &text).chain(step.requires.iter().map(String::as_str)).filter(|id| *id != step.id) {
            if let Some(known) = self.0.get_mut(id)
                && known.needed_by.last() != Some(&step.id)
            {
                known.needed_by.push(step.id.clone());
            }
        }
        step.steps.iter().for_each(|inner| self.connect(inner));
    }
}
