use std::fmt::Write;

use serde_json::Value;

use super::language::{OnFailure, Runbook, StepSpec};
use crate::escape;

/// The runbook as a Mermaid flowchart: a box for each phase, the steps in it with what they hold, their order, and why one
/// hangs on another.
pub fn graph(runbook: &Runbook) -> String {
    let mut drawing = Drawing { boxes: String::from("flowchart TD\n"), edges: String::new() };
    let mut phases = Vec::new();
    for step in &runbook.steps {
        if !phases.contains(&step.phase) {
            phases.push(step.phase);
        }
    }
    let steps: Vec<Drawn<'_>> = drawn(runbook.steps.iter(), "s");
    for phase in phases {
        drawing.frame(phase.as_str(), steps.iter().filter(|drawn| drawn.step.phase == phase));
    }
    drawing.connect(&steps);
    let finally: Vec<Drawn<'_>> = drawn(runbook.finally.iter(), "f");
    if !finally.is_empty() {
        drawing.frame("finally[\"in any case\"]", finally.iter());
        if let (Some(last), Some(first)) = (steps.last(), finally.first()) {
            drawing.then(last, first);
        }
        drawing.connect(&finally);
    }
    drawing.boxes + &drawing.edges
}

/// A step, its name in the drawing, and its number in its list.
struct Drawn<'r> {
    step: &'r StepSpec,
    name: String,
    number: usize,
}

fn drawn<'r>(steps: impl Iterator<Item = &'r StepSpec>, prefix: &str) -> Vec<Drawn<'r>> {
    steps.enumerate().map(|(at, step)| Drawn { step, name: format!("{prefix}{at}"), number: at + 1 }).collect()
}

struct Drawing {
    boxes: String,
    edges: String,
}

impl Drawing {
    fn frame<'r>(&mut self, title: &str, steps: impl Iterator<Item = &'r Drawn<'r>>) {
        let _ = writeln!(self.boxes, "  subgraph {title}");
        steps.for_each(|step| self.step(step, 2));
        self.boxes.push_str("  end\n");
    }

    fn step(&mut self, drawn: &Drawn<'_>, depth: usize) {
        let (step, name, margin) = (drawn.step, &drawn.name, "  ".repeat(depth));
        let title = escape::mermaid(&step.title);
        let foreach = step.foreach.as_ref().map(|foreach| format!("for each {}", foreach.name));
        let repeat = step.repeat.as_ref().map(|repeat| format!("until {}", repeat.until));
        let when = step.when.as_ref().map(|when| format!("when {when}"));
        let flow = [when, foreach, repeat].into_iter().flatten();
        let flow: String = flow.map(|words| format!("<br/>{}", escape::mermaid(&words))).collect();
        let what = match &step.calls {
            Some(called) => format!("runbook {}", escape::mermaid(&called.name)),
            None => escape::mermaid(&step.action),
        };
        let label = format!("[\"{}. {title}<br/>{what}{flow}\"]", drawn.number);
        let inner: Vec<Drawn<'_>> = self::drawn(step.held().map(|(inner, _)| inner), &format!("{name}_"));
        if inner.is_empty() {
            let _ = writeln!(self.boxes, "{margin}{name}{label}");
            return;
        }
        let _ = writeln!(self.boxes, "{margin}subgraph {name}{label}");
        inner.iter().for_each(|inner| self.step(inner, depth + 1));
        let _ = writeln!(self.boxes, "{margin}end");
        self.connect(&inner);
    }

    fn then(&mut self, step: &Drawn<'_>, next: &Drawn<'_>) {
        let _ = writeln!(self.edges, "  {} --> {}", step.name, next.name);
    }

    /// What comes after what, and what hangs on what, within one list.
    fn connect(&mut self, steps: &[Drawn<'_>]) {
        steps.windows(2).for_each(|two| self.then(&two[0], &two[1]));
        let place = |id: &str| steps.iter().find(|other| other.step.id == *id).map(|other| &other.name);
        for Drawn { step, name, .. } in steps {
            for from in step.requires.iter().filter_map(|id| place(id)) {
                let _ = writeln!(self.edges, "  {from} -->|requires| {name}");
            }
            for from in sources(step).iter().filter_map(|id| place(id)) {
                let _ = writeln!(self.edges, "  {from} -.->|from| {name}");
            }
            if let OnFailure::Goto(later) = &step.on_failure
                && let Some(later) = place(later)
            {
                let _ = writeln!(self.edges, "  {name} ==>|on failure| {later}");
            }
        }
    }
}

/// The ids of the steps whose results the step takes: parameters, texts and condition. Each once, in order of mention.
fn sources(step: &StepSpec) -> Vec<&str> {
    let mut ids = Vec::new();
    let texts = [Some(&step.title), step.why.as_ref()].into_iter().flatten();
    texts.filter(|text| text.contains("{{")).for_each(|text| mentioned(text, &mut ids));
    step.with.values().for_each(|value| walk(value, &mut ids));
    step.foreach.iter().for_each(|foreach| walk(&foreach.list, &mut ids));
    step.when.iter().for_each(|condition| mentioned(condition, &mut ids));
    ids
}

fn walk<'a>(value: &'a Value, ids: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => match map.get("from").and_then(Value::as_str) {
            Some(path) => mentioned(path, ids),
            None => map.values().for_each(|value| walk(value, ids)),
        },
        Value::Array(items) => items.iter().for_each(|item| walk(item, ids)),
        Value::String(text) if text.contains("{{") => mentioned(text, ids),
        _ => {}
    }
}

/// Every `steps.ID` in a text.
fn mentioned<'a>(text: &'a str, ids: &mut Vec<&'a str>) {
    for rest in text.split("steps.").skip(1) {
        let id = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
}
