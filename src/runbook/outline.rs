use serde::Serialize;

use super::check::Vocabulary;
use super::language::Runbook;
use crate::model::{Danger, Phase};

/// A runbook at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its steps, in order.
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
    /// The most harm that the action can do.
    pub max_danger: Danger,
    /// Condition under which it is done.
    pub when: Option<String>,
}

/// A runbook at a glance, with what its actions can do.
pub fn outline(runbook: &Runbook, vocabulary: &Vocabulary) -> Outline {
    let steps = runbook.steps.iter().map(|step| OutlineStep {
        id: step.id.clone(),
        phase: step.phase,
        title: step.title.clone(),
        why: step.why.clone(),
        action: step.action.clone(),
        max_danger: vocabulary.actions.get(&step.action).map_or(Danger::Observe, |words| words.max_danger),
        when: step.when.clone(),
    });
    Outline { name: runbook.name.clone(), title: runbook.title.clone(), steps: steps.collect() }
}
