use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{Checker, Vocabulary};
use super::diagnostic::{Diagnostic, Severity, did_you_mean};
use super::language::{OnFailure, Runbook, StepSpec};
use super::lint;
use super::parse::Parsed;
use super::reference::Surroundings;
use super::step::StepPlaces;
use super::text;

/// Checks a parsed runbook.
pub(super) fn check(parsed: &Parsed, vocabulary: &Vocabulary, source: &str, problems: &mut Vec<Diagnostic>) {
    let runbook = &parsed.runbook;
    let mut seen = BTreeSet::new();
    for (step, places) in runbook.own_steps().zip(&parsed.places) {
        if !seen.insert(&step.id) && !step.id.is_empty() {
            let problem = Diagnostic::error("R005", &places.id, format!("another step has the id `{}`", step.id));
            problems.push(problem.help("the id is a step's address in the journal: give each its own"));
        }
    }
    let used = RefCell::default();
    let mut walk = Walk { parsed, vocabulary, source, problems, places: parsed.places.iter(), used: &used };
    let all = walk.list(&runbook.steps, &Around::default());
    walk.list(&runbook.finally, &Around { visible: all, is_final: true, ..Around::default() });
    // Beside an error it may be that very error which keeps an input from being used.
    if problems.iter().all(|problem| problem.severity == Severity::Warning) {
        lint::unused_inputs(&parsed.root, &used.borrow(), problems);
    }
}

/// What the steps of a list may refer to besides each other.
#[derive(Debug, Clone, Default)]
struct Around<'a> {
    visible: Vec<&'a StepSpec>,
    items: Vec<(&'a str, Option<Value>)>,
    is_final: bool,
}

/// Goes through the steps in the order of the text.
struct Walk<'a, 'p> {
    parsed: &'a Parsed,
    vocabulary: &'a Vocabulary,
    source: &'a str,
    problems: &'p mut Vec<Diagnostic>,
    places: std::slice::Iter<'a, StepPlaces>,
    used: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Walk<'a, '_> {
    /// Checks a list; returns what may be referred to behind it.
    fn list(&mut self, steps: &'a [StepSpec], around: &Around<'a>) -> Vec<&'a StepSpec> {
        let mut around = around.clone();
        for (at, step) in steps.iter().enumerate() {
            let Some(places) = self.places.next() else { break };
            order(step, &around.visible, &steps[at + 1..], &self.parsed.runbook, places, self.problems);
            let Some(table) = self.parsed.table(places) else { continue };
            self.checker(step, &around).outside(table);
            lint::pointless(step, table, &steps[at + 1..], self.problems);
            lint::patience(step, table, self.problems);
            table.get("with").into_iter().for_each(|with| lint::scripts(with, self.problems));
            let mut inner = around.clone();
            if let Some(foreach) = &step.foreach {
                let item = table.get("foreach").and_then(|list| self.checker(step, &around).list(list));
                inner.items.push((&foreach.name, item));
            }
            if step.is_group() {
                let within = self.list(&step.steps, &inner);
                if let Some(until) = table.get("repeat").and_then(|repeat| repeat.get("until")) {
                    let around = Around { visible: within, ..inner };
                    let checker = self.checker(step, &around);
                    let either = [
                        "mend it: the group would be gone through once",
                        "mend it: the group would be gone through to the last round, and fail",
                    ];
                    text::check_condition(until, either, &checker.around, checker.problems);
                }
            } else if step.is_call() {
                self.checker(step, &inner).call(places, table);
            } else {
                self.checker(step, &inner).inside(places, table);
            }
            around.visible.push(step);
        }
        around.visible
    }

    fn checker(&mut self, step: &'a StepSpec, around: &Around<'a>) -> Checker<'a, '_> {
        Checker {
            around: Surroundings {
                runbook: &self.parsed.runbook,
                untyped: &self.parsed.untyped,
                vocabulary: self.vocabulary,
                step,
                visible: around.visible.clone(),
                items: around.items.clone(),
                is_final: around.is_final,
                is_early: false,
                used: self.used,
            },
            source: self.source,
            problems: self.problems,
        }
    }
}

/// `requires` names earlier steps, `on_failure` a later one of the same list.
fn order(
    step: &StepSpec,
    earlier: &[&StepSpec],
    later: &[StepSpec],
    runbook: &Runbook,
    places: &StepPlaces,
    problems: &mut Vec<Diagnostic>,
) {
    for (id, span) in step.requires.iter().zip(&places.requires) {
        if earlier.iter().any(|known| known.id == *id) {
            continue;
        }
        let problem = if *id == step.id {
            Diagnostic::error("R012", span, format!("step `{id}` cannot require itself"))
        } else if runbook.step(id).is_some() {
            Diagnostic::error("R012", span, format!("`{id}` does not come before this step"))
        } else {
            Diagnostic::error("R011", span, format!("there is no step `{id}`"))
        };
        let meant = did_you_mean(id, earlier.iter().map(|known| known.id.as_str()));
        problems.push(match meant {
            // A step that is there was meant, and stands in the wrong place.
            Some(meant) if problem.code == "R011" => problem.help(format!("did you mean `{meant}`?")),
            _ => problem.help("`requires` names steps that come before"),
        });
    }
    if let (OnFailure::Goto(_), Some(_)) = (&step.on_failure, &step.foreach) {
        let message = "a step that is done item by item cannot go on elsewhere when one of them fails";
        let problem = Diagnostic::error("R022", &places.on_failure, message);
        problems.push(problem.help("`continue` goes on with the next item"));
    } else if let OnFailure::Goto(target) = &step.on_failure
        && !later.iter().any(|known| known.id == *target)
    {
        let (code, message) = match runbook.step(target) {
            None => ("R011", format!("there is no step `{target}`")),
            Some(_) => ("R012", format!("`{target}` does not come after this step")),
        };
        let after = later.iter().map(|known| known.id.as_str());
        let meant = if code == "R011" { did_you_mean(target, after) } else { None };
        let help = meant.map_or_else(
            || "a run only goes forward: name a step that comes after this one, in the same list".to_owned(),
            |meant| format!("did you mean `step:{meant}`?"),
        );
        problems.push(Diagnostic::error(code, &places.on_failure, message).help(help));
    }
}
