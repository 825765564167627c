//! The runbook of an undo: one step for each effect, in the language, so that engine, resume and report need not know.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::candidates::{Candidate, Standing};
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::model::IncidentId;

/// Its name.
pub(super) const NAME: &str = "undo";

#[derive(Serialize)]
struct Runbook<'a> {
    schema: u8,
    name: &'a str,
    title: String,
    summary: &'a str,
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    id: &'a str,
    phase: &'a str,
    title: String,
    why: String,
    action: &'a str,
    with: Map<String, Value>,
}

/// The text that undoes `able`, in their order.
///
/// # Errors
/// A before-image has no place in TOML.
pub(super) fn text(incident: &IncidentId, able: &[&Candidate<'_>]) -> Result<String, CliError> {
    let runbook = Runbook {
        schema: 1,
        name: NAME,
        title: format!("Undo what was changed in incident {incident}"),
        summary: "Written by `quell undo` from the before-images in the journal.",
        steps: able.iter().filter_map(|row| step(row)).collect(),
    };
    toml::to_string(&runbook).map_err(|error| {
        CliError::new(Exit::Failed, "before_image", "a before-image of the journal cannot be written as a runbook")
            .because(&error)
            .hint("undo the other effects one by one, and put this one back by hand; nothing was sent")
    })
}

fn step<'a>(row: &'a Candidate<'_>) -> Option<Step<'a>> {
    let Standing::Able(undo) = &row.standing else { return None };
    let effect = &row.state.effect;
    // An attacker may have chosen the name, and titles may hold templates.
    let what = if effect.summary.contains("{{") { &effect.target.id } else { &effect.summary };
    let literals = undo.with.as_object().into_iter().flatten();
    Some(Step {
        id: &row.step,
        phase: "recover",
        title: format!("Undo: {what}"),
        why: format!("It was done at {} (effect {}) and is to be taken back.", row.origin(), effect.key),
        action: &undo.action,
        with: literals.map(|(name, value)| (name.clone(), json!({ "literal": value }))).collect(),
    })
}
