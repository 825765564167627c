//! The file beside the journal that keeps a run's plan with the runbooks' texts: `plan-<run>.json`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::journal::{BoundPlan, NestedRunbook, PlanSealed, RunOpened};
use crate::model::Digest;
use crate::vault::Kept;

/// The texts in the file: the runbook's, and those of the runbooks that it calls in the order of [`PlanSealed::nested`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    /// The runbook's.
    pub(crate) runbook: String,
    /// The others'.
    pub(crate) nested: Vec<String>,
}

impl Texts {
    /// Those in a file's text, as far as they are there.
    pub(crate) fn read(file: &str) -> Result<Self, serde_json::Error> {
        let kept: Value = serde_json::from_str(file)?;
        let text = |of: &Value| of["text"].as_str().unwrap_or_default().to_owned();
        let nested = kept["nested"].as_array().into_iter().flatten().map(text).collect();
        Ok(Self { runbook: text(&kept["runbook"]), nested })
    }

    /// Whether they are those that the journal names.
    pub(crate) fn are_of(&self, runbook_sha256: &Digest, sealed: &PlanSealed) -> bool {
        Digest::of(self.runbook.as_bytes()) == *runbook_sha256
            && self
                .nested
                .iter()
                .map(|text| Digest::of(text.as_bytes()))
                .eq(sealed.nested.iter().map(|it| it.sha256.clone()))
    }
}

/// The whole file. All of it but the texts stands in the journal as well, and the texts' digests do.
pub(crate) fn text(format: u32, opened: &RunOpened, sealed: &PlanSealed, texts: &Texts) -> String {
    let mut kept = json!({
        "schema": "quell.sealed-plan/1", "format": format, "digest": sealed.digest, "inputs": sealed.inputs,
        "runbook": { "name": opened.runbook, "source": opened.source, "text": texts.runbook },
    });
    if !texts.nested.is_empty() {
        let nested = sealed.nested.iter().zip(&texts.nested);
        let of = |(it, text): (&NestedRunbook, &String)| json!({ "name": it.name, "source": it.source, "text": text });
        kept["nested"] = nested.map(of).collect();
    }
    format!("{kept:#}\n")
}

/// Holds the file at `path` against the journal.
pub(crate) fn check(path: &Path, plan: &BoundPlan<'_>) -> Kept {
    let found = match fs::read_to_string(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Kept::Altered,
        Err(_) => return Kept::Missing,
    };
    match Texts::read(&found) {
        Ok(texts)
            if texts.are_of(plan.runbook_sha256, plan.sealed)
                && text(plan.format, plan.opened, plan.sealed, &texts) == found =>
        {
            Kept::Whole
        }
        _ => Kept::Altered,
    }
}
