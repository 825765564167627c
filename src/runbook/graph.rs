use std::fmt::Write;

use serde_json::Value;

use super::language::{OnFailure, Runbook, StepSpec};
use crate::escape;

/// The runbook as a Mermaid flowchart: a box for each phase, the steps in it, and why one hangs on another.
pub fn graph(runbook: &Runbook) -> String {
    let mut out = String::from("flowchart TD\n");
    let mut phases = Vec::new();
    for step in &runbook.steps {
        if !phases.contains(&step.phase) {
            phases.push(step.phase);
        }
    }
    for phase in phases {
        let _ = writeln!(out, "  subgraph {phase}");
        for (at, step) in runbook.steps.iter().enumerate().filter(|(_, step)| step.phase == phase) {
            let when = step.when.as_ref().map(|when| format!("<br/>when {}", escape::mermaid(when)));
            let (title, when) = (escape::mermaid(&step.title), when.unwrap_or_default());
            let _ = writeln!(out, "    s{at}[\"{}. {title}<br/>{}{when}\"]", at + 1, escape::mermaid(&step.action));
        }
        out.push_str("  end\n");
    }
    for (at, step) in runbook.steps.iter().enumerate() {
        let place = |id: &str| runbook.steps.iter().position(|other| other.id == *id);
        for from in step.requires.iter().filter_map(|id| place(id)) {
            let _ = writeln!(out, "  s{from} -->|requires| s{at}");
        }
        for from in sources(step).iter().filter_map(|id| place(id)) {
            let _ = writeln!(out, "  s{from} -.->|from| s{at}");
        }
        if let OnFailure::Goto(later) = &step.on_failure
            && let Some(later) = place(later)
        {
            let _ = writeln!(out, "  s{at} ==>|on failure| s{later}");
        }
    }
    out
}

/// The ids of the steps whose results the step takes: parameters, texts and condition. Each once, in order of mention.
fn sources(step: &StepSpec) -> Vec<&str> {
    let mut ids = Vec::new();
    let texts = [Some(&step.title), step.why.as_ref()].into_iter().flatten();
    texts.filter(|text| text.contains("{{")).for_each(|text| mentioned(text, &mut ids));
    step.with.values().for_each(|value| walk(value, &mut ids));
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
