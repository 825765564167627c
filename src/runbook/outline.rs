use serde::{Deserialize, Serialize};

use super::check::Vocabulary;
use super::language::{OnFailure, Runbook, StepSpec};
use crate::model::{Danger, Digest, Phase};

/// A runbook at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its steps, in order; those that are done in any case at the end.
    pub steps: Vec<OutlineStep>,
}

/// A step at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct OutlineStep {
    /// Its id.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Its title.
    pub title: String,
    /// Why it is done.
    pub why: Option<String>,
    /// Its action.
    pub action: String,
    /// The most harm that the action can do, or what the step says of it; of a step that holds others, that these can do.
    pub max_danger: Danger,
    /// Condition under which it is done.
    pub when: Option<String>,
    /// Whether, how often and after what it is done, and what a failure leads to: each in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flow: Vec<String>,
    /// True where it is done in any case.
    pub finally: bool,
    /// The runbook that it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<OutlineCall>,
    /// The steps that it holds, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Self>,
}

/// The runbook that a step calls.
#[derive(Debug, Clone, Serialize)]
pub struct OutlineCall {
    /// The name that it is called by.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Where it was found.
    pub source: String,
}

/// A runbook at a glance, with what its actions can do.
pub fn outline(runbook: &Runbook, vocabulary: &Vocabulary) -> Outline {
    let steps = runbook.steps.iter().map(|step| outlined(step, false, vocabulary));
    let finally = runbook.finally.iter().map(|step| outlined(step, true, vocabulary));
    Outline { name: runbook.name.clone(), title: runbook.title.clone(), steps: steps.chain(finally).collect() }
}

fn outlined(step: &StepSpec, finally: bool, vocabulary: &Vocabulary) -> OutlineStep {
    let steps: Vec<OutlineStep> =
        step.held().map(|(inner, in_any_case)| outlined(inner, finally || in_any_case, vocabulary)).collect();
    // Where the author says how much harm it would do, the action cannot know better.
    let stated = step.with.get("danger").and_then(|danger| Danger::deserialize(danger).ok());
    let own = vocabulary
        .actions
        .get(&step.action)
        .map(|words| stated.map_or(words.max_danger, |it| it.min(words.max_danger)));
    let max_danger = steps.iter().map(|inner| inner.max_danger).chain(own).max().unwrap_or(Danger::Observe);
    OutlineStep {
        id: step.id.clone(),
        phase: step.phase,
        title: step.title.clone(),
        why: step.why.clone(),
        action: step.action.clone(),
        max_danger,
        when: step.when.clone(),
        flow: flow(step),
        finally,
        calls: step.calls.as_ref().map(|called| OutlineCall {
            name: called.name.clone(),
            sha256: called.runbook.source.digest.clone(),
            source: called.runbook.source.name.clone(),
        }),
        steps,
    }
}

fn flow(step: &StepSpec) -> Vec<String> {
    let mut flow: Vec<String> = step.when.iter().map(|when| format!("when {when}")).collect();
    if let Some(foreach) = &step.foreach {
        let list = foreach.list.get("from").and_then(serde_json::Value::as_str);
        let list = list.map_or_else(|| foreach.list.to_string(), str::to_owned);
        flow.push(format!("for each {} of {list}", foreach.name));
    }
    if let Some(repeat) = &step.repeat {
        flow.push(format!("until {}, {} times at most", repeat.until, repeat.max));
    }
    if !step.requires.is_empty() {
        flow.push(format!("requires {}", step.requires.join(", ")));
    }
    match &step.on_failure {
        OnFailure::Ask => {}
        OnFailure::Stop => flow.push("on failure: rest".to_owned()),
        OnFailure::Continue => flow.push("on failure: go on".to_owned()),
        OnFailure::Goto(later) => flow.push(format!("on failure: go on at {later}")),
    }
    if !step.skippable {
        flow.push("may not be skipped".to_owned());
    }
    flow
}
